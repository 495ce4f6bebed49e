"""A trace as a page."""

from __future__ import annotations

import base64
import hashlib
import re
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any

import pytest

from otel_agenttrace.stores.api import StoredTrace
from otel_agenttrace.testing.spans import START, TRACE_ID, make_span
from otel_agenttrace.views import html
from otel_agenttrace.views.html import format_html
from otel_agenttrace.views.html_value import MAX_ITEMS, MAX_TEXT, value_block
from otel_agenttrace.views.warnings import ViewWarning

if TYPE_CHECKING:
    from otel_agenttrace.model.record import AnyValue

_VOID = {"meta", "input", "rect"}


class Page(HTMLParser):
    """What a browser would make of a page: its elements, and the texts in them. Fails where tags do not match."""

    def __init__(self, source: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self._open: list[str] = []
        self.feed(source)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Open an element."""
        self.elements.append((tag, dict(attrs)))
        if tag not in _VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        """Close the last element that was opened."""
        if tag not in _VOID:
            assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        """Keep a text."""
        if self._open[-1:] not in (["script"], ["style"]):
            self.texts.append(data)

    @property
    def text(self) -> str:
        """All text that a reader sees."""
        return "\n".join(self.texts)

    def of(self, tag: str) -> list[dict[str, str | None]]:
        """The attributes of each element of a kind."""
        return [attributes for name, attributes in self.elements if name == tag]


def test_a_page_shows_what_tree_and_timeline_show(booking: StoredTrace) -> None:
    """Name, status, totals, failures with their origin, and each span with its bar, tokens, cost and marks."""
    page = Page(format_html(booking))

    for text in (
        "invoke_agent booking",
        "failed",
        "booking-agent",
        "2026-09-21 14:13:20 UTC",
        "431 in, 57 out",
        "$0.0031",
        "validation_error",
        "date '15/02/2026' does not match YYYY-MM-DD",
        "recovered origin",
        "running",
        "parent 0000000000000099 was not recorded",
        "lost child",
        "A flight to Lisbon,\nplease.",
        "One moment.",
    ):
        assert text in page.text
    details = [attributes for attributes in page.of("details") if "span" in str(attributes["class"]).split()]
    assert len(details) == len(page.of("rect")) == 9
    origin = details[3]
    assert origin["class"] == "span tool origin"
    assert f"#{origin['id']}" in [link["href"] for link in page.of("a")]


def test_a_page_needs_nothing_and_lets_nothing_in(booking: StoredTrace) -> None:
    """No element loads or sends anything, and the policy allows its own style and script by their hashes alone."""
    source = format_html(booking)
    page = Page(source)

    names = {name for _, attributes in page.elements for name in attributes}
    assert names.isdisjoint({"src", "srcset", "action", "style", "data", "ping"})
    assert all(str(link["href"]).startswith("#") for link in page.of("a"))
    (policy,) = (meta["content"] for meta in page.of("meta") if "http-equiv" in meta)
    assert policy is not None
    assert policy.startswith("default-src 'none'; ")
    for tag in ("style", "script"):
        (text,) = re.findall(f"<{tag}>(.*?)</{tag}>", source, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in policy


def test_nothing_recorded_becomes_markup(nasty: StoredTrace) -> None:
    """Wherever a span can hold text, it stays text: no element and no attribute comes from it, no character acts."""
    source = format_html(nasty)
    page = Page(source)

    assert len(page.of("script")) == 1
    assert {tag for tag, _ in page.elements}.isdisjoint({"img", "iframe", "object", "link", "base", "form"})
    assert not any(name.startswith("on") for _, attributes in page.elements for name in attributes)
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]", source)
    assert page.text.count("<script>alert(1)</script>'\"&") > 20


def test_a_page_can_be_written_as_utf_8(nasty: StoredTrace) -> None:
    """Unpaired surrogates, which have no UTF-8, are spelled out."""
    assert r"\ud800" in format_html(nasty).encode("utf-8").decode("utf-8")


def test_a_large_trace_says_what_is_left_out(booking: StoredTrace, monkeypatch: pytest.MonkeyPatch) -> None:
    """A page has a bound in spans and one in characters."""
    page = Page(format_html(booking, max_spans=4))
    assert "5 more spans are in the store." in page.text
    assert "lost child" not in page.text

    monkeypatch.setattr(html, "MAX_CHARACTERS", 2_000)
    page = Page(format_html(booking))
    assert page.text.count("what the span holds is in the store") > 3
    assert "lost child" in page.text


def test_deep_and_wide_traces_are_flat() -> None:
    """Depth nests no elements: browsers give up at a few hundred levels."""
    spans = [
        make_span(span_id=f"{number:016x}", parent_span_id=f"{number - 1:016x}" if number > 1 else None)
        for number in range(1, 2_000)
    ]
    source = format_html(StoredTrace(TRACE_ID, tuple(spans)))

    assert "…1986" in Page(source).text
    assert source.count("d12") > 1_900


@pytest.mark.parametrize(
    ("value", "texts"),
    [
        ("plain\n text", ["plain\n text"]),
        ('{"a": [1, 2]}', ['{\n  "a": [\n    1,\n    2\n  ]\n}']),
        ("{not json", ["{not json"]),
        ([{"role": "user", "content": "hello"}], ["user", "hello"]),
        (
            [{"role": "tool", "content": None, "id": "call_1", "name": ["x"]}],
            ["tool · id call_1", "name", '[\n  "x"\n]'],
        ),
        ([{"role": "user", "content": ["a", {"type": "text", "text": "b"}]}], ["user", "a", "b"]),
        (
            [{"role": "user", "parts": [{"type": "blob", "content": "c"}]}],
            ["user", '{\n  "type": "blob",\n  "content": "c"\n}'],
        ),
        ([{"role": 1}], ['[\n  {\n    "role": 1\n  }\n]']),
        ([], ["[]"]),
        (None, ["null"]),
        (True, ["true"]),
        (b"\x00\xff", ["2 bytes: 00 ff"]),
        (b"x" * 65, [f"65 bytes: {' '.join(['78'] * 64)} …"]),
        (2**70, [str(2**70)]),
    ],
)
def test_values_are_readable(value: AnyValue, texts: list[str]) -> None:
    """Messages as messages, JSON indented, bytes as what they are."""
    assert Page(value_block(value)).texts == texts


def test_long_values_are_cut_and_counted() -> None:
    """What a page leaves out is in the store, and the page says how much it is."""
    assert "7 more characters are in the store." in value_block("x" * (MAX_TEXT + 7))
    messages: list[Any] = [{"role": "user", "content": "x"}] * (MAX_ITEMS + 3)
    assert "3 more are in the store." in value_block(messages)


def test_values_nested_without_end_are_no_trap() -> None:
    """A model can be made to write any JSON: deep nesting is text, not recursion."""
    deep = "[" * 900 + "]" * 900
    messages = '[{"role":"a","content":' * 200 + "1" + "}]" * 200
    span = make_span(
        attributes={"gen_ai.tool.name": "t", "gen_ai.tool.call.arguments": deep, "gen_ai.tool.call.result": messages}
    )

    assert Page(format_html(StoredTrace(TRACE_ID, (span,)))).of("details")


def test_events_links_and_what_was_dropped_are_there() -> None:
    """Everything a span holds is behind its line."""
    span = make_span(dropped_attributes_count=3, dropped_links_count=1, status_code="OK", start_time_unix_nano=START)

    assert "3 attributes, 1 links" in Page(format_html(StoredTrace(TRACE_ID, (span,)))).text


def test_a_page_says_what_it_lacks(booking: StoredTrace) -> None:
    """Each warning once, and none acts."""
    page = format_html(booking, [ViewWarning("waiting", "3 spans <b>wait</b>", 3)])

    assert page.count("3 spans &lt;b&gt;wait&lt;/b&gt;") == 1


def test_what_is_remarkable_is_on_the_line_of_its_span() -> None:
    """A flag is a badge; a call whose cost nobody knows says so."""
    attributes: dict[str, Any] = {
        "gen_ai.operation.name": "chat",
        "gen_ai.request.model": "my-model",
        "gen_ai.usage.input_tokens": 5,
        "gen_ai.response.finish_reasons": ["length"],
    }

    texts = Page(format_html(StoredTrace(TRACE_ID, (make_span(attributes=attributes),)))).texts

    assert {"truncated", "$?"} <= set(texts)
