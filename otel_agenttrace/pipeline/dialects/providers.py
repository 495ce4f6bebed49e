"""Names of providers, as emitters write them and as OTel does.

https://opentelemetry.io/docs/specs/semconv/registry/attributes/gen-ai/#gen-ai-provider-name
"""

from __future__ import annotations

import re

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

_FRAMEWORKS = frozenset(
    {
        "agno",
        "autogen",
        "crewai",
        "gateway",
        "gcp.vertex.agent",
        "haystack",
        "langchain",
        "langgraph",
        "litellm",
        "llama_index",
        "llamaindex",
        "semantic_kernel",
        "smolagents",
        "strands",
        "strands-agents",
    }
)
"""What some emitters name as the provider, and what calls one: frameworks, and gateways to many providers."""

_BEDROCK = re.compile(
    r"(?:(?:[a-z]{2}|apac|us-gov|global)\.)?(?:ai21|amazon|anthropic|cohere|deepseek|meta|mistral|qwen|writer)\.[a-z]"
)
"""Models have names of this kind nowhere but there: `us.anthropic.claude-sonnet-4-20250514-v1:0`."""


def is_framework(name: str) -> bool:
    """Whether a name given as that of a provider is none."""
    return name.lower() in _FRAMEWORKS


def provider_in_model(model: str | None) -> str | None:
    """The provider that the name of a model tells of, by OTel's name; None where it tells of none that is known."""
    if model is None:
        return None
    head, slash, _ = model.lower().partition("/")
    if slash and head in _NAMES:
        return _NAMES[head]
    if _BEDROCK.match(model):
        return "aws.bedrock"
    return "gcp.gen_ai" if model.startswith("gemini-") else None


def provider_name(name: str) -> str:
    """OTel's name of a provider; one that is not known stays as it is."""
    known = _NAMES.get(name.lower())
    if known is None:
        head, _, api = name.rpartition(".")
        known = _NAMES.get(head.lower(), head) if head and api in _APIS else name
    return known
