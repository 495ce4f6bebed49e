"""From the URL of a store to the store."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from otel_agenttrace.errors import ConfigError
from otel_agenttrace.stores.memory import MemorySpanStore

if TYPE_CHECKING:
    from otel_agenttrace.stores.api import SpanStore
    from otel_agenttrace.stores.trace_store import TraceStore

DEFAULT_URL = "sqlite:///~/.agenttrace/traces.db"

_ACCEPTED = (
    "memory, sqlite, sqlite:///relative.db, sqlite:////absolute/path.db, sqlite:///~/in-home.db, "
    "or a path that ends in .db, .sqlite or .sqlite3"
)
_IN_MEMORY = ("memory", "memory:")
_DEFAULT = ("sqlite", "sqlite:")
_SUFFIXES = (".db", ".sqlite", ".sqlite3")
_PLANNED = ("cosmos", "postgres", "postgresql")
_SCHEMES = ("sqlite", *_PLANNED)


def open_store(
    url: str | None = None, *, read_only: bool = False, survives_power_cut: bool = False, setting: str = "store"
) -> TraceStore:
    """Open a store by its URL.

    `memory` (or `memory:`) is a new store in memory. `sqlite` is the default file, `~/.agenttrace/traces.db`;
    `sqlite:///traces.db` a path relative to the working directory, `sqlite:////var/traces.db` an absolute one,
    `sqlite:///~/traces.db` one in the home directory. A path alone will do if it ends in `.db`, `.sqlite` or
    `.sqlite3`. A file that is not there is created, with its folders.

    Args:
        url: one of these; None or `auto` for the URL in `AGENTTRACE_STORE`, else the default file.
        read_only: never create or change anything. A file that was named and is not there is then an error; the
            default file reads as an empty store, as nothing has been recorded yet.
        survives_power_cut: whether what was written does, not only a process that is killed; slower.
        setting: what the URL came from, as error messages are to call it.

    Raises:
        ConfigError: the URL is not accepted, or names a file that is not there or is a directory.
        StoreUnavailableError: the file is locked, or cannot be opened or created.
        StoreRejectedError: the file is damaged, is no store, or was written by a newer version.
    """
    from otel_agenttrace.stores.trace_store import TraceStore  # noqa: PLC0415  brings pydantic

    return TraceStore(open_span_store(url, read_only=read_only, survives_power_cut=survives_power_cut, setting=setting))


def open_span_store(
    url: str | None = None, *, read_only: bool = False, survives_power_cut: bool = False, setting: str = "store"
) -> SpanStore:
    """Open a store by its URL as `open_store` does, for those who only need its spans: it loads quicker."""
    url, setting = _named(url, setting)
    if url in _IN_MEMORY:
        return MemorySpanStore()
    is_default = url in _DEFAULT
    path = _path(DEFAULT_URL if is_default else url, setting)
    if read_only and not path.exists():
        if is_default:
            return MemorySpanStore(url=f"sqlite:///{path}")
        raise ConfigError(f"{setting}: there is no file {path}")
    from otel_agenttrace.stores.sql.sqlite import SqliteSpanStore  # noqa: PLC0415  memory needs no driver

    return SqliteSpanStore(path, read_only=read_only, survives_power_cut=survives_power_cut)


def resolve_url(url: str | None = None, *, setting: str = "store") -> str:
    """The URL that the store would say it has, which is not opened for it; of a file, with its absolute path.

    Args:
        url: as for `open_store`.
        setting: as for `open_store`.

    Raises:
        ConfigError: the URL is not accepted, or names a directory.
    """
    url, setting = _named(url, setting)
    if url in _IN_MEMORY:
        return "memory:"
    return f"sqlite:///{_path(DEFAULT_URL if url in _DEFAULT else url, setting)}"


def _named(url: str | None, setting: str) -> tuple[str, str]:
    """The URL, and where it came from; that of the environment, or the default, where none is given."""
    if url is None or url.strip().lower() == "auto":
        variable = os.environ.get("AGENTTRACE_STORE", "").strip()
        url, setting = (variable, "AGENTTRACE_STORE") if variable.lower() not in ("", "auto") else ("sqlite", "")
    return url.strip(), setting


def _path(url: str, setting: str) -> Path:
    """The file that a URL names."""
    scheme, colon, rest = url.partition(":")
    if url.lower().endswith(_SUFFIXES) and scheme not in _SCHEMES and "://" not in url:
        text = url
    elif scheme == "sqlite" and rest.startswith("///") and len(rest) > 3:
        text = rest[3:]
    elif scheme in _PLANNED:
        raise ConfigError(f"{setting}: {scheme} stores are not in this version; accepted are {_ACCEPTED}")
    else:
        # Only the scheme: what follows it may hold a password.
        shown = f"{scheme}:..." if colon else url
        raise ConfigError(f"{setting}: {shown!r} is no store; accepted are {_ACCEPTED}")
    if "\0" in text or "?" in text or text == ":memory:":
        raise ConfigError(f"{setting}: {text!r} is no path of a store; accepted are {_ACCEPTED}")
    try:
        path = Path(text).expanduser().absolute()
    except RuntimeError as error:  # nobody knows where the home directory is
        raise ConfigError(f"{setting}: {error}; give the store a path that does not start with ~") from error
    if path.is_dir():
        raise ConfigError(f"{setting}: {path} is a directory, not the file of a store")
    return path
