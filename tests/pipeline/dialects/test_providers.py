"""Names of providers."""

from __future__ import annotations

import pytest

from otel_agenttrace.pipeline.canonical import canonical
from otel_agenttrace.pipeline.normalize import normalize
from otel_agenttrace.testing.spans import make_span


@pytest.mark.parametrize(
    ("named", "model", "expected"),
    [
        ("strands-agents", "us.anthropic.claude-sonnet-4-20250514-v1:0", "aws.bedrock"),
        ("strands-agents", "anthropic.claude-3-5-sonnet-20240620-v1:0", "aws.bedrock"),
        ("gateway", "openai/gpt-4o", "openai"),
        ("crewai", "gemini/gemini-2.5-pro", "gcp.gemini"),
        ("gcp.vertex.agent", "gemini-2.5-flash", "gcp.gen_ai"),
        ("LangChain", "gpt-4o", None),
        ("langchain", "meta-llama/Llama-3", None),
        ("autogen", None, None),
        ("openrouter", "openai/gpt-4o", "openrouter"),
        ("my-provider", "gpt-4o", "my-provider"),
    ],
)
@pytest.mark.parametrize("name", ["gen_ai.system", "gen_ai.provider.name"])
def test_a_framework_is_no_provider(name: str, named: str, model: str | None, expected: str | None) -> None:
    """The model's name may tell of one, else nobody knows; and so it stays once that is written onto the span."""
    span = make_span(attributes={name: named} | ({"gen_ai.request.model": model} if model else {}))

    assert canonical(span).provider == expected
    assert canonical(normalize(span)) == canonical(span)


def test_another_source_comes_before_the_models_name() -> None:
    """Instrumentors on top of a framework's own spans know better."""
    told = {"gen_ai.system": "gcp.vertex.agent", "llm.provider": "google", "llm.model_name": "openai/gpt-4o"}

    assert canonical(make_span(attributes=told)).provider == "gcp.gemini"
