"""What `agenttrace spool status` shows."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from tests.cli.recording import SESSION
from tests.cli.spooled import OTLP, leave, make_log, make_spans

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_SIZE = re.compile(r"\d+(\.\d)? [KM]?i?B\b")


def test_the_status_is_the_same_at_80_columns(
    run: Callable[..., Any],
    store_url: str,
    spool_dir: Path,
    check_golden: Callable[..., None],
    check_shape: Callable[..., None],
) -> None:
    """A row for each target over the logs of all processes, and what to do."""
    leave(spool_dir, make_spans(1204), "store", OTLP)
    living = make_log(spool_dir, make_spans(2, trace_id="b" * 32), OTLP)
    living.count("refused_disk", 2)
    result = run("spool", "status", "--store", store_url)

    assert (result.code, result.err) == (0, "")
    check_golden("spool-status", _SIZE.sub("(varies)", result.out))
    shape = run("spool", "status", "--store", store_url, "--json").json()
    check_shape("spool status", shape)
    assert [(each["name"], each["recorded"], each["waiting"]) for each in shape["targets"]] == [
        (OTLP, 1206, 1206),
        ("store", 1204, 1204),
    ]
    assert shape["processes"] == {"living": 1, "dead": 1, "gone": 0, "unreadable": []}


def test_the_status_of_a_session_is_the_same_at_80_columns(
    run: Callable[..., Any],
    store_url: str,
    spool_dir: Path,
    check_golden: Callable[..., None],
    check_shape: Callable[..., None],
) -> None:
    """Its spans alone are counted, each once, and what nobody knows of them is a question mark."""
    spans = make_spans(7, attributes={"session.id": SESSION})
    leave(spool_dir, spans + make_spans(5, trace_id="b" * 32), "store", OTLP)
    result = run("spool", "status", "--session", SESSION[:6], "--store", store_url)

    assert (result.code, result.err) == (0, "")
    check_golden("spool-status-session", result.out)
    shape = run("spool", "status", "--session", SESSION, "--store", store_url, "--json").json()
    check_shape("spool status", shape)
    assert [(each["name"], each["waiting"]) for each in shape["targets"]] == [(OTLP, 7), ("store", 7)]
    assert (shape["session_id"], shape["processes"], shape["refused"]) == (SESSION, None, None)


def test_an_empty_spool_says_so(
    run: Callable[..., Any], store_url: str, spool_dir: Path, check_shape: Callable[..., None]
) -> None:
    """Plainly, and looking makes nothing."""
    result = run("spool", "status", "--store", store_url)
    shape = run("spool", "status", "--store", store_url, "--json").json()

    assert (result.code, result.out) == (0, f"{spool_dir}\n  nothing was recorded here: nothing waits\n")
    check_shape("spool status", shape)
    assert shape["targets"] == []
    assert not spool_dir.exists()


def test_a_session_that_nobody_knows_is_not_found(run: Callable[..., Any], store_url: str, spool_dir: Path) -> None:
    """Neither the store nor the spool has a span of it."""
    leave(spool_dir, make_spans(2))
    result = run("spool", "status", "--session", "nosuch", "--store", store_url)

    assert result.code == 1
    assert "'nosuch'" in result.err


def test_a_session_is_counted_without_its_store(run: Callable[..., Any], tmp_path: Path) -> None:
    """What waits is known then, and nothing else."""
    store = tmp_path / "new.db"
    leave(tmp_path / "new.db.spool", make_spans(3, attributes={"session.id": "s"}))
    result = run("spool", "status", "--session", "s", "--store", store, "--json")

    assert result.code == 0
    assert "only what is in the spool is counted" in result.err
    (target,) = result.json()["targets"]
    assert (target["recorded"], target["sent"], target["waiting"]) == (None, None, 3)


def test_processes_that_started_before_are_left_out(run: Callable[..., Any], store_url: str, spool_dir: Path) -> None:
    """--since goes by the start of a process."""
    leave(spool_dir, make_spans(2))
    shapes = [run("spool", "status", "--since", since, "--store", store_url, "--json").json() for since in ("3h", "2h")]

    assert [len(shape["targets"]) for shape in shapes] == [1, 0]
    assert run("spool", "status", "--since", "1h", "--session", "s", "--store", store_url).code == 2


@pytest.mark.parametrize("command", ["status", "drain"])
def test_a_spool_that_cannot_be_read_is_exit_code_3(
    run: Callable[..., Any], store_url: str, spool_dir: Path, command: str
) -> None:
    """The error names it."""
    spool_dir.write_text("no directory")
    result = run("spool", command, "--store", store_url)

    assert result.code == 3
    assert result.err.startswith(f"agenttrace: the spool {spool_dir} cannot be read: ")


@pytest.mark.parametrize("command", ["status", "drain"])
def test_a_wrong_store_is_exit_code_2(run: Callable[..., Any], command: str) -> None:
    """As for all commands."""
    result = run("spool", command, "--store", "mongo://ada:secret@x")

    assert result.code == 2
    assert "--store" in result.err
    assert "secret" not in result.err
