"""Path conventions: plain names, within the folder, spelled one way, where the project says."""

from __future__ import annotations

import os
from pathlib import Path, PurePosixPath
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otel_agenttrace.workflow.checks import FindingError, check_path_conventions
from otel_agenttrace.workflow.checks.globs import matches
from otel_agenttrace.workflow.checks.places import locate, name_problem

PARTS = st.text("aB.*é", min_size=1, max_size=3)


def test_paths_that_fit_a_pattern_pass() -> None:
    """Any of the patterns will do; the evidence names each path."""
    outcome = check_path_conventions(
        ["dashboards/a.json", PurePosixPath("docs/eu/b.md")],  # type: ignore[list-item] # paths will do, too
        patterns=["dashboards/*.json", "docs/**/*.md"],
    )

    assert (outcome.result, outcome.reason) == ("pass", "paths that fit a declared pattern: 2")
    assert [(each.type, each.ref) for each in outcome.evidence] == [
        ("file", "dashboards/a.json"),
        ("file", "docs/eu/b.md"),
    ]


def test_without_patterns_the_other_rules_hold() -> None:
    """That no patterns were given is said; an empty list of patterns allows nothing."""
    assert check_path_conventions(["any/where"]).reason == "paths that are plain (no patterns were given): 1"
    assert check_path_conventions(["../x"]).result == "fail"
    assert "fits no declared pattern: expected none" in check_path_conventions(["a"], patterns=[]).reason


def test_a_path_that_fits_no_pattern_is_named() -> None:
    """With the patterns that were expected."""
    outcome = check_path_conventions(["dashboards/a.JSON"], patterns=["dashboards/*.json"])

    assert outcome.result == "fail"
    assert outcome.reason == 'the path "dashboards/a.JSON" fits no declared pattern: expected dashboards/*.json'
    assert outcome.next_action == "move dashboards/a.JSON to where the project keeps such files, or declare it"


@pytest.mark.parametrize(
    ("path", "problem"),
    [
        ("", "is empty"),
        ("/etc/passwd", "is absolute"),
        ("\\\\host\\share", "is absolute"),
        ("C:/x", "is absolute"),
        ("c:x", "is absolute"),
        ("~/x", "begins with ~"),
        ("..", "leads out of the folder"),
        ("a/../../b", "leads out of the folder"),
        ("a\\b", "has a backslash where / is due"),
        ("a\nb", "has control characters"),
        ("a\0", "has control characters"),
        ("\udcff", "has control characters or broken text"),
        ("./a", "is not in its plain form"),
        ("a//b", "is not in its plain form"),
        ("a/", "is not in its plain form"),
        ("a/../b", "is not in its plain form"),
    ],
)
def test_a_path_that_is_not_plain_fails(tmp_path: Path, path: str, problem: str) -> None:
    """Whatever the patterns allow; and no such path leads to a file."""
    outcome = check_path_conventions([path], patterns=["**"])

    assert outcome.result == "fail"
    assert problem in outcome.reason
    assert outcome.next_action.isprintable()
    with pytest.raises(FindingError):
        locate(tmp_path, path)


def test_a_path_through_a_link_out_fails(tmp_path: Path) -> None:
    """Links to files and folders beyond the folder fail; links within it, and paths that are not there, do not."""
    root = tmp_path / "root"
    (root / "real").mkdir(parents=True)
    (root / "out").symlink_to(tmp_path)
    (root / "within").symlink_to("real")
    (root / "file").symlink_to("/etc/hostname")

    assert check_path_conventions(["within/x", "real/y", "new"], root=root).result == "pass"
    outcome = check_path_conventions(["out/x", "file"], root=root)
    assert outcome.result == "fail"
    assert 'the path "out/x" leads out of the folder through a link' in outcome.reason
    assert 'the path "file" leads out of the folder through a link, to "/etc/hostname"' in outcome.reason
    assert check_path_conventions(["out/x"]).result == "pass"


@pytest.mark.parametrize(
    ("paths", "problem"),
    [
        (["a/x", "A/x"], 'the paths "a" and "A" are one on some file systems'),
        (["a/x", "A/y"], 'the paths "a" and "A" are one on some file systems'),
        (["a/x", "a/X"], 'the paths "a/x" and "a/X" are one on some file systems'),
        (["caf\u00e9", "cafe\u0301"], "are one on some file systems"),
        (["stra\u00dfe", "STRASSE"], "are one on some file systems"),
        (["a", "a"], 'the path "a" is listed twice'),
    ],
)
def test_paths_that_some_file_systems_take_for_one_fail(paths: list[str], problem: str) -> None:
    """Case, forms of accents, and repetition; each pair once."""
    outcome = check_path_conventions(paths)

    assert outcome.result == "fail"
    assert problem in outcome.reason
    assert "; " not in outcome.reason


@pytest.mark.parametrize("paths", [None, [], ()])
def test_no_paths_are_skipped(paths: Any) -> None:
    """There is nothing to check, which is no pass."""
    assert check_path_conventions(paths, patterns=["*"]).result == "skipped"


@pytest.mark.parametrize(
    ("paths", "patterns", "verdict"),
    [
        ("a", None, 'the paths are "a", not a list'),
        (["a", 5], None, "path 2 is 5, not a text"),
        (["a"], "*", 'the patterns are "*", not a list'),
        (["a"], [None], "pattern 1 is null, not a text"),
        (["a"], ["a", "/abs/*"], 'the pattern "/abs/*" is absolute'),
        (["a"], ["a", "../*"], 'the pattern "../*" leads out of the folder'),
        (["a"], ["a", ""], 'the pattern "" is empty'),
    ],
)
def test_values_of_other_forms_fail(paths: Any, patterns: Any, verdict: str) -> None:
    """A pattern that no path can fit is told as such."""
    outcome = check_path_conventions(paths, patterns=patterns)

    assert outcome.result == "fail"
    assert verdict in outcome.reason


@pytest.mark.parametrize(
    ("name", "pattern", "expected"),
    [
        ("a.json", "*.json", True),
        ("d/a.json", "*.json", False),
        ("d/a.json", "*/*.json", True),
        ("d/a.json", "**/*.json", True),
        ("a.json", "**/*.json", True),
        ("d/e/a.json", "d/**", True),
        ("d", "d/**", True),
        ("e/a", "d/**", False),
        ("d/e/f/a", "d/**/f/**/a", True),
        ("d/a", "d/**/f/**/a", False),
        ("a1", "a[0-9]", True),
        ("ab", "a?", True),
        ("A", "a", False),
        (".hidden", "*", True),
    ],
)
def test_patterns_match_part_by_part(name: str, pattern: str, expected: bool) -> None:
    """`*` and `?` stay within a part, `**` stands for any number of parts; case counts."""
    assert matches(name, pattern) is expected


def test_a_pattern_takes_bounded_time() -> None:
    """Many `**` and `*` do not multiply each other's work."""
    assert not matches("/".join(["a"] * 200), "/".join(["**", "*a*a*a*a*"] * 100) + "/b")


@given(
    st.lists(PARTS, min_size=1, max_size=4), st.lists(st.sampled_from(["a", "**", "*", "B*"]), min_size=1, max_size=4)
)
def test_patterns_match_as_their_definition_says(parts: list[str], pieces: list[str]) -> None:
    """Trying every way in which `**` can stand for parts gives the same answer."""

    def fits(parts: list[str], pieces: list[str]) -> bool:
        if not pieces:
            return not parts
        if pieces[0] == "**":
            return any(fits(parts[i:], pieces[1:]) for i in range(len(parts) + 1))
        return bool(parts) and matches(parts[0], pieces[0]) and fits(parts[1:], pieces[1:])

    assert matches("/".join(parts), "/".join(pieces)) is fits(parts, pieces)


@given(st.lists(st.sampled_from(["a", "b", "..", ".", "", "~", "C:", "\\", "\n"]), max_size=6).map("/".join))
def test_a_name_that_is_not_refused_stays_within(name: str) -> None:
    """Joined with a folder it is below that folder, and written as the system itself would write it."""
    if name_problem(name) is None:
        assert os.path.normpath(f"/root/{name}") == f"/root/{name}"
        assert Path("/root", name).is_relative_to("/root")
