"""Mapping completeness: no item is dropped, and nothing is mapped to what is not there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otel_agenttrace.workflow.checks import check_mapping_completeness

if TYPE_CHECKING:
    from pathlib import Path

IDS = st.sets(st.sampled_from("abcdef"))


def test_a_complete_mapping_passes() -> None:
    """Each item with its targets is in the evidence; one target may serve several items, and one may serve none."""
    outcome = check_mapping_completeness(["a", "b"], {"a": "x", "b": ["x", "y"]}, targets=["x", "y", "z"])

    assert (outcome.result, outcome.reason) == ("pass", "every source item has targets that exist: 2")
    assert [(each.type, each.ref, each.description) for each in outcome.evidence] == [
        ("id", "a", "mapped to x"),
        ("id", "b", "mapped to x, y"),
    ]


@pytest.mark.parametrize("mapping", [None, {}, {"a": None}, {"a": ""}, {"a": []}, {"a": [None]}])
def test_an_item_without_a_target_is_named(mapping: dict[str, object] | None) -> None:
    """Whatever form the absence has, it is a dropped item."""
    outcome = check_mapping_completeness(["a"], mapping, targets=["x"])

    assert outcome.result == "fail"
    assert outcome.reason == 'source item "a" has no target'
    assert outcome.next_action == "map a to a target, or take it out of the source"


def test_a_target_that_does_not_exist_is_named() -> None:
    """With the item that is mapped to it."""
    outcome = check_mapping_completeness(["a"], {"a": ["x", "nosuch"]}, targets=["x"])

    assert outcome.result == "fail"
    assert outcome.reason == 'source item "a" is mapped to "nosuch", which does not exist'


def test_an_entry_for_no_source_item_is_named() -> None:
    """An item that was dropped from the source leaves its mapping behind."""
    outcome = check_mapping_completeness(["a"], {"a": "x", "b": "x"}, targets=["x"])

    assert outcome.result == "fail"
    assert outcome.reason == 'the mapping has an entry "b", which is no source item'
    assert check_mapping_completeness([], {"b": "x"}).result == "fail"


def test_targets_may_be_files(tmp_path: Path) -> None:
    """Then each exists if it is a file in the folder; missing ones, folders and ways out fail."""
    (tmp_path / "x.json").write_text("{}")
    (tmp_path / "sub").mkdir()
    verdicts = {
        "x.json": None,
        "y.json": "the file y.json is missing",
        "sub": "sub is a folder, a file is expected",
        "../x.json": "leads out of the folder",
    }
    for target, verdict in verdicts.items():
        outcome = check_mapping_completeness(["a"], {"a": target}, root=tmp_path)
        assert outcome.result == ("fail" if verdict else "pass")
        assert verdict is None or verdict in outcome.reason


@pytest.mark.parametrize(("sources", "mapping"), [(None, None), ([], {}), ((), None)])
def test_nothing_to_map_is_skipped(sources: list[str] | None, mapping: dict[str, object] | None) -> None:
    """No items and no entries: no pass."""
    outcome = check_mapping_completeness(sources, mapping, targets=["x"])

    assert outcome.result == "skipped"
    assert outcome.next_action


@pytest.mark.parametrize(
    ("sources", "mapping", "targets", "verdict"),
    [
        ("abc", {}, ["x"], 'the source items are "abc", not a list of ids'),
        (5, {}, ["x"], "the source items are 5, not a list of ids"),
        (["a", 5], {"a": "x"}, ["x"], "source item 2 of the list is 5, not an id"),
        (["a", " "], {"a": "x"}, ["x"], 'source item 2 of the list is " ", not an id'),
        (["a", "a"], {"a": "x"}, ["x"], 'source item "a" is listed twice'),
        (["a"], ["x"], ["x"], "the mapping is a list of 1 item, not an object"),
        (["a"], {"a": 5}, ["x"], 'the target of "a" is 5, not an id'),
        (["a"], {"a": "x"}, ["x", None], "target 2 of the list is null, not an id"),
    ],
)
def test_values_of_other_forms_fail(sources: Any, mapping: Any, targets: Any, verdict: str) -> None:
    """As documents have them that were written by hand: a verdict each, no exception."""
    outcome = check_mapping_completeness(sources, mapping, targets=targets)

    assert outcome.result == "fail"
    assert verdict in outcome.reason


@given(IDS, st.dictionaries(st.sampled_from("abcdef"), st.sampled_from("xyz")), st.sets(st.sampled_from("xyz")))
def test_it_passes_exactly_if_nothing_is_missing(sources: set[str], mapping: dict[str, str], targets: set[str]) -> None:
    """Sources and keys are one set, and all that is mapped to exists."""
    outcome = check_mapping_completeness(sources, mapping, targets=targets)

    is_complete = sources == set(mapping) and set(mapping.values()) <= targets
    assert outcome.result == ("skipped" if not sources | set(mapping) else "pass" if is_complete else "fail")
