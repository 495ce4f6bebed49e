"""The `agenttrace` command: the nouns, and how errors become exit codes.

Exit codes: 0 fine, 1 the answer is no (not found, a violation, a line that could not be read), 2 wrong usage or
configuration, 3 infrastructure (a store that cannot be reached, is damaged or is locked).
"""

from __future__ import annotations

import os
import sys
from importlib import import_module
from typing import TYPE_CHECKING

import click

from otel_agenttrace.errors import (
    AgentTraceError,
    ConfigError,
    ContractError,
    DecodeError,
    QueryUnsupportedError,
    StoreError,
    TraceNotFoundError,
)
from otel_agenttrace.views.text import safe_text

if TYPE_CHECKING:
    from collections.abc import Sequence

_INTERRUPTED = 130

# Modules load when their command runs: `agenttrace --help` needs none of them.
_COMMANDS = {
    "contract": "contract",
    "demo": "demo",
    "export": "transfer",
    "failure": "failure",
    "import": "transfer",
    "pipeline": "pipeline",
    "retention": "retention",
    "session": "session",
    "span": "span",
    "spool": "spool",
    "store": "store",
    "task": "task",
    "trace": "trace",
}


class _UnwritableError(Exception):
    """Carries an OSError past click, which ends the process with 1 when the reader of a pipe is gone."""

    def __init__(self, error: OSError) -> None:
        super().__init__(str(error))
        self.error = error


class _Nouns(click.Group):
    def invoke(self, ctx: click.Context) -> object:
        try:
            try:
                return super().invoke(ctx)
            finally:
                sys.stdout.flush()
        except OSError as error:
            raise _UnwritableError(error) from error

    def list_commands(self, ctx: click.Context) -> list[str]:
        del ctx
        return sorted(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        del ctx
        if cmd_name not in _COMMANDS:
            return None
        module = import_module(f"otel_agenttrace.cli.{_COMMANDS[cmd_name]}")
        # `import` is no Python name: its function carries a trailing underscore.
        command = getattr(module, f"{cmd_name}_" if cmd_name == "import" else cmd_name)
        assert isinstance(command, click.Command)  # noqa: S101 - tells the type checker, and a wrong table fails tests
        return command


@click.group(cls=_Nouns, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 80})
@click.version_option(package_name="otel-agenttrace", prog_name="agenttrace")
def cli() -> None:
    """Find, read and check what your agents did.

    Runs are recorded by configure_tracing(); `agenttrace demo` shows how.
    """


def main() -> None:
    """Run the command line and end the process with its exit code."""
    sys.exit(run())


def run(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code.

    Args:
        arguments: what was typed behind `agenttrace`; by default the process's own arguments.
    """
    code = 0
    try:
        cli.main(arguments, prog_name="agenttrace", standalone_mode=False)
    except click.exceptions.Exit as ending:
        code = ending.exit_code
    except SystemExit as ending:
        code = int(ending.code or 0)
    except click.Abort:
        code = _INTERRUPTED
    except click.ClickException as error:
        error.show()
        code = 2
    except AgentTraceError as error:
        click.echo(f"agenttrace: {safe_text(str(error))}", err=True)
        code = _exit_code(error)
    except _UnwritableError as unwritable:
        code = _give_up_output(unwritable.error)
    return code


def _give_up_output(error: OSError) -> int:
    # What is still buffered has no place to go: keep the interpreter from complaining when it flushes it.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    if isinstance(error, BrokenPipeError):  # the reader (`| head`) has seen enough
        return 0
    click.echo(f"agenttrace: {safe_text(str(error))}", err=True)
    return 3


def _exit_code(error: AgentTraceError) -> int:
    if isinstance(error, (TraceNotFoundError, ContractError, DecodeError)):
        return 1
    if isinstance(error, (ConfigError, QueryUnsupportedError)):
        return 2
    return 3 if isinstance(error, StoreError) else 1
