"""Where the numbers of a view do not add up."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from otel_agenttrace.model.codec import HAS_IS_REMOTE, IS_REMOTE
from otel_agenttrace.spool.refusals import Refused
from otel_agenttrace.testing.spans import make_span
from otel_agenttrace.views.lines import line_width, plain, render
from otel_agenttrace.views.warnings import (
    ViewWarning,
    format_warnings,
    parent_warnings,
    refusal_warnings,
    unreadable_warning,
    waiting_warnings,
    warning_shapes,
)
from tests.views.conftest import NASTY
from tests.views.talking import trace_of

if TYPE_CHECKING:
    from otel_agenttrace.stores.api import StoredTrace


def test_spans_that_wait_are_counted() -> None:
    """And it is said where to look on."""
    (three,) = waiting_warnings(3, "trace")
    (one,) = waiting_warnings(1, "session", is_complete=False)

    assert (three.kind, three.count) == ("waiting", 3)
    assert three.message == "3 spans of this trace wait to be stored: see `agenttrace spool status`"
    assert one.message.startswith("at least 1 span of this session waits")
    assert list(waiting_warnings(0, "trace")) == []


def test_what_was_not_read_may_hold_more() -> None:
    """That nothing was found is no answer then."""
    (warning,) = waiting_warnings(0, "trace", is_complete=False)

    assert warning == unreadable_warning("trace", "not all of it was read")
    assert warning.count is None


def test_refusals_are_told_with_their_service_and_reasons() -> None:
    """Each service on its own."""
    told = list(refusal_warnings([Refused("booking", 1200, ("quota", "disk")), Refused("", 1, ("disk",))], "trace"))

    assert [(warning.kind, warning.count) for warning in told] == [("refused", 1200), ("refused", 1)]
    assert told[0].message == (
        "1,200 records of booking refused while this trace ran (quota, disk): spans may be missing"
    )
    assert told[1].message.startswith("1 record of an unnamed service refused")


def test_spans_without_their_parent_are_counted(booking: StoredTrace) -> None:
    """Over all traces; those whose parent is another process's are not, as that may not be recorded at all."""
    remote = make_span(parent_span_id="f" * 16, flags=HAS_IS_REMOTE | IS_REMOTE)
    local = make_span(parent_span_id="f" * 16, flags=HAS_IS_REMOTE)

    assert list(parent_warnings([trace_of(make_span()), trace_of(remote)])) == []
    assert list(parent_warnings([booking, trace_of(local)])) == [
        ViewWarning("no_parent", "2 spans have parents that were never stored", 2)
    ]
    assert [warning.message for warning in parent_warnings([booking])] == ["1 span has a parent that was never stored"]


@pytest.mark.parametrize("width", [40, 80])
def test_warnings_are_indented_lines(width: int) -> None:
    """None wider than the view, none that acts; without warnings, none."""
    warnings = list(refusal_warnings([Refused(NASTY, 3, ("disk",))], "trace"))
    lines = format_warnings(warnings, width=width)

    assert format_warnings([]) == []
    assert all(plain(line).startswith("  ") and line_width(line) <= width for line in lines)
    assert "\x1b" not in render(lines)
    assert warning_shapes(warnings)[0].keys() == {"kind", "message", "count"}
