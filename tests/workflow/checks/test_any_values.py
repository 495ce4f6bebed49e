"""Every check gives an outcome for whatever values stand in a document that it is given."""

from __future__ import annotations

from functools import partial
from itertools import product
from typing import TYPE_CHECKING, Any

import pytest

from otel_agenttrace.workflow.checks import (
    ChainStage,
    RecordedFile,
    check_agreement,
    check_calibration,
    check_checksum_chain,
    check_coverage,
    check_document_validity,
    check_final_set,
    check_freshness,
    check_gap_parity,
    check_mapping_completeness,
    check_path_conventions,
    check_resolvability,
    check_routing,
    check_schema_validity,
    check_test_results,
    checksum_of,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from otel_agenttrace.workflow.outcome import CheckOutcome

ONE = str(checksum_of(b"one"))
VALUES: list[Any] = [
    *(None, "", 0, -1, 1.5, float("nan"), True, b"x", 10**6000, object(), range(3)),
    *("a", "loop", "nosuch", "/etc/hostname", "../x", "\ud800", "a\0b", "sha256:STALE", ONE),
    *([], ["a"], ["a", "a"], [None], [["a"]], [{}], {"a"}),
    *({}, {"a": ONE}, {"a": None}, {"a": ["a"]}, {"a": {"x": 1}}, {5: 5}, {None: None}),
]

OF_TWO: dict[str, Callable[..., CheckOutcome]] = {
    "agreement": lambda a, b, root: check_agreement(a, b),  # noqa: ARG005
    "agreement of values": lambda a, b, root: check_agreement({"x": a}, {"x": b}),  # noqa: ARG005
    "calibration": lambda a, b, root: check_calibration(a, b),  # noqa: ARG005
    "range": lambda a, b, root: check_calibration({"x": a}, {"x": {"min": b}, "y": a}),  # noqa: ARG005
    "chain": lambda a, b, root: check_checksum_chain([ChainStage("S", inputs=a, files=b)], root=root),
    "handed on": lambda a, b, root: check_checksum_chain(
        [ChainStage("S1", outputs=a), ChainStage("S2", inputs={"a": b})], root=root
    ),
    "coverage": lambda a, b, root: check_coverage(covered=a, total=b, min_percent=0),  # noqa: ARG005
    "shares": lambda a, b, root: check_coverage(percent=a, ratio=b, min_ratio=0),  # noqa: ARG005
    "thresholds": lambda a, b, root: check_coverage(covered=1, total=2, min_percent=a, min_count=b),  # noqa: ARG005
    "document": lambda a, b, root: check_document_validity(a, b),  # noqa: ARG005
    "final set": lambda a, b, root: check_final_set(a, listed=b, root=root),
    "freshness": lambda a, b, root: check_freshness({"a": RecordedFile(a, b)}, root=root),
    "recorded": lambda a, b, root: check_freshness(a, root=root) or b,
    "gaps": lambda a, b, root: check_gap_parity(a, b),  # noqa: ARG005
    "mapping": lambda a, b, root: check_mapping_completeness(a, b, root=root),
    "targets": lambda a, b, root: check_mapping_completeness(["a"], a, targets=b),  # noqa: ARG005
    "paths": lambda a, b, root: check_path_conventions(a, patterns=b, root=root),
    "names": lambda a, b, root: check_resolvability(a, b),  # noqa: ARG005
    "used names": lambda a, b, root: check_resolvability({"x": a}, {"a": b}),  # noqa: ARG005
    "scores": lambda a, b, root: check_routing(a, b, complexity_score=a, selected_path=b),  # noqa: ARG005
    "route": lambda a, b, root: check_routing({"x": 1}, 1, complexity_score=a, selected_path=b),  # noqa: ARG005
    "results": lambda a, b, root: check_test_results(a, passed=b),  # noqa: ARG005
    "result": lambda a, b, root: check_test_results([{"id": a, "outcome": b, "message": b}]),  # noqa: ARG005
    "schema": lambda a, b, root: check_schema_validity(a, b, root=root),
}


@pytest.mark.parametrize("has_root", [True, False])
@pytest.mark.parametrize("check", OF_TWO.values(), ids=OF_TWO.keys())
def test_no_value_raises(tmp_path: Path, check: Callable[..., CheckOutcome], has_root: bool) -> None:
    """What is no pass has a reason and a next action, all of it printable text; and nothing is ever raised."""
    (tmp_path / "a").write_bytes(b"one")
    (tmp_path / "loop").symlink_to("loop")
    run = partial(check, root=tmp_path if has_root else None)

    for first, second in product(VALUES, VALUES):
        outcome = run(first, second)
        texts = [outcome.reason, outcome.next_action]
        texts += [text for each in outcome.evidence for text in (each.type, each.ref, each.description)]
        assert all(text.isprintable() and text.encode().decode() == text for text in texts)
        assert outcome.reason
        assert bool(outcome.next_action) == (outcome.result != "pass")
