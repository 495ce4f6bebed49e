"""Where in the code a span was started and its contract attributes were set.

OpenTelemetry keeps no such thing. So while a span is open, its `set_attribute` and `set_attributes` are covered, on
this one instance, by functions that note the caller: its code object and the offset in it, two words. Lines are worked
out only when a violation asks for one. When the span ends it gets its own methods back. One that never ends is not
kept alive, and what was noted of it is bounded.

Giving the span a subclass instead would leave its instance alone, but CPython looks methods up more slowly on an object
whose class was changed: 0.2 microseconds at every attribute of every span, against 0.05 for covering.
"""

from __future__ import annotations

import sys
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any
from weakref import ref

from opentelemetry.sdk.trace import Tracer

from otel_agenttrace.instrument.faults import note_fault
from otel_agenttrace.processors.origins import CodeLocation

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import CodeType, FrameType

    from opentelemetry.sdk.trace import ReadableSpan, Span

    _Note = tuple[CodeType, int]

MAX_OPEN_SPANS = 10_000

_MAX_NAMES = 4096
_MAX_NAME_CHARS = 256
_MAX_FILES = 4096

_get_frame = sys._getframe  # noqa: SLF001 - the one way to a caller that costs no traceback

_START_SPAN = Tracer.start_span.__code__


class Locations:
    """What was noted of one span: where it was started, and where each attribute was last set."""

    __slots__ = ("covered", "notes", "start")

    def __init__(self, start: _Note | None, notes: dict[str, _Note], covered: ref[Span] | None) -> None:
        self.start = start
        self.notes = notes
        self.covered = covered

    def of(self, attribute: str) -> CodeLocation | None:
        """Where the attribute was last set, else where the span was started; None if neither was seen."""
        note = self.notes.get(attribute, self.start)
        return None if note is None else resolve(*note)


NO_LOCATIONS = Locations(None, {}, None)
"""Of a span whose start was not seen, or was forgotten."""


class OpenSpans:
    """Notes code locations between the start and the end of spans. Never raises; may be used from several threads.

    Args:
        is_subject: whether an attribute of this name is worth a note.
        max_open: how many open spans are followed at once; beyond that, the older half is forgotten.

    Attributes:
        forgotten: how many spans were forgotten so far; their violations carry no location.
    """

    def __init__(self, is_subject: Callable[[str], bool], max_open: int = MAX_OPEN_SPANS) -> None:
        self.forgotten = 0
        self._subjects = _Subjects(is_subject)
        self._max_open = max_open
        self._open: dict[tuple[int, int], Locations] = {}

    def start(self, span: Span) -> None:
        """Follow a span; to be called in `on_start`."""
        try:
            notes: dict[str, _Note] = {}
            if len(self._open) >= self._max_open:
                self._forget_older_half()
            context = span.context
            self._open[context.trace_id, context.span_id] = Locations(_note_start(_get_frame(1)), notes, ref(span))
            span.set_attribute = partial(  # type: ignore[method-assign]
                _set_attribute, span.set_attribute, self._subjects, notes
            )
            span.set_attributes = partial(  # type: ignore[method-assign]
                _set_attributes, span.set_attributes, self._subjects, notes
            )
        except Exception:  # noqa: BLE001 - telemetry never breaks the agent
            note_fault("note code locations")

    def end(self, span: ReadableSpan) -> Locations:
        """Stop following a span, and give what was noted of it; to be called in `on_end`."""
        if not self._open:
            return NO_LOCATIONS
        context = span.context
        locations = None if context is None else self._open.pop((context.trace_id, context.span_id), None)
        if locations is None:
            return NO_LOCATIONS
        _uncover(locations)
        return locations

    def peek(self, span: ReadableSpan) -> Locations:
        """What has been noted of a span that is still open."""
        context = span.context
        return NO_LOCATIONS if context is None else self._open.get((context.trace_id, context.span_id), NO_LOCATIONS)

    def _forget_older_half(self) -> None:
        for key in list(self._open)[: self._max_open // 2 + 1]:
            locations = self._open.pop(key, None)
            if locations is not None:
                _uncover(locations)
                self.forgotten += 1


class _Subjects(dict[str, bool]):
    """Which attribute names are worth a note, worked out once for each; names beyond a bound are not."""

    __slots__ = ("_is_subject",)

    def __init__(self, is_subject: Callable[[str], bool]) -> None:
        super().__init__()
        self._is_subject = is_subject

    def __missing__(self, name: str) -> bool:
        if not isinstance(name, str) or len(name) > _MAX_NAME_CHARS or len(self) >= _MAX_NAMES:
            return False
        self[name] = is_subject = self._is_subject(name)
        return is_subject


def _set_attribute(
    own: Callable[[str, Any], None], subjects: _Subjects, notes: dict[str, _Note], /, key: str, value: Any
) -> None:
    own(key, value)
    try:
        if subjects[key]:
            frame = _get_frame(1)
            code = frame.f_code
            if not _is_machinery.get(code.co_filename, True):
                notes[key] = code, frame.f_lasti
            elif (note := _note(frame)) is not None:
                notes[key] = note
    except Exception:  # noqa: BLE001 - telemetry never breaks the agent
        note_fault("note a code location")


def _set_attributes(
    own: Callable[[Mapping[str, Any]], None],
    subjects: _Subjects,
    notes: dict[str, _Note],
    /,
    attributes: Mapping[str, Any],
) -> None:
    own(attributes)
    try:
        names = [key for key in attributes if subjects[key]]
        if names and (note := _note(_get_frame(1))) is not None:
            notes.update(dict.fromkeys(names, note))
    except Exception:  # noqa: BLE001 - telemetry never breaks the agent
        note_fault("note a code location")


def _uncover(locations: Locations) -> None:
    """Give the span its own methods back, which also breaks the reference cycle that covering them made."""
    span = None if locations.covered is None else locations.covered()
    if span is None:
        return
    # Only what is still ours: another processor may have covered it again.
    if _notes_to(span.set_attribute, locations.notes):
        del span.set_attribute
    if _notes_to(span.set_attributes, locations.notes):
        del span.set_attributes


def _notes_to(method: object, notes: dict[str, _Note]) -> bool:
    return isinstance(method, partial) and method.args[-1] is notes


_is_machinery: dict[str, bool] = {}
"""Whether a file belongs to what stands between a user's line and a span, by the file's name."""


def _note_start(frame: FrameType) -> _Note | None:
    """The caller of the `start_span` that is under way; between it and us there may be processors of anybody's."""
    above: FrameType | None = frame
    while above is not None and above.f_code is not _START_SPAN:
        above = above.f_back
    return _note(above or frame)


def _note(frame: FrameType | None) -> _Note | None:
    """The nearest caller that is neither OpenTelemetry, nor this package, nor contextlib."""
    while frame is not None:
        code = frame.f_code
        machinery = _is_machinery.get(code.co_filename)
        if machinery is None:
            machinery = _classify(frame)
        if not machinery:
            return code, frame.f_lasti
        frame = frame.f_back
    return None


def _classify(frame: FrameType) -> bool:
    module = frame.f_globals.get("__name__") or ""
    package, _, rest = module.partition(".")
    # The demo's agents are users of this package that happen to live in it.
    machinery = package in ("opentelemetry", "contextlib")
    machinery = machinery or (package == "otel_agenttrace" and not rest.startswith("demo"))
    if len(_is_machinery) >= _MAX_FILES:
        _is_machinery.clear()
    _is_machinery[frame.f_code.co_filename] = machinery
    return machinery


@lru_cache(maxsize=4096)
def resolve(code: CodeType, offset: int) -> CodeLocation:
    """The line of a code object that the instruction at `offset` belongs to."""
    line = next((line for start, end, line in code.co_lines() if start <= offset < end), None)
    return CodeLocation(code.co_filename, line, getattr(code, "co_qualname", code.co_name))
