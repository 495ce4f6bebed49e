"""In whose price list a model is looked for, and under which name there.

Emitters write a provider in many ways, write the wrong one where a client speaks another's protocol, or write none.
A model that only its maker sells, or that is sold at one price everywhere, is found by its name alone. Open weights
are sold by many at many prices and run at home for nothing, so these are priced only where the seller is named.

The lists are those of `genai-prices`; this module knows their ids, and nothing else of that package.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_UNLISTED = (
    "ollama", "llamacpp", "llamafile", "lmstudio", "vllm", "sglang", "localai", "gpt4all", "xinference", "gpustack",
    "transformers", "mlx", "dockermodelrunner", "tritoninference", "openllm",
    "watsonx", "sagemaker", "huggingface", "replicate", "nvidianim", "deepinfra", "predibase", "snowflake",
)  # fmt: skip
"""Parts of the names of what runs models on the user's own machines, and of sellers whose list is not known."""

_SELLERS = {
    "copilot": "github-copilot",
    "openrouter": "openrouter",
    "azure": "azure",
    "azai": "azure",
    "bedrock": "aws",
    "amazon": "aws",
    "aws": "aws",
    "vertex": "google",
    "google": "google",
    "gemini": "google",
    "gcp": "google",
    "together": "together",
    "fireworks": "fireworks",
    "databricks": "databricks",
    "cerebras": "cerebras",
    "novita": "novita",
    "baseten": "baseten",
    "cloudflare": "cloudflare",
    "groq": "groq",
    "mistral": "mistral",
    "deepseek": "deepseek",
    "perplexity": "perplexity",
    "cohere": "cohere",
    "moonshot": "moonshotai",
    "minimax": "minimax",
    "voyage": "voyageai",
    "xai": "x-ai",
    "zai": "zai",
    "anthropic": "anthropic",
    "openai": "openai",
}
"""Part of a provider's name, in lower case without punctuation -> the id of its list. The first that fits counts:
`az.ai.openai` is Azure, `vertex.anthropic.messages` is Google."""

_PREFIXES = {
    "openai", "azure", "azure_ai", "anthropic", "bedrock", "bedrock_converse", "vertex_ai", "vertex_ai_beta", "gemini",
    "google", "google-gla", "google-vertex", "groq", "mistral", "xai", "x-ai", "deepseek", "perplexity", "cohere",
    "cohere_chat", "together_ai", "together", "fireworks_ai", "fireworks", "openrouter", "cerebras", "moonshot",
    "moonshotai", "databricks", "novita", "minimax", "voyage", "zai",
}  # fmt: skip
"""What LiteLLM (`mistral/mistral-small-latest`) and Pydantic AI (`openai:gpt-4o`) put before a model's name. The
organisations of model hubs (`mistralai/`, `deepseek-ai/`) are not among them: those names are of weights."""

_BEDROCK = re.compile(r"(?:(?:us|us-gov|eu|apac|au|jp|ca|sa|global)\.)?(?:ai21|amazon|anthropic|cohere|meta|mistral)\.")

_MAKERS_ON_BEDROCK = (
    (re.compile(r"nova-|titan-"), "amazon"),
    (re.compile(r"llama"), "meta"),
    (re.compile(r"(?:mi|mini|magi|dev|pix|vox)(?:s?tral)-"), "mistral"),
)
"""Starts of names as OpenLLMetry leaves them -> what stands before them on Bedrock: `amazon.nova-lite-v1:0`."""

_SOLD_AT_ONE_PRICE = (
    (re.compile(r"claude-"), "anthropic"),
    (re.compile(r"(?:chat)?gpt-(?!oss)|o[134](?:-|$)|text-embedding-(?:3|ada)-"), "openai"),
    (re.compile(r"gemini-"), "google"),
    (re.compile(r"grok-[3-9]|grok-code"), "x-ai"),
    (re.compile(r"voyage-"), "voyageai"),
)
"""Starts of the names of models whose weights are not public -> their maker's list."""

_SOLD_BY_MAKER = (
    (re.compile(r"(?:mi|mini|magi|code|dev|pix|vox)(?:s?tral)-.*(?:latest|\d{4})$"), "mistral"),
    (re.compile(r"deepseek-(?:chat|reasoner)$"), "deepseek"),
    (re.compile(r"command-.*\d\d-\d{4}$"), "cohere"),
    (re.compile(r"sonar(?:-|$)"), "perplexity"),
)
"""Names that open models have at their maker, while others sell them under the names of their weights."""

_TAG_OF_WEIGHTS = re.compile(r":(?:latest|[\d.]+[bm](?:-|$))")
"""As Ollama writes them: `deepseek-r1:8b`."""

_FINE_TUNED = re.compile(r"(ft:[^:]+):")
_PUNCTUATION = re.compile(r"[\W_]+")
_PREFIX = re.compile(r"([^/:]+)[/:](.+)")


def places(model: str, provider: str) -> Iterator[tuple[str, str]]:
    """Where the price of a model may stand, the best place first, as id of a list and name of the model there.

    Args:
        model: as an emitter writes it, in lower case.
        provider: as an emitter writes it, in lower case; empty if unknown.
    """
    prefix = _PREFIX.match(model)
    if _is_unlisted(provider) or (prefix and _is_unlisted(prefix[1])) or _TAG_OF_WEIGHTS.search(model):
        return
    seller = _seller(provider)
    for list_id, name in _named(model, seller, prefix):
        if not _is_open_weights(list_id, name):
            yield list_id, name


def _named(model: str, seller: str | None, prefix: re.Match[str] | None) -> Iterator[tuple[str, str]]:
    # A client of OpenAI's may talk to anyone who speaks the same protocol.
    is_sure = seller not in (None, "openai")
    if seller is not None:
        yield seller, model
    if prefix and prefix[1] in _PREFIXES:
        model = prefix[2]
        named = _seller(prefix[1])
        if named is not None and (not is_sure or named == seller):
            seller, is_sure = named, named != "openai"
            yield named, model
    last = model.rpartition("/")[2]
    if seller is not None:
        yield seller, last
    if seller == "aws":
        yield from (("aws", f"{maker}.{last}") for family, maker in _MAKERS_ON_BEDROCK if family.match(last))
    if not is_sure and _BEDROCK.match(last):
        yield "aws", last
    yield from _by_maker(last, _SOLD_AT_ONE_PRICE if is_sure else _SOLD_AT_ONE_PRICE + _SOLD_BY_MAKER)
    if tuned := _FINE_TUNED.match(last):
        yield "openai", tuned[1]


def _by_maker(name: str, families: tuple[tuple[re.Pattern[str], str], ...]) -> Iterator[tuple[str, str]]:
    return ((list_id, name) for family, list_id in families if family.match(name))


def _seller(provider: str) -> str | None:
    words = _squeezed(provider)
    return next((list_id for part, list_id in _SELLERS.items() if part in words), None)


def _is_unlisted(provider: str) -> bool:
    words = _squeezed(provider)
    return any(part in words for part in _UNLISTED)


def _squeezed(provider: str) -> str:
    return _PUNCTUATION.sub("", provider)


def _is_open_weights(list_id: str, name: str) -> bool:
    """Whether the list names weights that are not sold there, or not at the price that it has for them."""
    if list_id in ("openai", "azure"):
        return "gpt-oss" in name
    return list_id == "google" and "gemma" in name and not name.endswith("-maas")
