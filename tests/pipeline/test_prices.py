"""List prices: against figures worked out by hand, and against the package that brings the data."""

from __future__ import annotations

import subprocess
import sys
from datetime import datetime, timezone

import pytest
from genai_prices import Usage, calc_price
from genai_prices.data import providers
from hypothesis import given
from hypothesis import strategies as st

from otel_agenttrace.pipeline import prices
from otel_agenttrace.pipeline.prices import price_usd

MILLION = 1_000_000


def _unix_nano(year: int, month: int, day: int, hour: int = 12) -> int:
    return int(datetime(year, month, day, hour, tzinfo=timezone.utc).timestamp()) * 10**9


AUTUMN_2025 = _unix_nano(2025, 10, 1)


def _price(model: str, provider: str | None, **tokens: int | None) -> float | None:
    counts = {"input_tokens": 1000, "output_tokens": 100, "at_unix_nano": AUTUMN_2025, **tokens}
    return price_usd(model, provider, **counts)


def test_openai_with_cached_and_reasoning_tokens() -> None:
    """OpenAI's o4-mini: $1.10 in, $0.275 cached, $4.40 out per million; reasoning is a part of what came out."""
    usd = _price(
        "o4-mini", "openai", input_tokens=10_000, output_tokens=500, cache_read_tokens=4_000, reasoning_tokens=300
    )

    assert usd == pytest.approx((6_000 * 1.10 + 4_000 * 0.275 + 500 * 4.40) / MILLION)


def test_anthropic_with_cache_reads_and_writes() -> None:
    """Claude Haiku 3.5: $0.80 in, $0.08 read, $1.00 written, $4 out per million."""
    usd = _price(
        "claude-3-5-haiku-20241022", "anthropic",
        input_tokens=10_000, output_tokens=500, cache_read_tokens=3_000, cache_write_tokens=2_000,
    )  # fmt: skip

    assert usd == pytest.approx((5_000 * 0.80 + 3_000 * 0.08 + 2_000 * 1.00 + 500 * 4) / MILLION)


@pytest.mark.parametrize(("input_tokens", "taken_in", "given_out"), [(200_000, 1.25, 10), (200_001, 2.50, 15)])
def test_google_by_the_size_of_the_input(input_tokens: int, taken_in: float, given_out: float) -> None:
    """Gemini 2.5 Pro has other prices for the whole call once the input is of more than 200,000 tokens."""
    usd = _price("gemini-2.5-pro", "gcp.gemini", input_tokens=input_tokens, output_tokens=1000)

    assert usd == pytest.approx((input_tokens * taken_in + 1000 * given_out) / MILLION)


def test_a_cache_read_counts_for_the_size_of_the_input() -> None:
    """100,000 fresh tokens beside 150,000 cached ones are a long prompt."""
    usd = _price("gemini-2.5-pro", "gcp.gemini", input_tokens=250_000, output_tokens=0, cache_read_tokens=150_000)
    (listed,) = (model for provider in providers if provider.id == "google" for model in provider.models
                 if model.id == "gemini-2.5-pro")  # fmt: skip
    cached = listed.prices.cache_read_mtok.tiers[0].price  # type: ignore[union-attr]

    assert usd == pytest.approx((100_000 * 2.50 + 150_000 * float(cached)) / MILLION)


def test_mistral_through_litellm() -> None:
    """In 2025 Mistral Small cost $0.10 and $0.30 per million."""
    assert _price("mistral/mistral-small-latest", None) == pytest.approx((1000 * 0.10 + 100 * 0.30) / MILLION)


def test_the_price_is_that_of_the_day() -> None:
    """OpenAI's o3 cost $10 and $40 per million until 10 June 2025, and a fifth of it from then on."""
    before, after = _unix_nano(2025, 6, 9, 23), _unix_nano(2025, 6, 10, 0)

    assert _price("o3", "openai", at_unix_nano=before) == pytest.approx((1000 * 10 + 100 * 40) / MILLION)
    assert _price("o3", "openai", at_unix_nano=after) == pytest.approx((1000 * 2 + 100 * 8) / MILLION)


def test_deepseek_at_the_price_of_the_hour() -> None:
    """In spring 2025 a call at night, in China's terms, cost half or less."""
    day = _price("deepseek-chat", "deepseek", at_unix_nano=_unix_nano(2025, 4, 1, 10))
    night = _price("deepseek-chat", "deepseek", at_unix_nano=_unix_nano(2025, 4, 1, 20))

    assert day is not None
    assert night is not None
    assert night < day


@pytest.mark.parametrize(
    ("model", "provider"),
    [
        ("anthropic.claude-3-5-sonnet-20240620-v1:0", "aws.bedrock"),
        ("us.anthropic.claude-3-5-sonnet-20241022-v2:0", None),
        ("bedrock/us.anthropic.claude-3-5-sonnet-20241022-v2:0", "litellm"),
        (
            "arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.anthropic.claude-3-5-sonnet-20241022-v2:0",
            "AWS",
        ),
        ("claude-3-5-sonnet-v2@20241022", "gcp.vertex_ai"),
        ("claude-3-5-sonnet-20241022", "vertex.anthropic.messages"),
        ("anthropic/claude-3.5-sonnet", "openrouter"),
        ("claude-3-5-sonnet-latest", "openai"),
    ],
)
def test_claude_wherever_it_is_sold(model: str, provider: str | None) -> None:
    """Sonnet 3.5 cost $3 and $15 per million at Anthropic, Bedrock, Vertex AI and OpenRouter."""
    assert _price(model, provider) == pytest.approx((1000 * 3 + 100 * 15) / MILLION)


@pytest.mark.parametrize(
    ("model", "provider"),
    [
        ("gpt-4o", "openai"),
        ("gpt-4o", "OpenAI"),
        ("gpt-4o", "openai.responses"),
        ("gpt-4o", "openai.chat"),
        ("gpt-4o", "ChatOpenAI"),
        ("gpt-4o", "az.ai.openai"),
        ("gpt-4o", "azure.ai.openai"),
        ("gpt-4o", "AzureChatOpenAI"),
        ("gpt-4o", None),
        ("gpt-4o", "microsoft.agent_framework"),
        ("gpt-4o", "anthropic"),
        ("GPT-4o", "openai"),
        ("gpt-4o-2024-08-06", "openai"),
        ("gpt-4o-20240806", "openai"),
        ("openai/gpt-4o", None),
        ("openai/gpt-4o", "litellm"),
        ("openai:gpt-4o", None),
        ("azure/gpt-4o", "openai"),
    ],
)
def test_one_model_under_many_names(model: str, provider: str | None) -> None:
    """GPT-4o costs $2.50 and $10 per million, at OpenAI and at Azure, however an emitter writes it."""
    assert _price(model, provider) == pytest.approx((1000 * 2.50 + 100 * 10) / MILLION)


@pytest.mark.parametrize(
    ("model", "provider", "usd"),
    [
        ("gemini-2.5-flash", "google.generative-ai", 0.30),
        ("models/gemini-2.5-flash", "gcp.gen_ai", 0.30),
        ("publishers/google/models/gemini-2.5-flash", "vertexai", 0.30),
        ("google-gla:gemini-2.5-flash", None, 0.30),
        ("mistral-large-2411", "mistral_ai", 2.00),
        ("mistral-large-2411", "openai", 2.00),
        ("llama-3.3-70b-versatile", "groq", 0.59),
        ("groq/llama-3.3-70b-versatile", None, 0.59),
        ("grok-3", "x_ai", 3.00),
        ("grok-3", "xai.chat", 3.00),
        ("command-r-plus-08-2024", "cohere", 2.50),
        ("text-embedding-3-small", "openai", 0.02),
    ],
)
def test_other_providers(model: str, provider: str | None, usd: float) -> None:
    """What a million tokens of input cost, at whoever sells the model."""
    assert _price(model, provider, input_tokens=MILLION, output_tokens=0) == pytest.approx(usd)


def test_a_fee_for_each_call_is_added() -> None:
    """Perplexity's Sonar costs $1 and $1 per million tokens, and $12 for a thousand calls."""
    assert _price("sonar", "perplexity") == pytest.approx((1000 * 1 + 100 * 1) / MILLION + 12 / 1000)


@pytest.mark.parametrize("model", ["ft:gpt-4o-mini-2024-07-18:org::id", "ft:gpt-4o-mini:org::id"])
def test_a_fine_tuned_model_has_a_price_of_its_own(model: str) -> None:
    """$0.30 and $1.20 per million, twice those of the model that it was made from."""
    assert _price(model, "openai") == pytest.approx((1000 * 0.30 + 100 * 1.20) / MILLION)


@pytest.mark.parametrize(
    ("model", "provider"),
    [
        ("llama3.2", "ollama"),
        ("ollama/llama3.2", None),
        ("ollama_chat/mistral-small-latest", "litellm"),
        ("hosted_vllm/gpt-4o", "openai"),
        ("gpt-4o", "lm_studio"),
        ("deepseek-r1:8b", "openai"),
        ("mistral-small:latest", "mistral_ai"),
        ("openai/gpt-oss-120b", "openai"),
        ("mistralai/Mistral-7B-Instruct-v0.3", "openai"),
        ("deepseek-ai/DeepSeek-V3", None),
        ("google/gemma-3-27b-it", "openai"),
    ],
)
def test_models_that_run_at_home_have_no_price(model: str, provider: str | None) -> None:
    """Nor have names of weights that many sell, if no seller is named: unknown is not zero."""
    assert _price(model, provider) is None


@pytest.mark.parametrize(
    ("model", "provider"),
    [
        (None, "openai"),
        ("", "openai"),
        ("gpt-none", "openai"),
        ("gpt-4o-2099-01-01", "openai"),
        ("ft:gpt-none:org::id", "openai"),
        ("my-deployment", "azure.ai.openai"),
        ("granite-3-8b-instruct", "ibm.watsonx.ai"),
        ("gpt-4o", "github_copilot"),
        ("whisper-1", "openai"),
        ("gpt-4o" + "o" * 200, "openai"),
        ("\x00/:\ud800", "\ud800"),
        ("/", "/"),
    ],
)
def test_an_unknown_price_is_none(model: str | None, provider: str | None) -> None:
    """No model, no such model, one that is not sold by the token, or a name that is none."""
    assert _price(model, provider) is None  # type: ignore[arg-type]


def test_without_tokens_the_cost_is_unknown() -> None:
    """A stream that ended without its usage was not free; nor is half of the tokens the whole."""
    assert _price("gpt-4o", "openai", input_tokens=None, output_tokens=None) is None
    assert _price("gpt-4o", "openai", input_tokens=0, output_tokens=0) is None
    assert _price("gpt-4o", "openai", output_tokens=None) is None
    assert _price("gpt-4o", "openai", input_tokens=None) is None
    assert _price("gpt-4o", "openai", output_tokens=0) is not None
    assert _price("text-embedding-3-small", "openai", output_tokens=None) == pytest.approx(1000 * 0.02 / MILLION)


def test_a_free_model_costs_nothing() -> None:
    """Zero is a price where the model's name says that it is free."""
    assert _price("deepseek/deepseek-r1:free", "openrouter") == 0.0


def test_tokens_beyond_those_they_should_be_part_of_come_on_top() -> None:
    """Older Anthropic instrumentors leave cached tokens out of the input, and some leave thoughts out of the output."""
    cached = _price("claude-3-5-haiku-latest", "anthropic", input_tokens=10, output_tokens=0, cache_read_tokens=3_000)
    thought = _price("gemini-2.5-flash", "gcp.gemini", input_tokens=0, output_tokens=10, reasoning_tokens=500)

    assert cached == pytest.approx((10 * 0.80 + 3_000 * 0.08) / MILLION)
    assert thought == pytest.approx(510 * 2.50 / MILLION)


_LISTED = [
    (provider.id, model.id)
    for provider in providers
    if provider.id in {"openai", "anthropic", "google", "mistral", "aws", "groq", "deepseek", "x-ai", "openrouter"}
    for model in provider.models
    if provider.find_model(model.id, all_providers=providers) is model
]
_counts = st.integers(0, 400_000)


@given(
    listed=st.sampled_from(_LISTED),
    parts=st.tuples(_counts, _counts, _counts, _counts, _counts).filter(any),
    day=st.dates(datetime(2024, 1, 1).date(), datetime(2027, 1, 1).date()),  # noqa: DTZ001 - only its day
    hour=st.integers(0, 23),
)
def test_prices_are_those_of_the_package(
    listed: tuple[str, str], parts: tuple[int, ...], day: datetime, hour: int
) -> None:
    """Its own, slower, sum is the same, for any model that both price by the token."""
    provider, model = listed
    fresh, read, write, spoken, thought = parts
    moment = datetime(day.year, day.month, day.day, hour, tzinfo=timezone.utc)
    counts = {"input_tokens": fresh + read + write, "output_tokens": spoken + thought,
              "cache_read_tokens": read, "cache_write_tokens": write}  # fmt: skip

    ours = price_usd(model, provider, **counts, reasoning_tokens=thought, at_unix_nano=int(moment.timestamp()) * 10**9)
    usage = Usage(**counts, output_reasoning_tokens=thought)
    theirs = calc_price(usage, model, provider_id=provider, genai_request_timestamp=moment)

    if ours is not None:
        assert ours == pytest.approx(float(theirs.total_price), rel=1e-9)


@given(model=st.text(max_size=200), provider=st.none() | st.text(max_size=200))
def test_any_names_are_harmless(model: str, provider: str | None) -> None:
    """Names come from whoever wrote the trace."""
    usd = _price(model, provider)

    assert usd is None or usd >= 0


@pytest.mark.parametrize("moment", [-1, 0, 2**63, 10**40])
def test_any_time_is_harmless(moment: int) -> None:
    """So do times; one out of range counts as the nearest in it."""
    assert _price("mistral-small-latest", "mistral", at_unix_nano=moment) is not None


def test_without_a_time_the_price_is_that_of_now() -> None:
    """A model of which the price changes has one at any time."""
    assert price_usd("mistral-small-latest", "mistral", input_tokens=1, output_tokens=1) is not None


def test_the_look_up_is_bounded() -> None:
    """However many models a trace names, only so many are remembered."""
    for number in range(1100):
        _price(f"no-such-model-{number}", None)

    assert prices._listing.cache_info().currsize <= 1024


def test_the_data_is_loaded_when_it_is_needed() -> None:
    """Neither the import of this module nor a call without a model loads the package, and nothing is ever fetched."""
    program = (
        "import sys, socket\n"
        "from otel_agenttrace.pipeline.usage import totals, usage_stage\n"
        "from otel_agenttrace.pipeline.prices import price_usd\n"
        "from otel_agenttrace.testing.spans import make_span\n"
        "usage_stage(make_span()), totals([make_span()])\n"
        "assert 'genai_prices' not in sys.modules\n"
        "def refuse(*args, **options): raise OSError('no network')\n"
        "socket.socket.connect = socket.getaddrinfo = refuse\n"
        "assert price_usd('gpt-4o', 'openai', input_tokens=1, output_tokens=1)\n"
        "assert 'genai_prices' in sys.modules\n"
    )

    subprocess.run([sys.executable, "-c", program], check=True)


def test_without_the_data_every_price_is_unknown(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """An installation that cannot import it loses the costs, and no span."""
    monkeypatch.setitem(sys.modules, "genai_prices.data", None)
    prices._lists.cache_clear()
    prices._listing.cache_clear()
    try:
        assert _price("gpt-4o", "openai") is None
        assert _price("gpt-4.1", "openai") is None
        assert len(caplog.records) == 1
    finally:
        prices._lists.cache_clear()
        prices._listing.cache_clear()
