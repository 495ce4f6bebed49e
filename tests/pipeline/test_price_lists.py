"""In whose list a price is looked for."""

from __future__ import annotations

import pytest
from genai_prices.data import providers
from hypothesis import given
from hypothesis import strategies as st

from otel_agenttrace.pipeline import price_lists
from otel_agenttrace.pipeline.price_lists import places

LISTS = {provider.id for provider in providers}


def test_every_list_is_there() -> None:
    """The ids are those of the package that brings the prices."""
    makers = {list_id for _, list_id in price_lists._SOLD_AT_ONE_PRICE + price_lists._SOLD_BY_MAKER}

    assert set(price_lists._SELLERS.values()) - LISTS == set()
    assert makers - LISTS == set()


@pytest.mark.parametrize("prefix", sorted(price_lists._PREFIXES))
def test_every_prefix_stands_for_a_list(prefix: str) -> None:
    """A model behind it is looked for in the list of whoever is named, without the prefix."""
    assert (price_lists._seller(prefix), "some-model") in set(places(f"{prefix}/some-model", ""))


@pytest.mark.parametrize(
    ("provider", "list_id"),
    [
        ("openai", "openai"),
        ("anthropic", "anthropic"),
        ("aws.bedrock", "aws"),
        ("amazon_bedrock", "aws"),
        ("bedrock_converse", "aws"),
        ("gcp.vertex_ai", "google"),
        ("gcp.gemini", "google"),
        ("gcp.gen_ai", "google"),
        ("google_genai", "google"),
        ("az.ai.openai", "azure"),
        ("azure.ai.openai", "azure"),
        ("azure.ai.inference", "azure"),
        ("mistral_ai", "mistral"),
        ("groq", "groq"),
        ("x_ai", "x-ai"),
        ("deepseek", "deepseek"),
        ("perplexity", "perplexity"),
        ("cohere", "cohere"),
        ("moonshot_ai", "moonshotai"),
        ("togetherai.chat", "together"),
        ("my-gateway", None),
        ("", None),
    ],
)
def test_providers_by_their_many_names(provider: str, list_id: str | None) -> None:
    """Those of OTel's conventions, of Vercel's SDK and of LangChain; an unknown one has no list."""
    assert price_lists._seller(provider) == list_id


@pytest.mark.parametrize(
    "provider", ["ollama", "lm-studio", "hosted_vllm", "llama.cpp", "ibm.watsonx.ai", "aws.sagemaker", "huggingface"]
)
def test_some_sell_by_no_list(provider: str) -> None:
    """Not even a model that is sold at one price everywhere else: it cannot be that one."""
    assert list(places("gpt-4o", provider)) == []


def test_the_named_seller_comes_first() -> None:
    """Then the prefix, then the maker of a model that only its maker prices."""
    assert next(places("gpt-4o", "azure.ai.openai")) == ("azure", "gpt-4o")
    assert list(dict.fromkeys(places("azure/gpt-4o", ""))) == [("azure", "gpt-4o"), ("openai", "gpt-4o")]
    assert list(dict.fromkeys(places("mistral-small-latest", "groq"))) == [("groq", "mistral-small-latest")]


@pytest.mark.parametrize(
    ("model", "name"),
    [
        ("nova-lite-v1:0", "amazon.nova-lite-v1:0"),
        ("titan-embed-text-v2:0", "amazon.titan-embed-text-v2:0"),
        ("llama3-1-8b-instruct-v1:0", "meta.llama3-1-8b-instruct-v1:0"),
        ("mistral-large-2402-v1:0", "mistral.mistral-large-2402-v1:0"),
    ],
)
def test_models_of_bedrock_may_lack_their_maker(model: str, name: str) -> None:
    """OpenLLMetry leaves it out; elsewhere nobody sells them by these names."""
    aws = next(provider for provider in providers if provider.id == "aws")

    assert ("aws", name) in set(places(model, "aws"))
    assert aws.find_model(name) is not None
    assert ("aws", name) not in set(places(model, ""))


@given(model=st.text(max_size=128), provider=st.text(max_size=128))
def test_any_names_have_few_places(model: str, provider: str) -> None:
    """However odd: each is a search through a long list."""
    assert len(set(places(model, provider))) <= 8
