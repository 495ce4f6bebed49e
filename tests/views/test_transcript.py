"""Which parts of messages are new."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from otel_agenttrace.pipeline.messages import (
    Message,
    Part,
    ReasoningPart,
    Role,
    TextPart,
    ToolCallPart,
    ToolResultPart,
)
from otel_agenttrace.views.transcript import Transcript, count_parts


def words(role: Role, *texts: str) -> Message:
    """A message of words."""
    return Message(role, tuple(TextPart(text) for text in texts))


def call(id_: str, city: str) -> ToolCallPart:
    """A call of a tool."""
    return ToolCallPart(id_, "get_weather", {"city": city})


def new(transcript: Transcript, *messages: Message) -> list[Part]:
    """The new parts of some messages."""
    return [part for _, parts in transcript.take_new(messages) for part in parts]


def test_what_was_said_is_not_new() -> None:
    """A call that repeats the history says only what comes after it."""
    transcript = Transcript()
    first = words("user", "hello")

    assert new(transcript, first) == list(first.parts)
    transcript.add(words("assistant", "hi"))
    assert new(transcript, first, words("assistant", "hi"), words("user", "bye")) == [TextPart("bye")]


def test_the_same_words_may_be_said_twice() -> None:
    """Whoever says yes twice is shown to say it twice, and not a third time."""
    transcript = Transcript()
    yes, asked = words("user", "yes"), words("assistant", "sure?")

    assert new(transcript, yes) == [TextPart("yes")]
    transcript.add(asked)
    assert new(transcript, yes, asked, yes) == [TextPart("yes")]
    assert new(transcript, yes, asked, yes) == []


def test_the_form_of_a_message_does_not_matter() -> None:
    """One message comes back as two, without its reasoning, with other white space."""
    transcript = Transcript()
    new(transcript, words("user", "weather?"))
    transcript.add(Message("assistant", (ReasoningPart("hm"), TextPart("Let me\nsee."), call("a", "Oslo"))))

    again = (words("user", "weather?"), words("assistant", " Let me see. "), Message("assistant", (call("", "Oslo"),)))
    assert new(transcript, *again) == []


def test_a_call_is_known_by_its_id() -> None:
    """Arguments and results may be written in another form the second time."""
    transcript = Transcript()
    new(transcript, words("user", "weather?"))
    transcript.add(Message("assistant", (call("a", "Oslo"),)))
    rewritten = Message("assistant", (ToolCallPart("a", "get_weather", '{ "city": "Oslo" '),))
    result = Message("tool", (ToolResultPart("a", "", "rain"),))

    assert new(transcript, rewritten, result) == list(result.parts)
    assert new(transcript, rewritten, Message("tool", (ToolResultPart("a", "", ["rain"]),))) == []


def test_the_same_call_again_is_another_call() -> None:
    """A loop repeats tool and arguments; each time counts, also where no ids are told."""
    transcript = Transcript()
    new(transcript, words("user", "weather?"))
    asked = Message("assistant", (call("", "Oslo"),))
    result = Message("tool", (ToolResultPart("", "get_weather", "busy"),))
    transcript.add(asked)

    assert new(transcript, words("user", "weather?"), asked, result) == list(result.parts)
    transcript.add(asked)
    assert new(transcript, words("user", "weather?"), asked, result, asked, result) == list(result.parts)


def test_a_question_without_the_answers_so_far_begins_anew() -> None:
    """Somebody asks the same again: that is said again, but for the instructions."""
    transcript = Transcript()
    question = (words("system", "Be brief."), words("user", "weather?"))
    new(transcript, *question)

    assert new(transcript, *question) == []  # nobody has answered: a retry
    transcript.add(words("assistant", "rain"))
    assert new(transcript, *question) == [TextPart("weather?")]


def test_a_history_that_lost_its_answers_goes_on() -> None:
    """A tool's result shows that something was asked before, even where the emitter left it out."""
    transcript = Transcript()
    new(transcript, words("user", "weather?"))
    transcript.add(Message("assistant", (call("a", "Oslo"),)))
    result = Message("tool", (ToolResultPart("", "", "rain"),))

    assert new(transcript, words("user", "weather?"), result) == list(result.parts)


def test_a_conversation_is_part_of_one_that_goes_on_with_it() -> None:
    """Only if all of it is there, and there was an answer; instructions may differ."""
    transcript = Transcript()
    new(transcript, words("system", "Be brief."), words("user", "hello"))
    longer = [words("system", "Be kind."), words("user", "hello"), words("assistant", "hi"), words("user", "bye")]

    assert not transcript.is_part_of(count_parts(longer))
    transcript.add(words("assistant", "hi"))
    assert transcript.is_part_of(count_parts(longer))
    assert not transcript.is_part_of(count_parts(longer[:2]))
    assert transcript.copy().is_part_of(count_parts(longer))


_ROLES: st.SearchStrategy[Role] = st.sampled_from(["system", "user", "assistant", "tool"])
_MESSAGES = st.lists(st.builds(words, _ROLES, st.sampled_from("abc")), max_size=8)


@given(_MESSAGES, _MESSAGES)
def test_a_history_that_grows_is_told_once(history: list[Message], more: list[Message]) -> None:
    """Whatever is repeated, what is told in all is what was said."""
    transcript = Transcript()
    told = new(transcript, *history)
    answer = words("assistant", "the answer")
    transcript.add(answer)

    told += new(transcript, *history, answer, *more)

    assert told == [part for message in (*history, *more) for part in message.parts]
