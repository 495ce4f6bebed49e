"""JsonlSpanExporter: spans as OTLP JSON lines, the format of OpenTelemetry's file exporters."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING

from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

from otel_agenttrace.losses import LossLog
from otel_agenttrace.model.readable import source_record
from otel_agenttrace.otlp.encode import encode_json

if TYPE_CHECKING:
    from collections.abc import Sequence

    from opentelemetry.sdk.trace import ReadableSpan

    from otel_agenttrace.model.record import SpanRecord
    from otel_agenttrace.processors.intake import Intake

PATH_VARIABLE = "AGENTTRACE_JSONL_PATH"
DEFAULT_PATH = "agenttrace.jsonl"

_FLAGS = os.O_RDWR | os.O_APPEND | os.O_CREAT


class JsonlSpanExporter(SpanExporter):
    """Appends one line to a file for each batch: a TracesData as JSON.

    Several threads and processes may write to one file: a line is one `write()` in append mode. The file is opened for
    each batch, so it may be moved away at any time, and a fork needs no care. A new file is readable by its owner only.

    Spans that went through `configure_tracing` or a StagedSpanExporter have been redacted; others are redacted here,
    so that it is safe alone.

    Args:
        path: where to write; else `AGENTTRACE_JSONL_PATH`, else `agenttrace.jsonl` in the current folder. A missing
            folder is created.

    Attributes:
        path: absolute.
        losses: counts the spans that could not be written.
    """

    def __init__(self, path: str | os.PathLike[str] | None = None) -> None:
        self.path = Path(path or os.environ.get(PATH_VARIABLE) or DEFAULT_PATH).expanduser().absolute()
        self.losses = LossLog()
        self._intake: Intake | None = None
        self._is_shut_down = False

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Append the spans; never raises: what cannot be written is counted, logged now and then, and a FAILURE."""
        if self._is_shut_down:
            self.losses.add("shut_down", len(spans), f"spans that ended after shutdown were not written to {self.path}")
            return SpanExportResult.FAILURE
        try:
            records = self._records(spans)
            if records:
                self._append(encode_json(records) + b"\n")
        except OSError as error:
            self.losses.add("write", len(spans), f"spans could not be written to {self.path}: {error.strerror}")
            return SpanExportResult.FAILURE
        except Exception as error:  # noqa: BLE001 - whatever is wrong with a span, the agent goes on
            self.losses.add("encode", len(spans), "spans could not be encoded", error)
            return SpanExportResult.FAILURE
        return SpanExportResult.SUCCESS if len(records) == len(spans) else SpanExportResult.FAILURE

    def shutdown(self) -> None:
        """Refuse what comes later; what was exported is in the file."""
        self._is_shut_down = True

    def force_flush(self, timeout_millis: int = 30000) -> bool:
        """Nothing is held back, so there is nothing to wait for."""
        del timeout_millis
        return True

    def _records(self, spans: Sequence[ReadableSpan]) -> list[SpanRecord]:
        records = [record for span in spans if (record := source_record(span)) is not None]
        return records if len(records) == len(spans) else self._own_intake().records(spans, self.losses)

    def _own_intake(self) -> Intake:
        if self._intake is None:
            from otel_agenttrace.processors.intake import Intake  # noqa: PLC0415 - redaction and contract, unless done

            self._intake = Intake.from_environment()
        return self._intake

    def _append(self, line: bytes) -> None:
        descriptor = self._open()
        try:
            if _ends_within_a_line(descriptor):
                line = b"\n" + line
            rest = memoryview(line)
            # More than once only where the disk fills up meanwhile, and then the next call raises.
            while rest:
                rest = rest[os.write(descriptor, rest) :]
        finally:
            os.close(descriptor)

    def _open(self) -> int:
        try:
            return os.open(self.path, _FLAGS, 0o600)
        except FileNotFoundError:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            return os.open(self.path, _FLAGS, 0o600)


def _ends_within_a_line(descriptor: int) -> bool:
    """Whether somebody's write broke off: a line behind it would be lost with it."""
    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode) or status.st_size == 0:
        return False
    os.lseek(descriptor, -1, os.SEEK_END)
    return os.read(descriptor, 1) != b"\n"
