"""The settings of `configure_tracing` and their environment names.

An argument comes first, then the standard OpenTelemetry variable where there is one, then our own, then the default.
A wrong argument raises ConfigError; a wrong variable is logged and the default holds, so that nothing in the
environment can stop an agent. Whatever is set to an empty text counts as not set.

| setting           | environment                                                   | default          |
|-------------------|---------------------------------------------------------------|------------------|
| `service_name`    | `OTEL_SERVICE_NAME`, `AGENTTRACE_SERVICE_NAME`                | the SDK's        |
| `project`         | `AGENTTRACE_PROJECT`                                          | the service name |
| `store`           | `AGENTTRACE_STORE`                                            | `auto`           |
| `exporters`       | `OTEL_TRACES_EXPORTER`, `AGENTTRACE_EXPORTERS`                | see `exporters.names` |
| `contract`        | `AGENTTRACE_CONTRACT`                                         | `observe`        |
| `contract_file`   | `AGENTTRACE_CONTRACT_FILE`                                    | none             |
| `redact`          | `AGENTTRACE_REDACT`                                           | on               |
| `content`         | `OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT`, `AGENTTRACE_CONTENT` | on  |
| `grounding`       | `AGENTTRACE_GROUNDING`                                        | on               |
| `instrument`      | `AGENTTRACE_INSTRUMENT`                                       | `auto`           |
| `max_value_bytes` | `AGENTTRACE_MAX_VALUE_BYTES`                                  | 1 MiB            |
| `durability`      | `AGENTTRACE_DURABILITY`                                       | `process`        |
| `start_records`   | `AGENTTRACE_START_RECORDS`                                    | `these`          |
| `spool_dir`       | `AGENTTRACE_SPOOL_DIR`                                        | beside the store |
| `spool_max_bytes` | `AGENTTRACE_SPOOL_MAX_BYTES`                                  | 1 GiB            |

`AGENTTRACE_QUIET` silences the lines at start and exit.
"""

from __future__ import annotations

import logging
import os
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, Literal, TypeAlias, TypeVar, cast

from otel_agenttrace.errors import ConfigError
from otel_agenttrace.instrument.capture import keeps_content
from otel_agenttrace.spool.config import DEFAULT_MAX_BYTES, DURABILITIES, MIN_BYTES

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from opentelemetry.sdk.trace.export import SpanExporter

    from otel_agenttrace.grounding import GroundingChecker
    from otel_agenttrace.pipeline.redact import RedactConfig
    from otel_agenttrace.spool.config import Durability
    from otel_agenttrace.stores.api import SpanStore
    from otel_agenttrace.stores.trace_store import TraceStore

_LOG = logging.getLogger("otel_agenttrace")

ContractMode: TypeAlias = Literal["off", "observe", "enforce"]
CONTRACT_MODES = ("off", "observe", "enforce")

StartRecords: TypeAlias = Literal["these", "all", "none"]
START_RECORDS = ("these", "all", "none")

_YES, _NO = frozenset({"1", "true", "yes", "on"}), frozenset({"0", "false", "no", "off"})
_UNITS = {"b": 1, "kb": 10**3, "mb": 10**6, "gb": 10**9, "kib": 1 << 10, "mib": 1 << 20, "gib": 1 << 30}
_ROOM = re.compile(r"(\d{1,15})\s*([kmg]?i?b)?", re.ASCII)
_NOTHING = frozenset({"none", *_NO})
_MORE_SECRETS = frozenset({"emails", "cards"})

_T = TypeVar("_T")


@dataclass(frozen=True)
class TracingConfig:
    """What `configure_tracing` was asked for, all sources taken together.

    Attributes:
        store: a URL or a store; None to keep nothing.
        exporters: names and exporters; None to go by the environment's endpoints, see `exporters.names`.
        content: whether messages, arguments and results are kept; or the targets that keep them (`store`, names of
            exporters, class names of exporter objects).
        grounding: whether answers are held against their sources, or what does it.
        instrument: names of instrumentors, or `auto`.
        start_records: which spans are recorded when they start, too, see `processors.starts`.
        spool_dir: where the spool is; None for its place by `spool.places`.
        given: the settings that were arguments, and so raise when they turn out to be wrong.
    """

    service_name: str | None = None
    project: str | None = None
    store: str | SpanStore | TraceStore | None = "auto"
    exporters: tuple[str | SpanExporter, ...] | None = None
    contract: ContractMode = "observe"
    contract_file: Path | None = None
    redact: RedactConfig | bool = True
    content: bool | frozenset[str] = True
    grounding: bool | GroundingChecker = True
    instrument: tuple[str, ...] | Literal["auto"] = "auto"
    max_value_bytes: int | None = None
    durability: Durability = "process"
    start_records: StartRecords = "these"
    spool_dir: Path | None = None
    spool_max_bytes: int = DEFAULT_MAX_BYTES
    given: frozenset[str] = field(default=frozenset(), compare=False)

    def keeps_content(self, target: str) -> bool:
        """Whether the content of messages goes to this target."""
        return self.content if isinstance(self.content, bool) else target in self.content

    def refuse(self, setting: str, error: ConfigError) -> None:
        """Raise an error that an argument caused; log one that the environment did."""
        if setting in self.given:
            raise error
        _LOG.error("%s", error)

    def differing(self, other: TracingConfig) -> list[str]:
        """The settings that `other` was given as arguments, and that are not the same here."""
        return sorted(name for name in other.given if getattr(self, name) != getattr(other, name))


def resolve_config(arguments: dict[str, Any]) -> TracingConfig:
    """Take arguments (None: not given), environment and defaults together.

    Raises:
        ConfigError: an argument is not accepted.
    """
    values = {setting.name: setting.resolve(arguments.get(setting.name)) for setting in _SETTINGS}
    if not keeps_content():
        values["content"] = False  # the standard variable keeps content off spans, and nothing of ours overrides that
    given = frozenset(name for name, value in arguments.items() if value is not None)
    return TracingConfig(**values, given=given)


def is_quiet() -> bool:
    """Whether `AGENTTRACE_QUIET` asks for no lines at start and exit."""
    return os.environ.get("AGENTTRACE_QUIET", "").strip().lower() not in ("", *_NO)


def is_sdk_disabled() -> bool:
    """Whether `OTEL_SDK_DISABLED` turns OpenTelemetry off, and us with it."""
    return os.environ.get("OTEL_SDK_DISABLED", "").strip().lower() == "true"


@dataclass(frozen=True)
class _Setting(Generic[_T]):
    name: str
    variables: tuple[str, ...]
    parse: Callable[[Any], _T]
    accepts: str
    default: _T

    def resolve(self, argument: object) -> _T:
        if argument is not None:
            return self._parsed(argument, self.name)
        for variable in self.variables:
            text = os.environ.get(variable, "").strip()
            if text:
                return self._from_environment(variable, text)
        return self.default

    def _from_environment(self, variable: str, text: str) -> _T:
        try:
            return self._parsed(text, variable)
        except ConfigError as error:
            _LOG.error("%s; the default is used", error)
            return self.default

    def _parsed(self, value: object, source: str) -> _T:
        try:
            return self.parse(value)
        except (TypeError, ValueError) as error:
            raise ConfigError(f"{source}={value!r} is not accepted; expected {self.accepts}") from error


def _text(value: Any) -> str:
    if not isinstance(value, str) or not value.strip():
        raise TypeError
    return value.strip()


def _store(value: Any) -> str | SpanStore | TraceStore | None:
    if value is False or (isinstance(value, str) and value.strip().lower() in _NOTHING):
        return None
    if hasattr(value, "write_spans") or hasattr(value, "spans"):
        return cast("SpanStore | TraceStore", value)
    return _text(value)


def _exporters(value: Any) -> tuple[str | SpanExporter, ...]:
    exporters = [value] if callable(getattr(value, "export", None)) else _items(value)
    for exporter in exporters:
        if not isinstance(exporter, str) and not callable(getattr(exporter, "export", None)):
            raise TypeError
    return tuple(exporters)


def _mode(value: Any) -> ContractMode:
    mode = "off" if value is False else _text(value).lower()
    if mode not in CONTRACT_MODES:
        raise ValueError
    return cast("ContractMode", mode)


def _path(value: Any) -> Path:
    return Path(value).expanduser()


def _redact(value: Any) -> RedactConfig | bool:
    from otel_agenttrace.pipeline.redact import RedactConfig  # noqa: PLC0415 - brings RE2, which not every import needs

    if isinstance(value, RedactConfig):
        return value
    if callable(value):
        return RedactConfig(callable=value)
    words = set(value.lower().replace(" ", "").split(",")) if isinstance(value, str) else set()
    if words and words <= _MORE_SECRETS:
        return RedactConfig(emails="emails" in words, cards="cards" in words)
    return _switch(value)


def _content(value: Any) -> bool | frozenset[str]:
    try:
        return _switch(value)
    except (TypeError, ValueError):
        return frozenset(_texts(value))


def _grounding(value: Any) -> bool | GroundingChecker:
    return cast("GroundingChecker", value) if callable(value) else _switch(value)


def _instrument(value: Any) -> tuple[str, ...] | Literal["auto"]:
    if value is True or value == "auto":
        return "auto"
    return () if value is False else tuple(_texts(value))


def _size(value: Any) -> int:
    if isinstance(value, (bool, float)):
        raise TypeError
    return int(value)


def _disk_room(value: Any) -> int:
    """Bytes; a text may end in a unit: `500MB` is 500,000,000 bytes, `1GiB` 1,073,741,824."""
    if isinstance(value, str):
        found = _ROOM.fullmatch(value.strip().lower())
        if found is None:
            raise ValueError
        value = int(found[1]) * _UNITS[found[2] or "b"]
    size = _size(value)
    if size < MIN_BYTES:
        raise ValueError
    return size


def _one_of(*words: str) -> Callable[[Any], str]:
    def parse(value: Any) -> str:
        word = _text(value).lower()
        if word not in words:
            raise ValueError
        return word

    return parse


def _switch(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    word = _text(value).lower()
    if word not in _YES | _NO | {"all", "none"}:
        raise ValueError
    return word in _YES or word == "all"


def _texts(value: Any) -> list[str]:
    return [_text(item) for item in _items(value)]


def _items(value: Any) -> Sequence[Any]:
    """A list as it is; a text as its parts between commas, `none` as an empty list."""
    if not isinstance(value, str):
        return list(value)
    parts = [part.strip() for part in value.split(",") if part.strip()]
    return [] if len(parts) == 1 and parts[0].lower() in _NOTHING else parts


_ON_OFF = "True or False (in the environment: on, off)"

_SETTINGS: tuple[_Setting[Any], ...] = (
    _Setting("service_name", ("AGENTTRACE_SERVICE_NAME",), _text, "a text", None),
    _Setting("project", ("AGENTTRACE_PROJECT",), _text, "a text", None),
    _Setting(
        "store", ("AGENTTRACE_STORE",), _store, "a URL such as sqlite:///traces.db or memory:, a store, or none", "auto"
    ),
    _Setting(
        "exporters",
        ("OTEL_TRACES_EXPORTER", "AGENTTRACE_EXPORTERS"),
        _exporters,
        "span exporters and names of exporters such as otlp, azure, console",
        None,
    ),
    _Setting("contract", ("AGENTTRACE_CONTRACT",), _mode, ", ".join(CONTRACT_MODES), "observe"),
    _Setting("contract_file", ("AGENTTRACE_CONTRACT_FILE",), _path, "the path of a YAML file", None),
    _Setting("redact", ("AGENTTRACE_REDACT",), _redact, f"a RedactConfig, a function, {_ON_OFF}, emails, cards", True),
    _Setting(
        "content", ("AGENTTRACE_CONTENT",), _content, f"{_ON_OFF}, or the names of the targets that keep it", True
    ),
    _Setting("grounding", ("AGENTTRACE_GROUNDING",), _grounding, f"{_ON_OFF}, or a function as `ground` is one", True),
    _Setting(
        "instrument", ("AGENTTRACE_INSTRUMENT",), _instrument, "auto, none, or names such as httpx, openai", "auto"
    ),
    _Setting("max_value_bytes", ("AGENTTRACE_MAX_VALUE_BYTES",), _size, "a number of bytes", None),
    _Setting("durability", ("AGENTTRACE_DURABILITY",), _one_of(*DURABILITIES), ", ".join(DURABILITIES), "process"),
    _Setting(
        "start_records", ("AGENTTRACE_START_RECORDS",), _one_of(*START_RECORDS), ", ".join(START_RECORDS), "these"
    ),
    _Setting("spool_dir", ("AGENTTRACE_SPOOL_DIR",), _path, "the path of a directory", None),
    _Setting(
        "spool_max_bytes",
        ("AGENTTRACE_SPOOL_MAX_BYTES",),
        _disk_room,
        f"a number of bytes from {MIN_BYTES}, or a text such as 500MB or 1GiB",
        DEFAULT_MAX_BYTES,
    ),
)
