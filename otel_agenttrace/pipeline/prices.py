"""What a call of a model costs at list price.

The prices are the data that the installed version of `genai-prices` (https://github.com/pydantic/genai-prices) brings
along; nothing is fetched. That package is imported when the first price is asked for: it loads an HTTP client that we
do not use, and half a megabyte of data, which those who only emit spans do not need.
"""

from __future__ import annotations

import logging
import time
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple, Protocol

from otel_agenttrace.pipeline.price_lists import places

if TYPE_CHECKING:
    from genai_prices.types import ModelInfo, ModelPrice, Provider, TieredPrices

_LOG = logging.getLogger(__name__)

_MAX_NAME_LENGTH = 128
"""Names come from whoever wrote the trace, and are matched against some thousand patterns."""

_DECIMALS = 12
"""One token costs some billionths of a dollar; what comes after them is the noise of binary fractions."""

_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_MAX_UNIX_NANO = 2**63 - 1


class _Condition(Protocol):
    def active(self, request_timestamp: datetime, /) -> bool: ...


class _Price(NamedTuple):
    """US dollars for a million tokens, by the size of the input.

    Attributes:
        tiers: (tokens, price) for inputs of more than so many tokens, largest first; whole calls change tier.
    """

    usd: float
    tiers: tuple[tuple[int, float], ...] = ()

    def at(self, input_tokens: int) -> float:
        return next((usd for start, usd in self.tiers if input_tokens > start), self.usd)


class _Rates(NamedTuple):
    """The prices of a model; None where there is none. What is not priced apart is priced as what it is part of."""

    input: _Price | None
    output: _Price | None
    cache_read: _Price | None
    cache_write: _Price | None
    reasoning: _Price | None
    usd_per_call: float


class _Listing(NamedTuple):
    """A model's prices over time: the last whose condition is met holds, else the first."""

    rates: tuple[tuple[_Condition | None, _Rates], ...]

    def at(self, unix_nano: int | None) -> _Rates:
        if len(self.rates) > 1:
            moment = _moment(time.time_ns() if unix_nano is None else unix_nano)
            for condition, rates in reversed(self.rates):
                if condition is None or condition.active(moment):
                    return rates
        return self.rates[0][1]


_FREE = _Listing(((None, _Rates(_Price(0.0), _Price(0.0), None, None, None, 0.0)),))
"""Said by a model's name; the data has no prices for these, as it has none for some that do cost something."""


def price_usd(
    model: str | None,
    provider: str | None,
    *,
    input_tokens: int | None,
    output_tokens: int | None,
    cache_read_tokens: int | None = None,
    cache_write_tokens: int | None = None,
    reasoning_tokens: int | None = None,
    at_unix_nano: int | None = None,
) -> float | None:
    """Return what a call costs in US dollars, None if that is unknown: no price, or no tokens.

    Only tokens are priced, and the fee for a call where there is one. What else a provider may charge for (searches,
    storage), and discounts (batches, contracts), no span tells of.

    Args:
        model: as the emitter names it.
        provider: as the emitter names it; without it, or where it does not sell the model, the model's maker.
        input_tokens: all of them, cached ones too. Where the cached ones are more, they come on top.
        output_tokens: all of them, those of reasoning too; as above. None for what has no output, as embeddings.
        cache_read_tokens: read from the provider's cache.
        cache_write_tokens: written to it; priced as the provider's default lifetime.
        reasoning_tokens: spent on thoughts; priced as output where they have no price of their own.
        at_unix_nano: when the call was made, in nanoseconds since the Unix epoch; now if not given.
    """
    read, write, thought = cache_read_tokens or 0, cache_write_tokens or 0, reasoning_tokens or 0
    if not model or input_tokens is None or not (input_tokens or output_tokens or read or write):
        return None
    listing = _listing(model[: _MAX_NAME_LENGTH + 1], (provider or "")[:_MAX_NAME_LENGTH])
    rates = None if listing is None else listing.at(at_unix_nano)
    if rates is None or (output_tokens is None and rates.output is not None):
        return None
    taken_in = input_tokens + read + write if read + write > input_tokens else input_tokens
    given_out = output_tokens or 0
    parts = (
        (taken_in - read - write, rates.input),
        (read, rates.cache_read or rates.input),
        (write, rates.cache_write or rates.input),
        (given_out if thought > given_out else given_out - thought, rates.output),
        (thought, rates.reasoning or rates.output),
    )
    usd = _sum(parts, taken_in)
    return None if usd is None else round(usd + rates.usd_per_call, _DECIMALS)


def _sum(parts: tuple[tuple[int, _Price | None], ...], input_tokens: int) -> float | None:
    millionths = 0.0
    for tokens, price in parts:
        if tokens:
            if price is None:
                return None
            millionths += tokens * (price.at(input_tokens) if price.tiers else price.usd)
    return millionths / 1e6


# Spans repeat their models, and to find one takes up to a millisecond.
@lru_cache(maxsize=1024)
def _listing(model: str, provider: str) -> _Listing | None:
    if len(model) > _MAX_NAME_LENGTH:
        return None
    lists = _lists()
    for list_id, name in dict.fromkeys(places(model.strip().lower(), provider.strip().lower())):
        found = _in_list(lists, list_id, name)
        if found is not None:
            return _read(found)
    return None


@lru_cache(maxsize=1)
def _lists() -> dict[str, Provider]:
    try:
        from genai_prices.data import providers  # noqa: PLC0415 - takes 150 ms
    except Exception as error:  # noqa: BLE001 - without prices, costs are unknown; that must not cost any span
        _LOG.warning("no prices: genai-prices cannot be imported: %s", error)
        return {}
    return {provider.id: provider for provider in providers}


def _in_list(lists: dict[str, Provider], list_id: str, name: str) -> ModelInfo | None:
    provider = lists.get(list_id)
    if provider is None:
        return None
    found = provider.find_model(name, all_providers=list(lists.values()))
    # Of fine-tuned models the list has the dated names only, while its ids are the short ones.
    return found or next((model for model in provider.models if name.startswith("ft:") and model.id == name), None)


def _read(model: ModelInfo) -> _Listing | None:
    if model.id.endswith(":free"):
        return _FREE
    if not isinstance(model.prices, list):
        return _Listing(((None, _rates(model.prices)),))
    rates = tuple((price.constraint, _rates(price.prices)) for price in model.prices)
    return _Listing(rates) if rates else None


def _rates(prices: ModelPrice) -> _Rates:
    per_thousand_calls = _price(prices.requests_kcount)
    return _Rates(
        _price(prices.input_mtok),
        _price(prices.output_mtok),
        _price(prices.cache_read_mtok),
        _price(prices.cache_write_mtok),
        _price(prices.output_reasoning_mtok),
        0.0 if per_thousand_calls is None else per_thousand_calls.usd / 1e3,
    )


def _price(price: Decimal | TieredPrices | None) -> _Price | None:
    if price is None or isinstance(price, Decimal):
        return None if price is None else _Price(float(price))
    return _Price(float(price.base), tuple((tier.start, float(tier.price)) for tier in reversed(price.tiers)))


def _moment(unix_nano: int) -> datetime:
    return _EPOCH + timedelta(microseconds=min(max(unix_nano, 0), _MAX_UNIX_NANO) // 1000)
