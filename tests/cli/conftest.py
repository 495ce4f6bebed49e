"""Running the command line in this process, over a recording that is the same every time."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest

from otel_agenttrace.cli.main import run as run_command
from otel_agenttrace.stores.open import open_store
from tests.cli.recording import recorded_spans

if TYPE_CHECKING:
    from collections.abc import Callable

GOLDEN = Path(__file__).parent / "golden"
SCHEMAS = Path(__file__).parents[2] / "otel_agenttrace" / "schemas" / "commands.schema.json"


@dataclass(frozen=True)
class Result:
    """What a command printed, and its exit code."""

    code: int
    out: str
    err: str

    def json(self) -> Any:
        """Standard output as JSON."""
        return json.loads(self.out)


@pytest.fixture
def run(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """Run `agenttrace` with some arguments, 80 columns wide."""
    monkeypatch.setenv("COLUMNS", "80")

    def run(*arguments: str | Path) -> Result:
        capfd.readouterr()
        code = run_command([str(argument) for argument in arguments])
        out, err = capfd.readouterr()
        return Result(code, out, err)

    return run


@pytest.fixture
def store_url(tmp_path: Path) -> str:
    """A store on disk that holds the recording."""
    url = f"sqlite:///{tmp_path / 'runs.db'}"
    with open_store(url) as store:
        store.write_spans(recorded_spans())
    return url


@pytest.fixture
def spool_dir(store_url: str) -> Path:
    """The spool beside the store that holds the recording; it is not there yet."""
    return Path(store_url.removeprefix("sqlite:///") + ".spool")


@pytest.fixture
def check_golden(tmp_path: Path) -> Callable[[str, str], None]:
    """Compare an output with the file of that name; `AGENTTRACE_WRITE_GOLDEN=1` writes it instead."""

    def check(name: str, text: str) -> None:
        path = GOLDEN / f"{name}.txt"
        text = text.replace(str(tmp_path), "/tmp/golden")  # noqa: S108  a stand-in, nothing is written there
        if WRITES_GOLDEN:
            path.write_text(text, "utf-8")
        assert text == path.read_text("utf-8")
        assert max((len(line) for line in text.splitlines()), default=0) <= 80

    return check


# Read once: the environment of a test is cleaned of our settings.
WRITES_GOLDEN = bool(os.environ.get("AGENTTRACE_WRITE_GOLDEN"))


@pytest.fixture
def check_shape() -> Callable[[str, Any], None]:
    """Validate what a command printed with `--json` against the schema that ships for it."""
    schemas = json.loads(SCHEMAS.read_text("utf-8"))

    def check(command: str, value: Any) -> None:
        schema = {**schemas, "$ref": f"#/$defs/{command}"}
        jsonschema.Draft202012Validator(schema).validate(value)

    return check
