"""What the sources speak against, and what only looks as if they did."""

from __future__ import annotations

import pytest

from otel_agenttrace.grounding import ground

CLIENT = (
    "The backoff starts at 200 ms. Requests that fail with HTTP 429 are retried after the Retry-After header. "
    "The client does not retry POST requests unless they carry an idempotency key."
)
MEETINGS = '[{"title": "Standup", "start": "09:00"}, {"title": "Budget review", "start": "14:00"}]'
FLIGHT = '{"from": "CPH", "to": "OSL"}'
FAILED = '{"errors": [{"code": 17, "text": "disk full"}]}'


@pytest.mark.parametrize(
    ("output", "source"),
    [
        ("Requests that fail with HTTP 429 are not retried.", CLIENT),
        ("The client retries POST requests.", CLIENT),
        ("The client retries POST requests automatically.", CLIENT),
        ("The order was rejected.", '{"order": 7, "status": "approved"}'),
        ("Order rejected.", '{"status": "approved"}'),
        ("The build failed.", '{"status": "success"}'),
        ("There are no errors.", FAILED),
        ("No errors were found.", FAILED),
        ("There were no errors.", '{"error_count": 3}'),
        ("Standup starts at 2 PM.", MEETINGS),
        ("The flight departs from OSL.", FLIGHT),
    ],
)
def test_the_opposite_of_what_the_sources_say_is_a_contradiction(output: str, source: str) -> None:
    """However short a claim is, and whatever else the sources say with the same words."""
    (claim,) = ground(output, [source]).claims

    assert claim.reason == "contradiction"


@pytest.mark.parametrize(
    ("output", "source"),
    [
        ("The client only retries POST requests with an idempotency key.", CLIENT),
        ("POST requests with an idempotency key are retried by the client.", CLIENT),
        ("POST is retried only with an idempotency key.", "POST is not retried without an idempotency key."),
        ("The order was not rejected.", '{"status": "approved"}'),
        ("The order was approved.", '{"status": "approved"}'),
        ("The first order was rejected.", '[{"status": "approved"}, {"status": "rejected"}]'),
        ("There are no errors.", '{"errors": []}'),
        ("There are no errors.", '{"error_count": 0}'),
        ("There are no errors in the second file.", FAILED),
        ("Standup starts at 9 AM.", MEETINGS),
        ("Standup is at 9:00, the Budget review at 14:00.", MEETINGS),
        ("The flight departs from CPH.", FLIGHT),
        ("No hotels were found.", '[{"hotels": []}, {"hotels": [{"name": "Casa Azul"}]}]'),
    ],
)
def test_a_condition_or_another_matter_is_no_contradiction(output: str, source: str) -> None:
    """`Only with` and `not without` say the same; what one of several records says, the others may not."""
    assert ground(output, [source]).unsupported == ()
