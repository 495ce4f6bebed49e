"""Checksum chain: every stage worked from what the stage before it produced."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otel_agenttrace.workflow.checks import Bounds, ChainStage, check_checksum_chain, checksum_of, hash_file

if TYPE_CHECKING:
    from pathlib import Path

ONE, OTHER = str(checksum_of(b"one")), str(checksum_of(b"other"))


def _chain(declared: object, produced: object = ONE) -> list[ChainStage]:
    return [ChainStage("S2", outputs={"source": produced}), ChainStage("S3", inputs={"source": declared})]


def test_an_input_that_is_what_was_produced_passes() -> None:
    """The evidence names who declared it, the checksum, and who produced it."""
    outcome = check_checksum_chain(_chain(ONE))

    assert (outcome.result, outcome.reason, outcome.next_action) == ("pass", "checksums that agree: 1", "")
    (evidence,) = outcome.evidence
    assert (evidence.type, evidence.ref) == ("checksum", "source declared by S3")
    assert evidence.description == f"{ONE}, as what S2 produced"


def test_a_stale_input_fails_with_both_checksums() -> None:
    """The reason names the stage, what was expected and what was found; the next action is to run the stage again."""
    outcome = check_checksum_chain(_chain(OTHER))

    assert outcome.result == "fail"
    assert outcome.reason == f"source declared by S3 is not what S2 produced: expected {ONE}, found {OTHER}"
    assert outcome.next_action == "run S3 again on the source that is there now"
    assert outcome.evidence[0].description == outcome.reason


@pytest.mark.parametrize(
    ("declared", "verdict"),
    [
        (None, "the checksum of source declared by S3 is missing"),
        ("", "the checksum of source declared by S3 is empty"),
        ("sha256:STALE", 'the checksum of source declared by S3 is malformed: "sha256:STALE"'),
        ("md5:" + "0" * 32, 'the algorithm "md5" is not accepted'),
        (["x"], "is malformed: a list of 1 item"),
    ],
)
def test_an_input_that_is_no_checksum_fails_with_the_one_that_is_due(declared: object, verdict: str) -> None:
    """Missing, empty, malformed and other algorithms fail, and the verdict has the checksum that was produced."""
    outcome = check_checksum_chain(_chain(declared))

    assert outcome.result == "fail"
    assert verdict in outcome.reason
    assert f"expected {ONE}, which S2 produced" in outcome.reason
    assert outcome.next_action


@pytest.mark.parametrize("produced", [None, "", "sha256:STALE"])
def test_an_output_that_is_no_checksum_fails_where_it_is_used(produced: object) -> None:
    """The verdict is on the stage that produced it, not on the one that declared a good checksum."""
    outcome = check_checksum_chain(_chain(ONE, produced))

    assert outcome.result == "fail"
    assert "the checksum of what S2 produced, for source declared by S3, is" in outcome.reason


def test_two_algorithms_cannot_be_compared() -> None:
    """Both may be right, so the verdict is that there are two, and names them."""
    outcome = check_checksum_chain(_chain(str(checksum_of(b"one", "sha512"))))

    assert outcome.result == "fail"
    assert "cannot be compared with what S2 produced: expected sha256, found sha512" in outcome.reason
    assert "use one algorithm" in outcome.next_action


def test_the_nearest_stage_before_counts() -> None:
    """What was made anew replaces what an earlier stage made; what a later stage makes vouches for nothing."""
    stages = [ChainStage("S1", outputs={"plan": OTHER}), ChainStage("S2", outputs={"plan": ONE})]

    assert check_checksum_chain([*stages, ChainStage("S3", inputs={"plan": ONE})]).result == "pass"
    assert check_checksum_chain([*stages, ChainStage("S3", inputs={"plan": OTHER})]).result == "fail"
    assert check_checksum_chain([ChainStage("S0", inputs={"plan": OTHER}), *stages]).result == "fail"


def test_an_input_that_nothing_vouches_for_fails() -> None:
    """With no stage before it and no file there is nothing to hold it against, which is no pass."""
    outcome = check_checksum_chain([ChainStage("S3", inputs={"source": ONE})])

    assert outcome.result == "fail"
    assert "nothing vouches for source declared by S3" in outcome.reason
    assert "S3" in outcome.next_action


@pytest.mark.parametrize("algorithm", ["sha256", "sha384", "sha512", "blake2b", "blake2s"])
def test_checksums_are_computed_from_files(tmp_path: Path, algorithm: str) -> None:
    """A file that is given is hashed with the algorithm that was declared, for inputs and outputs alike."""
    (tmp_path / "contract.json").write_text("{}")
    checksum = str(hash_file(tmp_path / "contract.json", algorithm))
    stages = [
        ChainStage("S2", outputs={"contract": checksum}, files={"contract": "contract.json"}),
        ChainStage("S3", inputs={"contract": checksum}),
    ]

    assert check_checksum_chain(stages, root=tmp_path).reason == "checksums that agree: 2"
    (tmp_path / "contract.json").write_text('{"tampered": true}')
    outcome = check_checksum_chain(stages, root=tmp_path)
    assert outcome.result == "fail"
    assert "contract produced by S2 is not the file contract.json" in outcome.reason
    assert "contract declared by S3 is not the file contract.json" in outcome.reason


def test_a_first_input_is_held_against_its_file(tmp_path: Path) -> None:
    """A stage's own file vouches for what no stage produced; without a folder, any path will do."""
    file = tmp_path / "source.txt"
    file.write_bytes(b"one")
    stage = ChainStage("S1", inputs={"source": ONE}, files={"source": file})

    assert check_checksum_chain([stage]).result == "pass"
    file.unlink()
    assert "source.txt is missing" in check_checksum_chain([stage]).reason


def test_files_beyond_the_folder_are_not_read(tmp_path: Path) -> None:
    """With a folder, a path that leads out of it fails, and so does one through a link."""
    inside = tmp_path / "inside"
    inside.mkdir()
    (tmp_path / "secret").write_bytes(b"one")
    (inside / "link").symlink_to(tmp_path / "secret")
    reasons = [
        check_checksum_chain([ChainStage("S1", inputs={"a": ONE}, files={"a": path})], root=inside).reason
        for path in ("../secret", str(tmp_path / "secret"), "link")
    ]

    assert "leads out of the folder" in reasons[0]
    assert "is absolute" in reasons[1]
    assert "leads out of the folder through a link" in reasons[2]


def test_the_bounds_are_those_of_the_caller(tmp_path: Path) -> None:
    """A file beyond the bound fails with the bound in the verdict."""
    (tmp_path / "large").write_bytes(b"one")
    stages = [ChainStage("S1", inputs={"a": ONE}, files={"a": "large"})]

    outcome = check_checksum_chain(stages, root=tmp_path, bounds=Bounds(hashed_bytes=2))

    assert outcome.result == "fail"
    assert "3 bytes, more than the 2 bytes that are hashed" in outcome.reason


@pytest.mark.parametrize("stages", [None, [], [ChainStage("S1")], [ChainStage("S1", outputs={"plan": ONE})]])
def test_nothing_to_check_is_skipped(stages: list[ChainStage] | None) -> None:
    """No stage, no input, or outputs alone without a file: no pass."""
    outcome = check_checksum_chain(stages)

    assert outcome.result == "skipped"
    assert outcome.reason
    assert outcome.next_action


@pytest.mark.parametrize(
    ("files", "verdict"), [({"a": 5}, "is no text"), (["a"], "nothing vouches"), (None, "nothing vouches")]
)
def test_what_is_no_path_fails(tmp_path: Path, files: Any, verdict: str) -> None:
    """With and without a folder."""
    for root in (None, tmp_path):
        outcome = check_checksum_chain([ChainStage("S1", inputs={"a": ONE}, files=files)], root=root)
        assert outcome.result == "fail"
        assert verdict in outcome.reason


def test_what_is_no_mapping_of_checksums_fails() -> None:
    """As documents have it that were written by hand."""
    broken: Any = [ONE]

    outcome = check_checksum_chain([ChainStage("S3", inputs=broken)])

    assert outcome.result == "fail"
    assert "the inputs of S3 are a list of 1 item, not checksums by name" in outcome.reason


def test_stages_may_be_objects_as_json_has_them() -> None:
    """With the same fields; others are of no account."""
    stages = [{"name": "S2", "outputs": {"source": ONE}, "by": "ada"}, {"name": "S3", "inputs": {"source": ONE}}]

    assert check_checksum_chain(stages) == check_checksum_chain(_chain(ONE))


@pytest.mark.parametrize(
    ("stages", "reason"),
    [
        ([None], "stage 1 is null, not an object with a name"),
        ([{"inputs": {"source": ONE}}], "stage 1 is an object of 1 property, not an object with a name"),
        ([*_chain(ONE), {"name": 5}], "stage 3 is an object of 1 property, not an object with a name"),
        ("S1", 'the stages are "S1", not a list'),
        (5, "the stages are 5, not a list"),
    ],
)
def test_what_is_no_stage_fails(stages: Any, reason: str) -> None:
    """And raises nothing."""
    outcome = check_checksum_chain(stages)

    assert (outcome.result, outcome.reason) == ("fail", reason)
    assert outcome.next_action


@given(st.lists(st.sampled_from([ONE, OTHER]), min_size=2, max_size=8))
def test_a_chain_passes_exactly_if_all_are_one(checksums: list[str]) -> None:
    """Each stage hands on what it was given; one other checksum anywhere breaks the chain."""
    stages = [ChainStage("S0", outputs={"x": ONE})]
    stages += [ChainStage(f"S{i}", inputs={"x": each}) for i, each in enumerate(checksums, start=1)]

    outcome = check_checksum_chain(stages)

    assert (outcome.result == "pass") == (OTHER not in checksums)
    assert [each.ref for each in outcome.evidence if "is not" in each.description] == [
        f"x declared by S{i}" for i, each in enumerate(checksums, start=1) if each == OTHER
    ]
