"""`agenttrace trace tail`: runs as they happen."""

from __future__ import annotations

import os
import select
import sys
import time
from contextlib import suppress
from typing import TYPE_CHECKING

import click

from otel_agenttrace.cli.feed import StoreFeed
from otel_agenttrace.cli.options import Moment, json_option, store_option
from otel_agenttrace.cli.output import glyphs, print_json_line, print_lines, store_argument, width
from otel_agenttrace.errors import TraceNotFoundError
from otel_agenttrace.stores.following import Follower
from otel_agenttrace.stores.lookup import complete_session_id
from otel_agenttrace.views.tail import TailLines, tail_shape

if TYPE_CHECKING:
    from collections.abc import Callable

    from otel_agenttrace.stores.api import SpanStore
    from otel_agenttrace.stores.run_events import RunEvent

_POLL_S = 0.5
_WIDE = 200


@click.command(short_help="Follow runs as they happen.")
@click.option("--since", type=Moment(), help="Also what has happened since: 15m, 2h, 3d or a date.")
@click.option("--service", metavar="NAME", help="Only of this service.name.")
@click.option("--session", metavar="ID", help="Only of this session.")
@click.option("--failures", is_flag=True, help="Only what fails.")
@store_option
@json_option
def tail(
    *,
    since: int | None,
    service: str | None,
    session: str | None,
    failures: bool,
    store_url: str | None,
    as_json: bool,
) -> None:
    """Follow what agents do, in all processes that record into the store, until Ctrl-C.

    One line for each run that starts or ends, each span that ends, and each span that is recorded while it is open.
    """
    feed = StoreFeed(store_url)
    show = _printer(store_url, as_json=as_json)
    with suppress(KeyboardInterrupt):
        chosen = session and feed.read(lambda spans: _whole_session_id(spans, session))
        follower = Follower(service=service, session=chosen or session, since=since, is_new=feed.is_new)

        def show_news(spans: SpanStore) -> None:
            for event in follower.step(spans):
                if event.is_bad or not failures:
                    show(event)

        while True:
            feed.read(show_news)
            if not follower.is_behind and _is_gone_after(_POLL_S):
                return


def _printer(store_url: str | None, *, as_json: bool) -> Callable[[RunEvent], None]:
    if as_json:
        return lambda event: print_json_line(tail_shape(event))
    # Into a pipe or a file, nothing is cut that would fit into a wide terminal.
    columns = width() if sys.stdout.isatty() or os.environ.get("COLUMNS") else _WIDE
    writer = TailLines(width=columns, glyphs=glyphs(), next_option=store_argument(store_url))
    return lambda event: print_lines(writer.lines(event))


def _whole_session_id(spans: SpanStore, text: str) -> str:
    """The session that is meant; one that is not stored may be still to come."""
    try:
        return complete_session_id(spans, text)
    except TraceNotFoundError:
        if spans.complete_id(text, limit=1):
            raise  # it fits several
        return text


def _is_gone_after(seconds: float) -> bool:
    """Wait; return at once, and True, when nobody reads any more what is printed (`| head`)."""
    if not hasattr(select, "poll"):
        time.sleep(seconds)
        return False
    # Without this, a pipe that was closed is noticed with the next line, which may never come.
    pipe = select.poll()
    pipe.register(sys.stdout.fileno(), 0)
    return bool(pipe.poll(seconds * 1000))
