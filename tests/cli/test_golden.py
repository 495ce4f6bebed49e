"""What commands print, to the letter, at 80 columns; and the shape of what they print as JSON."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from tests.cli.recording import BOOKING, RETRY, SESSION

if TYPE_CHECKING:
    from collections.abc import Callable

FAILURE = f"{BOOKING}-{3:016x}"

COMMANDS = {
    "trace list": ["trace", "list"],
    "trace list failed": ["trace", "list", "--status", "failed"],
    "trace list by attribute": ["trace", "list", "--attr", "gen_ai.usage.input_tokens>=400"],
    "trace list cut": ["trace", "list", "--limit", "2"],
    "trace list after": ["trace", "list", "--limit", "2", "--after", RETRY],
    "trace search": ["trace", "search", "15/02/2026"],
    "trace show": ["trace", "show", BOOKING],
    "trace show newest": ["trace", "show"],
    "trace show recovered": ["trace", "show", RETRY],
    "trace show timeline": ["trace", "show", BOOKING, "--timeline"],
    "span list": ["span", "list"],
    "span list failing": ["span", "list", "--failing"],
    "session list": ["session", "list"],
    "session show": ["session", "show", SESSION],
    "failure list": ["failure", "list"],
    "failure list all": ["failure", "list", "--all"],
    "failure show": ["failure", "show"],
    "failure show by id": ["failure", "show", FAILURE],
    "store info": ["store", "info"],
    "store check": ["store", "check"],
    "retention show": ["retention", "show"],
    "retention set": ["retention", "set", "7"],
}

# What `store info` tells of the file, of the index in the background, and of the installed SQLite.
_OF_THIS_MACHINE = re.compile(r"^((?:size|not indexed yet|sqlite version) +)\S.*$", re.MULTILINE)


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_prints_the_same_at_80_columns(
    name: str, run: Callable[..., Any], store_url: str, check_golden: Callable[[str, str], None]
) -> None:
    """Every command has one output for one recording, no line of it wider than 80 columns."""
    result = run(*COMMANDS[name], "--store", store_url)

    assert result.code == 0
    check_golden(name.replace(" ", "-"), _OF_THIS_MACHINE.sub(r"\1(varies)", result.out + result.err))


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_prints_json_of_its_schema(
    name: str, run: Callable[..., Any], store_url: str, check_shape: Callable[[str, Any], None]
) -> None:
    """What a command prints with --json is valid against the schema that ships for it."""
    command = COMMANDS[name]

    result = run(*command, "--store", store_url, "--json")

    assert result.code == 0
    check_shape(" ".join(command[:2]), result.json())


@pytest.mark.parametrize("name", COMMANDS)
def test_nothing_recorded_is_printed_raw(name: str, run: Callable[..., Any], store_url: str) -> None:
    """No control character of a recorded name or value reaches the terminal."""
    result = run(*COMMANDS[name], "--store", store_url)

    unsafe = {char for char in result.out + result.err if ord(char) < 32 or 126 < ord(char) < 160} - {"\n"}
    assert not unsafe
    assert "\u202e" not in result.out
