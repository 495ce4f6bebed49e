"""about.json: what a log says of the process that wrote it."""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import orjson

from otel_agenttrace.spool.names import ABOUT
from otel_agenttrace.spool.segment import write_whole

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class About:
    """The process of a log.

    Attributes:
        service_name: `service.name` of its resource.
        pid: its process id, on its host, in its container.
        process: another text for every process; a process may have several logs.
        host: name of the host.
        started_at: when the log was begun, RFC 3339.
        version: of this package.
        targets: names of those who are to get the records, without credentials; not of those that end with the process.
        contract_file: path of the registry that the records are checked against; empty if there is none.
        durability: what its process was promised, see `SpoolConfig`.
        by_object: names of targets that are objects of its program, which no other program can make.
        without_content: names of targets that must not get messages, arguments, results and the like.
    """

    service_name: str = ""
    pid: int = 0
    process: str = ""
    host: str = ""
    started_at: str = ""
    version: str = ""
    targets: tuple[str, ...] = ()
    contract_file: str = ""
    durability: str = ""
    without_content: tuple[str, ...] = ()
    by_object: tuple[str, ...] = ()


def write_about(log_dir: Path, about: About, *, sync: bool = False) -> None:
    """Write it anew, as a whole or not at all; with `sync` its text survives a power cut.

    Raises:
        OSError: it could not be written; what was there still is.
    """
    draft = log_dir / f"{ABOUT}.new"
    fd = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    try:
        write_whole(fd, orjson.dumps(asdict(about)))
        if sync:
            os.fsync(fd)
        draft.replace(log_dir / ABOUT)
    except OSError:
        with suppress(OSError):
            draft.unlink()
        raise
    finally:
        os.close(fd)


def read_about(log_dir: Path) -> About | None:
    """Return what is known of a log's process; None if nothing is. What has another type than it should is left out."""
    try:
        found: Any = orjson.loads((log_dir / ABOUT).read_bytes())
    except (OSError, ValueError):
        return None
    if not isinstance(found, dict):
        return None
    texts = {name: found[name] for name in _TEXTS if isinstance(found.get(name), str)}
    pid = found.get("pid")
    return About(
        **texts,
        pid=pid if isinstance(pid, int) else 0,
        targets=_texts_of(found.get("targets")),
        without_content=_texts_of(found.get("without_content")),
        by_object=_texts_of(found.get("by_object")),
    )


_TEXTS = ("service_name", "process", "host", "started_at", "version", "contract_file", "durability")


def _texts_of(value: object) -> tuple[str, ...]:
    return tuple(each for each in value if isinstance(each, str)) if isinstance(value, list) else ()
