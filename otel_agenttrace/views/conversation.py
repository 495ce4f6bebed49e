"""A trace as conversations: one for each run of an agent, what was said in order of time, each message once."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass, field
from heapq import heappop, heappush
from typing import TYPE_CHECKING, TypeAlias

from otel_agenttrace.pipeline.messages import Message, TextPart, ToolCallPart, ToolResultPart
from otel_agenttrace.views.runs import find_runs
from otel_agenttrace.views.text import to_json
from otel_agenttrace.views.tool_uses import ToolUse, ToolUses
from otel_agenttrace.views.transcript import Transcript, count_parts

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from otel_agenttrace.pipeline.messages import MediaPart, Part, ReasoningPart
    from otel_agenttrace.views.rows import Row, TraceRows
    from otel_agenttrace.views.runs import Run, Step

_MOST_LOOKED_BACK = 100
"""Conversations of which one may go on; traces have thousands."""


Piece: TypeAlias = "TextPart | ReasoningPart | MediaPart | ToolUse"


@dataclass(frozen=True, slots=True)
class Utterance:
    """What somebody said at one time.

    Attributes:
        role: of the speaker; `input` and `output` of what is neither a model nor an agent.
        pieces: a call of a tool comes with its result.
        failed: the model call that failed, instead of answering or with what it said.
    """

    role: str
    pieces: tuple[Piece, ...]
    name: str = ""
    finish_reason: str = ""
    failed: Row | None = None


@dataclass(slots=True, eq=False)
class Conversation:
    """One run of an agent, or of a tool that calls models itself.

    Attributes:
        title: the agent's name, else the span's.
        continues: the conversation whose history this one begins with.
    """

    title: str
    continues: Conversation | None = None
    utterances: list[Utterance] = field(default_factory=list)
    transcript: Transcript = field(default_factory=Transcript, repr=False)
    uses: ToolUses = field(default_factory=ToolUses, repr=False)


def find_conversations(rows: TraceRows) -> list[Conversation]:
    """Return the conversations of a trace in which anything was said, by their start.

    What models were given and answered is their content. Where no span of a model call has any, the inputs and
    outputs of the agent and its tools stand in for it.
    """
    found: list[Conversation] = []
    for run in find_runs(rows):
        conversation = _begin(run, found)
        _tell(conversation, run)
        if conversation.utterances and conversation not in found:
            found.append(conversation)
    return found


def _begin(run: Run, earlier: Sequence[Conversation]) -> Conversation:
    """The conversation of a run: a new one, or one of its agent that it goes on with."""
    own = run.owner.said.input_messages if run.stands_in_for_input else ()
    given = count_parts(own or next((step.given for step in run.steps if step.given), ()))
    before = next((each for each in reversed(earlier[-_MOST_LOOKED_BACK:]) if each.transcript.is_part_of(given)), None)
    if before is None:
        return Conversation(run.title)
    if before.title == run.title:
        return before
    return Conversation(run.title, before, transcript=before.transcript.copy(), uses=before.uses.copy())


def _tell(conversation: Conversation, run: Run) -> None:
    if run.stands_in_for_input:
        _add_owner(conversation, run, "input")
    for step, is_end in _in_order(run.steps):
        if step.is_tool_use:
            _use(conversation, step.row)
            continue
        if not is_end:
            _hear(conversation, step.given)
        if is_end is not False:
            _answer(conversation, step)
    if run.stands_in_for_output:
        _add_owner(conversation, run, "output")


def _in_order(steps: Sequence[Step]) -> Iterator[tuple[Step, bool | None]]:
    """The steps, each as a whole (None); a model call that used tools by itself as its beginning and its end."""
    tool_starts = [step.start for step in steps if step.is_tool_use]
    waiting: list[tuple[int, int]] = []  # a heap
    for index, step in enumerate(steps):
        while waiting and waiting[0][0] <= step.start:
            yield steps[heappop(waiting)[1]], True
        if step.is_tool_use or not _uses_tools(step, tool_starts):
            yield step, None
        else:
            yield step, False
            heappush(waiting, (step.end, index))
    yield from ((steps[index], True) for _, index in sorted(waiting))


def _uses_tools(step: Step, tool_starts: Sequence[int]) -> bool:
    """Whether tools were called before the call had its answer, which asks for none."""
    first = bisect_left(tool_starts, step.start)
    is_within = first < len(tool_starts) and tool_starts[first] < step.end
    return is_within and not any(message.tool_calls for message in step.answered)


def _answer(conversation: Conversation, step: Step) -> None:
    reason = "".join(step.row.said.finish_reasons[:1]) if len(step.answered) == 1 else ""
    failed = step.row if step.row.mark and not _is_told(conversation, step.row) else None
    for message in step.answered:
        conversation.transcript.add(message)
        pieces = tuple(_pieces(conversation, message.parts, is_new=True))
        told = failed if message is step.answered[-1] else None
        conversation.utterances.append(
            Utterance(message.role, pieces, message.name, message.finish_reason or reason, told)
        )
    if failed is not None and not step.answered:
        conversation.utterances.append(Utterance("assistant", (), failed=failed))


def _is_told(conversation: Conversation, failed: Row) -> bool:
    last = conversation.utterances[-1].failed if conversation.utterances else None
    return last is not None and last.failure is failed.failure


def _hear(conversation: Conversation, messages: Sequence[Message]) -> None:
    """Add what is new in messages. What tools answered goes to their calls."""
    for message, parts in conversation.transcript.take_new(messages):
        pieces = tuple(_pieces(conversation, parts))
        if pieces:
            conversation.utterances.append(Utterance(message.role, pieces, message.name))


def _pieces(conversation: Conversation, parts: Iterable[Part], *, is_new: bool = False) -> Iterator[Piece]:
    """The parts, with a use for each call that is not there already, and each result with its call."""
    for part in parts:
        if isinstance(part, ToolCallPart):
            piece: Piece | None = conversation.uses.ask(part, is_new=is_new)
        elif isinstance(part, ToolResultPart):
            piece = conversation.uses.tell(part)
        else:
            piece = part
        if piece is not None:
            yield piece


def _use(conversation: Conversation, row: Row) -> None:
    use = conversation.uses.run(row)
    if use is not None:
        conversation.utterances.append(Utterance("tool", (use,)))


def _add_owner(conversation: Conversation, run: Run, side: str) -> None:
    """What went into or came out of the run as a whole."""
    said = run.owner.said
    messages = said.input_messages if side == "input" else said.output_messages
    _hear(conversation, messages)
    value = None if messages else said.input if side == "input" else said.output
    if value is not None and not conversation.uses.has_arguments(value):
        roles = {"input": "user", "output": "assistant"} if run.is_agent else {}
        text = value if isinstance(value, str) else to_json(value)
        conversation.utterances.append(Utterance(roles.get(side, side), (TextPart(text),)))
