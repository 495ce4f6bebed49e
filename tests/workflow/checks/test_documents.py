"""JSON and YAML files as plain values."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from otel_agenttrace.workflow.checks import Bounds, FindingError, read_document
from otel_agenttrace.workflow.checks.documents import demand_plain

if TYPE_CHECKING:
    from pathlib import Path

PLAIN: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text("aé1: -"),
    lambda below: st.lists(below, max_size=4) | st.dictionaries(st.text("aé1: -"), below, max_size=4),
    max_leaves=15,
)
SAME_FOLDER = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])


@SAME_FOLDER
@given(value=PLAIN)
def test_json_and_yaml_are_read_as_what_was_written(tmp_path: Path, value: Any) -> None:
    """A document in either notation has the values that it was made from."""
    (tmp_path / "a.json").write_text(json.dumps(value), encoding="utf-8")
    (tmp_path / "a.yaml").write_text(yaml.safe_dump(value), encoding="utf-8")

    assert read_document(tmp_path / "a.json") == value
    assert read_document(tmp_path / "a.yaml") == value


@SAME_FOLDER
@given(data=st.binary() | st.text("{}[]\"':,&*<-?!|>\n 1a").map(str.encode), ending=st.sampled_from(["json", "yaml"]))
def test_any_bytes_are_values_or_a_finding(tmp_path: Path, data: bytes, ending: str) -> None:
    """No content of a file raises anything but a finding."""
    path = tmp_path / f"a.{ending}"
    path.write_bytes(data)

    with suppress(FindingError):
        json.dumps(read_document(path), allow_nan=False)


def _bomb(first: str, row: str) -> str:
    rows = [f"a{i}: &a{i} {row.format(','.join([f'*a{i - 1}'] * 9))}" for i in range(1, 9)]
    return "\n".join([f"a0: &a0 {first}", *rows])


@pytest.mark.parametrize(
    ("name", "text", "verdict"),
    [
        ("a.json", "", "a.json is empty"),
        ("a.yaml", "# only a comment\n", "a.yaml is empty"),
        ("a.json", '{"a": 1,\n "b" 2}', r"a.json:2 is no JSON: Expecting ':' delimiter \(column 6\)"),
        ("a.json", '{"a": 1, "a": 2}', 'key "a" stands twice in one object'),
        ("a.json", "[NaN]", "NaN is no JSON number"),
        ("a.json", "[1e999]", "has inf, which is no JSON number, at /0"),
        ("a.json", "1" * 5000, "is no JSON that can be used"),
        ("a.json", r'{"a": ["\ud800"]}', "which JSON cannot say, at /a/0"),
        ("a.json", r'{"\ud800": 1}', "which is no text"),
        ("a.json", "[" * 100_000, "is nested too deep"),
        ("a.json", "[" * 102 + "]" * 102, "is nested deeper than 100 levels"),
        ("a.yaml", "a: 1\nb: [", "a.yaml:3 is no YAML that can be used"),
        ("a.yaml", "a: 1\na: 2", 'a.yaml:2 is no YAML that can be used: key "a" stands twice'),
        ("a.yaml", "on: 1", "key true is no text"),
        ("a.yaml", "? [1]\n: 2", "is no text"),
        ("a.yaml", "a: .inf", "has inf, which is no JSON number, at /a"),
        ("a.yaml", "a: !!binary aGk=", "could not determine a constructor"),
        ("a.yml", "!!python/object/apply:os.getpid []", "could not determine a constructor"),
        ("a.yaml", "a: 1\n---\nb: 2", "a.yaml:2 .*another document"),
        ("a.yaml", "a: &a [*a]", "has an alias to what it is a part of, at line 1"),
        ("a.yaml", "[" * 100_000, "a.yaml:1 is nested deeper than 100 levels"),
        ("a.yaml", _bomb("[x]", "[{}]"), "has more than the 1000000 values"),
        ("a.yaml", _bomb("{x: 1}", "{{<<: [{}]}}"), "has more than the 1000000 values"),
        ("a.yaml", "\0", "is no YAML that can be used"),
    ],
)
def test_a_document_that_cannot_be_used_is_told_as_such(tmp_path: Path, name: str, text: str, verdict: str) -> None:
    """The verdict names the file, the line or the place where it is known, and what is wrong there."""
    (tmp_path / name).write_text(text, encoding="utf-8")

    with pytest.raises(FindingError, match=verdict) as caught:
        read_document(tmp_path / name, name=name)

    assert caught.value.finding.action == f"correct {name}"
    assert caught.value.finding.evidence.ref == name


def test_bytes_that_are_no_text_are_told_as_such(tmp_path: Path) -> None:
    """The verdict names the first byte that is not UTF-8; a byte order mark is no part of the text."""
    (tmp_path / "a.json").write_bytes(b'{"a": "\xff"}')
    (tmp_path / "b.json").write_bytes(b"\xef\xbb\xbf[1]")

    with pytest.raises(FindingError, match="is not UTF-8: byte 7 is 0xff"):
        read_document(tmp_path / "a.json")
    assert read_document(tmp_path / "b.json") == [1]


def test_yaml_has_merge_keys_and_its_dates_are_texts(tmp_path: Path) -> None:
    """A key of its own comes before a merged one, and a date is what JSON would have there."""
    (tmp_path / "a.yaml").write_text("a: &a {x: 1, y: 2026-01-31}\nb: {<<: *a, x: 2}\n")

    assert read_document(tmp_path / "a.yaml") == {"a": {"x": 1, "y": "2026-01-31"}, "b": {"x": 2, "y": "2026-01-31"}}


def test_bounds_are_for_the_caller_to_choose(tmp_path: Path) -> None:
    """Size, depth and number of values are held to the bounds that are given."""
    (tmp_path / "a.json").write_text("[[1, 2]]")

    assert read_document(tmp_path / "a.json", bounds=Bounds(8, 8, 2, 4)) == [[1, 2]]
    with pytest.raises(FindingError, match="more than the 7 bytes that are read as a document"):
        read_document(tmp_path / "a.json", bounds=Bounds(document_bytes=7))
    with pytest.raises(FindingError, match="nested deeper than 1 levels, at /0/1"):
        read_document(tmp_path / "a.json", bounds=Bounds(document_depth=1))
    with pytest.raises(FindingError, match="more than the 3 values"):
        read_document(tmp_path / "a.json", bounds=Bounds(document_values=3))


@pytest.mark.parametrize("value", [{1: 2}, [object()], {"a": b""}, [float("nan")], {"a": {1}}])
def test_values_that_json_cannot_say_are_refused(value: object) -> None:
    """What is handed over in memory is held to the same."""
    with pytest.raises(FindingError, match="the value has"):
        demand_plain(value, "the value")


def test_a_value_that_contains_itself_is_refused() -> None:
    """It has no end, so it is nested too deep."""
    value: list[object] = []
    value.append(value)

    with pytest.raises(FindingError, match="nested deeper than 100 levels"):
        demand_plain(value, "the value")
