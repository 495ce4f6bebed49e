"""Names of providers, as emitters write them and as OTel does.

https://opentelemetry.io/docs/specs/semconv/registry/attributes/gen-ai/#gen-ai-provider-name
"""

from __future__ import annotations

_APIS = frozenset({"chat", "completion", "completions", "embedding", "embeddings", "messages", "responses"})
"""What the Vercel AI SDK writes behind a dot: `openai.responses`."""

_NAMES = {
    "amazon": "aws.bedrock",
    "amazon-bedrock": "aws.bedrock",
    "azure": "azure.ai.openai",
    "azure-openai": "azure.ai.openai",
    "azure_openai": "azure.ai.openai",
    "az.ai.openai": "azure.ai.openai",
    "az.ai.inference": "azure.ai.inference",
    "amazon_bedrock": "aws.bedrock",
    "anthropic": "anthropic",
    "aws": "aws.bedrock",
    "bedrock": "aws.bedrock",
    "aws_bedrock": "aws.bedrock",
    "cohere": "cohere",
    "deepseek": "deepseek",
    "gemini": "gcp.gemini",
    "google": "gcp.gemini",
    "google_genai": "gcp.gemini",
    "google_vertexai": "gcp.vertex_ai",
    "google.generative-ai": "gcp.gemini",
    "google.vertex": "gcp.vertex_ai",
    "groq": "groq",
    "mistral": "mistral_ai",
    "mistralai": "mistral_ai",
    "openai": "openai",
    "perplexity": "perplexity",
    "vertex_ai": "gcp.vertex_ai",
    "vertexai": "gcp.vertex_ai",
    "watsonx": "ibm.watsonx.ai",
    "xai": "x_ai",
}


def provider_name(name: str) -> str:
    """OTel's name of a provider; one that is not known stays as it is."""
    known = _NAMES.get(name.lower())
    if known is None:
        head, _, api = name.rpartition(".")
        known = _NAMES.get(head.lower(), head) if head and api in _APIS else name
    return known
