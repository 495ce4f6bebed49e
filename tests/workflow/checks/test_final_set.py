"""Final-set reconciliation: what was expected, what lies there and what is listed are one set."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from otel_agenttrace.workflow.checks import Bounds, check_final_set, checksum_of

if TYPE_CHECKING:
    from pathlib import Path

ONE, OTHER = str(checksum_of(b"one")), str(checksum_of(b"other"))
NAMES = st.sets(st.sampled_from(["a", "b/c", "d"]))


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A folder with the artifacts `a.json` and `sub/b.json`, and a manifest beside them."""
    (tmp_path / "sub").mkdir()
    for name in ("a.json", "sub/b.json"):
        (tmp_path / name).write_bytes(b"one")
    (tmp_path / "manifest.json").write_text("{}")
    return tmp_path


def test_three_equal_sets_pass(root: Path) -> None:
    """Paths alone or with checksums; what is no artifact is ignored; the evidence names each artifact."""
    outcome = check_final_set(
        ["a.json", "sub/b.json"],
        listed={"a.json": ONE, "sub/b.json": str(checksum_of(b"one", "blake2s"))},
        root=root,
        ignored=["manifest.json"],
    )

    assert outcome.result == "pass"
    assert outcome.reason == "exactly the artifacts that were expected are listed and present: 2"
    assert [(each.type, each.ref) for each in outcome.evidence] == [("checksum", "a.json"), ("checksum", "sub/b.json")]
    assert outcome.evidence[0].description == f"listed {ONE}"


def test_each_artifact_that_differs_is_named(root: Path) -> None:
    """Missing, extra and changed ones, with where they are and where they are not, and what to do."""
    outcome = check_final_set(
        {"a.json": OTHER, "gone.json": ONE, "sub/b.json": ONE},
        listed=["a.json", "gone.json", "new.json"],
        root=root,
        ignored=["manifest.json"],
        bounds=Bounds(reason_problems=9),
    )

    assert outcome.result == "fail"
    assert outcome.reason.split("; ") == [
        f'artifact "a.json" has changed: expected {OTHER}, but the file has {ONE}',
        'artifact "gone.json" is missing: expected and listed, but not present',
        'artifact "sub/b.json" is missing: expected and present, but not listed',
        'artifact "new.json" is extra: listed, but not expected and not present',
    ]
    assert "make gone.json, or expect it no longer" in outcome.next_action
    assert "list sub/b.json in the manifest" in outcome.next_action
    assert "remove new.json, or expect it" in outcome.next_action


def test_a_file_that_nobody_expects_is_extra(root: Path) -> None:
    """Deep in the folder, too."""
    outcome = check_final_set(["a.json", "manifest.json"], root=root)

    assert outcome.result == "fail"
    assert outcome.reason == 'artifact "sub/b.json" is extra: present, but not expected'


def test_without_a_folder_the_manifest_is_compared() -> None:
    """By its paths, and by checksums where both sides have one."""
    assert check_final_set({"a": ONE, "b": None}, listed={"a": ONE, "b": OTHER}).result == "pass"

    outcome = check_final_set({"a": ONE}, listed={"a": OTHER})

    assert outcome.reason == f'artifact "a" has changed: expected {ONE}, but the manifest lists {OTHER}'


@pytest.mark.parametrize("value", ["", "sha256:STALE", "md5:00", 5])
def test_a_checksum_that_is_none_fails(root: Path, value: object) -> None:
    """It is told as such; that the file is there does not make up for it."""
    outcome = check_final_set({"a.json": value}, root=root, ignored=["manifest.json", "sub/**"])

    assert outcome.result == "fail"
    assert "the checksum of expected artifact a.json is" in outcome.reason


def test_artifacts_that_cannot_be_read_fail(tmp_path: Path) -> None:
    """Broken links, links out of the folder and files beyond the bound are findings, without a checksum as well."""
    root = tmp_path / "root"
    root.mkdir()
    (tmp_path / "secret").write_bytes(b"one")
    (root / "broken").symlink_to("nosuch")
    (root / "out").symlink_to("../secret")
    (root / "large").write_bytes(b"one")

    outcome = check_final_set(["broken", "out", "large"], root=root, bounds=Bounds(hashed_bytes=2))

    assert outcome.result == "fail"
    assert "the file broken is missing" in outcome.reason
    assert 'the path "out" leads out of the folder through a link' in outcome.reason
    assert "more than the 2 bytes that are hashed" in outcome.reason


def test_a_folder_that_is_not_there_fails(tmp_path: Path) -> None:
    """Even if nothing is expected: a folder was given, and is not there."""
    for expected in ([], ["a"]):
        outcome = check_final_set(expected, root=tmp_path / "nosuch")
        assert outcome.result == "fail"
        assert "nosuch is missing" in outcome.reason


def test_a_folder_with_too_many_files_fails(root: Path) -> None:
    """It is not compared in part."""
    outcome = check_final_set(["a.json"], root=root, bounds=Bounds(files=2))

    assert outcome.result == "fail"
    assert "more than the 2 files that are looked at" in outcome.reason


@pytest.mark.parametrize("listed", [None, [], {}])
def test_nothing_anywhere_is_skipped(tmp_path: Path, listed: Any) -> None:
    """No artifacts expected, listed or present: no pass."""
    assert check_final_set(None, listed=listed, root=tmp_path).result == "skipped"
    assert check_final_set([], listed=listed).result == "skipped"


def test_nothing_to_compare_with_is_skipped() -> None:
    """Expected artifacts alone say nothing about those that are there."""
    outcome = check_final_set(["a"])

    assert outcome.result == "skipped"
    assert outcome.next_action == "give the manifest, or the folder"


@pytest.mark.parametrize("values", ["a.json", 5, ["a.json", "a.json"], [None]])
def test_values_of_other_forms_fail(root: Path, values: Any) -> None:
    """On either side: a verdict, no exception."""
    assert check_final_set(values, root=root).result == "fail"
    assert check_final_set(["a.json"], listed=values).result == "fail"


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(NAMES, NAMES, NAMES)
def test_it_passes_exactly_if_all_sets_are_one(
    tmp_path_factory: pytest.TempPathFactory, expected: set[str], listed: set[str], present: set[str]
) -> None:
    """Every artifact that is not in all three sets is named."""
    root = tmp_path_factory.mktemp("root")
    for name in present:
        (root / name).parent.mkdir(exist_ok=True)
        (root / name).write_text(name)

    outcome = check_final_set(sorted(expected), listed=sorted(listed), root=root)

    union, common = expected | listed | present, expected & listed & present
    assert outcome.result == ("skipped" if not union else "pass" if union == common else "fail")
    assert {each.ref for each in outcome.evidence if " is " in each.description} == union - common


def test_files_that_are_no_artifacts_may_be_left_out(tmp_path: Path) -> None:
    """With patterns of what counts, other files of the folder are none of its business, however many they are."""
    for name in ("artifacts/a.json", "notes.txt", "source/b.json"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(name)

    assert check_final_set(["artifacts/a.json"], root=tmp_path).result == "fail"
    assert check_final_set(["artifacts/a.json"], root=tmp_path, only=["artifacts/**"]).result == "pass"
