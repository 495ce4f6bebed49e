"""Any value of any file of a run may be anything: there is a verdict, and no checksum is passed that is not one."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from otel_agenttrace.workflow.definition import load_definition
from otel_agenttrace.workflow.diagnose import diagnose
from otel_agenttrace.workflow.integrity import check_run

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.workflow.run_folder import RunFolder

Place = tuple["str | int", ...]

DEFINITION = load_definition()
_CHECKSUM = "sha256:" + "0" * 64
_SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(st.characters(codec="utf-8"), max_size=20),
    st.sampled_from(["", " ", _CHECKSUM, _CHECKSUM.upper(), "md5:" + "0" * 32, "sha256:", "../..", "${x}", 10**400]),
)
_ANYTHING = st.recursive(
    _SCALARS,
    lambda below: st.one_of(
        st.lists(below, max_size=3),
        st.dictionaries(st.text(st.characters(codec="utf-8"), max_size=8), below, max_size=3),
    ),
    max_leaves=5,
)
_SLOW = settings(
    max_examples=40,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


def _documents(run: RunFolder) -> list[str]:
    names = (path.relative_to(run.root).as_posix() for path in run.root.rglob("*") if path.is_file())
    return sorted(name for name in names if name.endswith((".json", ".yaml")))


def _places(value: Any, place: Place = ()) -> Iterator[Place]:
    yield place
    if isinstance(value, (dict, list)):
        for key, below in value.items() if isinstance(value, dict) else enumerate(value):
            yield from _places(below, (*place, key))


def _at(value: Any, place: Place) -> Any:
    for part in place:
        value = value[part]
    return value


def _with(value: Any, place: Place, new: Any) -> Any:
    if not place:
        return new
    copy: Any = dict(value) if isinstance(value, dict) else list(value)
    copy[place[0]] = _with(copy[place[0]], place[1:], new)
    return copy


def _demand_verdicts(run: RunFolder, *, passed: bool | None = None) -> None:
    """No check may have ended in an exception, which a gate would turn into a failure; both commands agree."""
    report, diagnosis = (
        check_run(run.root, DEFINITION, scan_existing=True, min_coverage=50),
        diagnose(run.root, DEFINITION),
    )

    for gate in report.gates:
        assert [each for each in gate.result.evidence if each.type == "exception"] == [], gate
        assert gate.result.result == "pass" or gate.result.reason
        assert gate.result.result == "pass" or gate.result.next_action
    if passed is not None:
        assert (report.status == "passed") is passed
        assert (diagnosis.status == "clear") is passed


@_SLOW
@given(data=st.data())
def test_any_value_may_be_anything(clean_run: RunFolder, data: st.DataObject) -> None:
    """Whatever stands where a value is due, each gate says what is wrong; a changed file never passes."""
    name = data.draw(st.sampled_from(_documents(clean_run)))
    original = clean_run.path(name).read_bytes()
    content = clean_run.read(name)
    place = data.draw(st.sampled_from(list(_places(content))))
    value = data.draw(_ANYTHING)
    is_same = value == _at(content, place) and type(value) is type(_at(content, place))
    try:
        clean_run.write(name, _with(content, place, value))
        # What stands in the provenance besides checksums is on nobody's record.
        is_on_record = name != "provenance.json" and clean_run.path(name).read_bytes() != original and not is_same
        _demand_verdicts(clean_run, passed=False if is_on_record else None)
    finally:
        clean_run.path(name).write_bytes(original)


@_SLOW
@given(data=st.data())
def test_a_checksum_that_was_tampered_with_never_passes(clean_run: RunFolder, data: st.DataObject) -> None:
    """Any checksum of any file is held against what it is of; those of the provenance too, which nobody records."""
    name = data.draw(st.sampled_from(_documents(clean_run)))
    content = clean_run.read(name)
    checksums = [each for each in _places(content) if str(_at(content, each)).startswith("sha256:")]
    if not checksums:
        return
    place = data.draw(st.sampled_from(checksums))
    original = clean_run.path(name).read_bytes()
    old = _at(content, place)
    value = data.draw(st.one_of(_ANYTHING, st.just(old[:-1] + ("0" if old[-1] != "0" else "1"))))
    if value == old:
        return
    try:
        clean_run.write(name, _with(content, place, value))
        _demand_verdicts(clean_run, passed=False)
    finally:
        clean_run.path(name).write_bytes(original)


@pytest.mark.parametrize("name", ["provenance.json", "export/contract.json", "source/context.yaml"])
@pytest.mark.parametrize("content", [b"", b"\x00", b"null", b"[]", b"{}", b"7", b'"text"', b"\xff", b"{" * 5000])
def test_any_file_may_hold_anything(clean_run: RunFolder, name: str, content: bytes) -> None:
    """Of a file that is something else altogether each gate says so."""
    clean_run.path(name).write_bytes(content)

    _demand_verdicts(clean_run, passed=False)


def test_every_file_counts(clean_run: RunFolder) -> None:
    """A run from which any file is gone does not pass, and neither does one with a byte more in any of its files."""
    names = [path.relative_to(clean_run.root).as_posix() for path in clean_run.root.rglob("*") if path.is_file()]
    for name in names:
        original = clean_run.path(name).read_bytes()
        if name != "provenance.json":  # on nobody's record, and the same with a line more
            clean_run.path(name).write_bytes(original + b"\n")
            assert check_run(clean_run.root, DEFINITION).status == "failed", name
        clean_run.remove(name)
        assert check_run(clean_run.root, DEFINITION).status != "passed", name
        clean_run.path(name).write_bytes(original)

    assert check_run(clean_run.root, DEFINITION).status == "passed"


def test_a_file_too_large_to_be_hashed_is_a_verdict(clean_run: RunFolder) -> None:
    """A file beyond what is hashed is told with its size, and is not read."""
    name = next(path for path in clean_run.root.glob("artifacts/**/*.md")).relative_to(clean_run.root).as_posix()
    os.truncate(clean_run.path(name), 2 * 1024**3)

    report = check_run(clean_run.root, DEFINITION)

    first = report.first_problem
    assert first is not None
    assert f"{name} has {2 * 1024**3} bytes, more than the 1 GiB that are hashed" in first.result.reason
