"""Agents that go in circles: the same call again and again, the same round of steps, ever longer inputs."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import orjson

from otel_agenttrace.model.plain import plain_value
from otel_agenttrace.pipeline.flag import Flag

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from otel_agenttrace.model.record import AnyValue, Attributes
    from otel_agenttrace.pipeline.steps import Step

MIN_REPEATS = 3
"""So many equal calls, or rounds of equal calls, one after the other are a loop."""

_MAX_PERIOD = 6
"""Steps that a round may have."""

_MIN_BURN_CALLS = 8
_MIN_BURN_GROWTH = 4
_MIN_BURN_TOKENS = 50_000
"""Tokens burn where so many calls of one agent have an input so many times as long as its first, and so many in all."""

_MAX_NAMED_SPANS = 20


def tool_loops(steps: Sequence[Step]) -> Iterator[Flag]:
    """The same tool with the same arguments and the same result, again and again: polling gets other results."""
    runs: dict[tuple[str, str], list[Step]] = {}
    for step in steps:
        if step.said.is_tool_call and step.said.tool_name and step.said.input is not None:
            key = step.said.tool_name, _digest([step.said.input])
            run = runs.setdefault(key, [])
            if run and _result_of(run[-1]) != _result_of(step):
                run.clear()  # what was waited for has come
            run.append(step)
    for run in runs.values():
        yield from _tool_loop(run)


def _tool_loop(run: Sequence[Step]) -> Iterator[Flag]:
    if len(run) < MIN_REPEATS:
        return
    name = run[-1].said.tool_name
    told = "" if run[-1].said.output is None else " and the same result"
    message = f"{name} was called {len(run)} times with the same arguments{told}"
    evidence: Attributes = {"tool": name, "arguments": plain_value(run[-1].said.input), "count": len(run)}
    yield Flag("tool_loop", run[-1].span.span_id, message, {**evidence, **_named(run)})


def no_progress(steps: Sequence[Step]) -> Iterator[Flag]:
    """Rounds of steps that are the same each time; of models only what they answered is compared."""
    told = [(step, signature) for step in steps if (signature := _signature(step)) is not None]
    signatures = [signature for _, signature in told]
    for period in range(1, _MAX_PERIOD + 1):
        end, length = _longest_repetition(signatures, period)
        if length >= period * MIN_REPEATS:
            rounds = length // period
            run = [step for step, _ in told[end - length : end]]
            if period == 1 and run[-1].said.is_tool_call:
                continue  # a loop, or polling: see `tool_loops`
            what = "the same step" if period == 1 else f"the same {period} steps"
            message = f"the agent took {what} {rounds} times in a row"
            yield Flag("no_progress", run[-1].span.span_id, message, {"rounds": rounds, "steps": period, **_named(run)})
            return


def _longest_repetition(signatures: Sequence[str], period: int) -> tuple[int, int]:
    """Where the longest stretch that repeats with a period ends, and how long it is, in steps."""
    best, length = (0, 0), period
    for index in range(period, len(signatures)):
        length = length + 1 if signatures[index] == signatures[index - period] else period
        if length > best[1]:
            best = index + 1, length
    return best


def token_burn(steps: Sequence[Step]) -> Iterator[Flag]:
    """Calls whose input grows and grows, as each holds all that was said before."""
    calls = [step for step in steps if step.said.is_model_call and step.said.input_tokens]
    inputs = [step.said.input_tokens or 0 for step in calls]
    if len(inputs) < _MIN_BURN_CALLS or sum(inputs) < _MIN_BURN_TOKENS or max(inputs) < _MIN_BURN_GROWTH * inputs[0]:
        return
    message = f"{len(calls)} model calls read {sum(inputs)} tokens: the input grew from {inputs[0]} to {max(inputs)}"
    evidence: Attributes = {
        "count": len(calls),
        "first_input_tokens": inputs[0],
        "most_input_tokens": max(inputs),
        "total_input_tokens": sum(inputs),
    }
    yield Flag("token_burn", calls[-1].span.span_id, message, evidence)


def _signature(step: Step) -> str | None:
    """What a step did, None where that was not recorded. The ids of calls differ each time, and count for nothing."""
    said = step.said
    if said.is_tool_call:
        return None if said.input is None else _digest([said.tool_name, said.input, _result_of(step)])
    if not said.output_messages:
        return None
    answered: list[object] = []
    for message in said.output_messages:
        calls = [{"name": call.name, "arguments": call.arguments} for call in message.tool_calls]
        answered.append([message.text, calls])
    return _digest(answered)


def _result_of(step: Step) -> str:
    output = step.said.output
    return _digest([step.span.status_message if output is None else output])


def _digest(value: list[object]) -> str:
    plain: AnyValue = plain_value(value)  # type: ignore[arg-type]
    options = orjson.OPT_SORT_KEYS | orjson.OPT_NON_STR_KEYS
    try:
        return hashlib.sha256(orjson.dumps(plain, default=str, option=options)).hexdigest()
    except TypeError:  # nested too deep
        return repr(type(plain))


def _named(run: Sequence[Step]) -> Attributes:
    return {"span_ids": [step.span.span_id for step in run[:_MAX_NAMED_SPANS]]}
