"""Numbers with units, signs and currencies: the same amount in other words, and another amount in the same digits."""

from __future__ import annotations

import pytest

from otel_agenttrace.grounding import ground


@pytest.mark.parametrize(
    ("output", "source"),
    [
        ("The backoff starts at 200 seconds.", "The backoff starts at 200 ms."),
        ("Downtime was 30 minutes.", "Downtime was 30 seconds."),
        ("Downtime was 30 minutes.", "recovered, 30s downtime"),
        ("The file size is 1.5 GB.", '{"size_bytes": 1500000}'),
        ("It took 2500 seconds.", '{"duration_ms": 2500}'),
        ("It took 2500 seconds.", '{"duration": {"value": 2500, "unit": "ms"}}'),
        ("Casa Azul cost 110k.", '{"name": "Casa Azul", "price_eur": 110}'),
        ("The high is 2°C.", '{"max_c": -2}'),
        ("The high is 2 degrees Celsius.", '{"days": [{"max_c": -2}, {"max_c": -4}]}'),
        ("The profit was 5 million.", '{"profit": -5000000}'),
        ("It costs $89.", '{"amount": 8800, "unit": "cents"}'),
    ],
)
def test_the_same_digits_in_another_unit_are_another_amount(output: str, source: str) -> None:
    """A unit, scale or sign that the sources contradict makes a number unsupported."""
    (claim,) = ground(output, [source]).claims

    assert claim.reason == "unsupported_number"


@pytest.mark.parametrize(
    ("output", "source"),
    [
        ("The backoff starts at 0.2 seconds.", "The backoff starts at 200 ms."),
        ("The file size is 1.5 MB.", '{"size_bytes": 1500000}'),
        ("It took 2.5 seconds.", '{"duration_ms": 2500}'),
        ("It took 2500.", '{"duration_ms": 2500}'),
        ("It takes 30 minutes.", '{"minutes": 30}'),
        ("It is 400 m away.", '{"distance_km": 0.4}'),
        ("It is 400 meters away.", '{"distance_m": 400}'),
        ("It weighs 500 g.", '{"weight_kg": 0.5}'),
        ("The high is 34 °F.", '{"max_c": 1}'),
        ("The high is \u22122 °C.", '{"max_c": -2}'),
        ("Sales fell by 3 percent.", '{"change": -3}'),
        ("You spent $42.50 on coffee.", '{"merchant": "coffee", "amount": -42.5}'),
        ("It costs €89.00.", '{"amount": 8900, "unit": "cents"}'),
        ("It costs $20.", '{"unit_amount": 2000, "currency": "usd"}'),
        ("Sales were 400 m.", "Sales were 400 million."),
    ],
)
def test_the_same_amount_in_another_unit_is_supported(output: str, source: str) -> None:
    """Units are worked out; a number without one may be any, and some verbs say a sign themselves."""
    assert ground(output, [source]).unsupported == ()
