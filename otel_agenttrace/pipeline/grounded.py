"""Whether the answer of a trace says only what its tools, its documents and its inputs say.

What is compared is text, see `otel_agenttrace.grounding`; here it is chosen: the last answer of the outermost agent,
and what it could have known. A trace that looked nothing up and was given no document has nothing to be held against.

Facts are judged: numbers, dates, URLs, quotations, names, and what contradicts the sources. Agents also explain,
comment and joke, so a statement that merely goes beyond the sources says nothing against an agent; nor does one of what
it could not find or is going to do. A checker that was plugged in decides for itself what counts.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from otel_agenttrace.grounding import GroundingReport, ground
from otel_agenttrace.model.times import to_rfc3339
from otel_agenttrace.pipeline.answers import is_refusal
from otel_agenttrace.pipeline.canonical import canonical
from otel_agenttrace.pipeline.failures import classify
from otel_agenttrace.pipeline.json_prose import as_prose
from otel_agenttrace.pipeline.message_parts import as_text
from otel_agenttrace.pipeline.steps import steps_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from otel_agenttrace.grounding import Claim, GroundingChecker
    from otel_agenttrace.model.record import SpanRecord
    from otel_agenttrace.model.tree import SpanTree
    from otel_agenttrace.pipeline.canonical import Canonical
    from otel_agenttrace.pipeline.messages import Message
    from otel_agenttrace.pipeline.steps import Step

_MIN_DOCUMENT_WORDS = 60
"""An input of so many words is a document that an answer can be held against, and no mere question."""

_MAX_OUTPUT = 100_000
"""Characters of an answer that are looked at; the judgement says so when there are more."""

_MAX_SOURCES = 4_000_000
"""Characters of sources in all. Beyond them nothing is judged: what is cut off cannot support anything."""

_MAX_ARGUMENT = 60
"""Characters of an argument that a tool was called with: a city or a date, not a report that the model wrote."""

_NO_CLAIM = re.compile(
    r"(?:unfortunately,? |sorry,? |however,? )*(?:i(?:'m| am) (?:not able|unable|sorry|afraid|going to)"
    r"|i (?:could not|couldn't|cannot|can't|was unable|was not able|wasn't able|did(?: not|n't) find|will|do not|don't)"
    r"|i'll|we'll)\b",
    re.IGNORECASE,
)

_FINAL_TOOLS = re.compile(r"(?:final|submit)_?(?:answer|output|result|response)", re.IGNORECASE)
"""Some frameworks have the model hand in its answer by calling a tool."""

_WORD = re.compile(r"\w+")
_ECHO = 0.9


@dataclass(frozen=True, slots=True)
class Judgement:
    """What came of holding an output against its sources.

    Attributes:
        origin: the span whose output it is.
        is_partial: only the beginning of the output was looked at.
    """

    report: GroundingReport
    origin: SpanRecord
    is_partial: bool = False


def judge_output(tree: SpanTree, checker: GroundingChecker = ground) -> Judgement | None:
    """Hold the final answer of a trace against all that its agents were given and looked up.

    Args:
        tree: the trace.
        checker: what compares; it must be a function of its arguments alone.

    Returns:
        None where the trace has no answer in words but a refusal, or nothing to hold it against, or too much.
    """
    steps = steps_of(tree)
    answer = _final_answer(tree, steps) if tree.nodes else None
    if answer is None:
        return None
    output, origin = answer
    evidence = _distinct(_evidence(steps))
    given = _distinct(_given(tree, steps))
    if not evidence and not any(len(_WORD.findall(text)) >= _MIN_DOCUMENT_WORDS for text in given):
        return None
    sources = [*evidence, *given, *_distinct(_done(steps)), _today(tree)]
    if is_refusal(output) or sum(map(len, sources)) > _MAX_SOURCES:
        return None
    report = checker(as_prose(output[:_MAX_OUTPUT], sources), sources)
    if checker is ground:
        report = GroundingReport.of([claim for claim in report.claims if _is_fact(claim)])
    return Judgement(report, origin, is_partial=len(output) > _MAX_OUTPUT)


def _is_fact(claim: Claim) -> bool:
    if claim.is_supported:
        return True
    text = claim.text.replace("\N{RIGHT SINGLE QUOTATION MARK}", "'")
    return claim.reason != "unsupported_statement" and _NO_CLAIM.match(text) is None


def _final_answer(tree: SpanTree, steps: Sequence[Step]) -> tuple[str, SpanRecord] | None:
    """The last words of the outermost agent, and the span that has them: the call of the model, where one has."""
    root = canonical(tree.root.record)
    said = "" if root.is_tool_call else _text_of(root.output_messages)
    calls = [step for step in steps if step.said.is_model_call and step.span.end_time_unix_nano is not None]
    for step in sorted(_of_the_run(calls), key=lambda step: step.span.end_time_unix_nano or 0, reverse=True):
        text = _text_of(step.said.output_messages) or _handed_in(step.said.output_messages)
        if text and text == (said or text):
            return text, step.span
    return (said, tree.root.record) if said else None


def _of_the_run(calls: Sequence[Step]) -> list[Step]:
    """The calls without those that were asked something else: for a title, a follow-up, whether the answer is safe."""
    questions = [[message.text for message in step.said.input_messages if message.role == "user"] for step in calls]
    first = next((asked[0] for asked in questions if asked), None)
    return [step for step, asked in zip(calls, questions, strict=True) if not asked or first in asked]


def _handed_in(messages: Iterable[Message]) -> str:
    calls = [call for message in messages for call in message.tool_calls if _FINAL_TOOLS.fullmatch(call.name)]
    return "\n".join(_words_in(call.arguments) for call in calls)


def _words_in(arguments: Any) -> str:
    """The words of an answer that is handed in, without the names of its fields."""
    if isinstance(arguments, dict):
        return "\n".join(filter(None, map(_words_in, arguments.values())))
    return arguments if isinstance(arguments, str) else ""


def _evidence(steps: Sequence[Step]) -> Iterator[str]:
    """What tools and look-ups gave, but not what a model had told them, be it one of their own."""
    known = _answered_by_spans(steps)
    of_models = {above for step in steps if step.said.is_model_call for above in step.node.ancestors()}
    for step in steps:
        if step.said.is_tool_call:
            result, arguments = _plain(step.said.output), _plain(step.said.input)
            if step.node not in of_models and not classify(step.span) and not _is_echo(result, arguments):
                yield result
        else:
            yield from _told_results(step.said.input_messages, known)


def _answered_by_spans(steps: Iterable[Step]) -> frozenset[str]:
    """The ids of calls whose tools have spans of their own, which tell more than a message does."""
    return frozenset(step.said.tool_call_id for step in steps if step.said.is_tool_call and step.said.tool_call_id)


def _told_results(messages: Iterable[Message], known: frozenset[str]) -> Iterator[str]:
    """What messages say that tools gave, where there is no span of the tool; what they were asked stands beside it."""
    asked = {call.id: _plain(call.arguments) for message in messages for call in message.tool_calls}
    for message in messages:
        for part in message.tool_results:
            result = _plain(part.result)
            if part.id not in known and not _is_echo(result, asked.get(part.id, "")):
                yield result


def _done(steps: Iterable[Step]) -> Iterator[str]:
    """What tools were asked for and did: an agent may say that it booked what it had booked."""
    for step in steps:
        if step.said.is_tool_call and not _FINAL_TOOLS.fullmatch(step.said.tool_name or "") and not classify(step.span):
            yield "\n".join(f"{name}: {value}" for name, value in _short_values(step.said.input))


def _short_values(arguments: Any) -> Iterator[tuple[str, str]]:
    for name, value in arguments.items() if isinstance(arguments, dict) else ():
        values = value if isinstance(value, list) else [value]
        texts = [str(item) for item in values if isinstance(item, (str, int, float))]
        yield from ((str(name), text) for text in texts if len(text) <= _MAX_ARGUMENT)


def _given(tree: SpanTree, steps: Iterable[Step]) -> Iterator[str]:
    """What the agents were told, errors too, and documents that were looked up by something that is no tool."""
    for node in tree.nodes:
        said = canonical(node.record)
        if said.operation == "retrieval":
            yield _plain(said.output)
        elif not said.is_model_call and not said.is_tool_call:
            yield from _told(said)
    for step in steps:
        yield from _told(step.said) if step.said.is_model_call else ()
        failure = classify(step.span)
        yield from (failure.text, _plain(step.said.output)) if failure else ()
        yield step.said.tool_name or ""


def _told(said: Canonical) -> Iterator[str]:
    messages = said.input_messages
    if not messages:
        yield _plain(said.input)
    yield from (message.text for message in messages if message.role in ("system", "user"))


def _is_echo(result: str, arguments: str) -> bool:
    words, known = _WORD.findall(result), set(_WORD.findall(arguments))
    return len(words) > len(known) / 2 and sum(word in known for word in words) >= _ECHO * len(words) > 1


def _today(tree: SpanTree) -> str:
    """Agents know the day: from their instructions, or from the clock."""
    return to_rfc3339(tree.root.record.start_time_unix_nano)[:10]


def _distinct(texts: Iterable[str]) -> list[str]:
    return [text for text in dict.fromkeys(texts) if text.strip()]


def _text_of(messages: Iterable[Message]) -> str:
    return "\n".join(filter(None, (message.text for message in messages if message.role == "assistant"))).strip()


def _plain(value: Any) -> str:
    return "" if value is None else value if isinstance(value, str) else as_text(value)
