"""Files in the OTLP file format, whole, broken, packed and huge."""

from __future__ import annotations

import gzip
import io
import json
import tracemalloc
from pathlib import Path

import pytest

from otel_agenttrace.otlp.decode import LENIENT
from otel_agenttrace.otlp.encode import encode_json
from otel_agenttrace.otlp.jsonl import Line, read_jsonl, write_jsonl
from otel_agenttrace.testing.spans import TRACE_ID, make_span

DATA = Path(__file__).parent.parent / "data" / "otlp"
RECORDED = Path(__file__).parents[2].parent / "shared" / "traces"

GOOD = encode_json([make_span()])
OTHER_TRACE = TRACE_ID[:-1] + "6"


def read(text: bytes, **options: int) -> list[Line]:
    """What the lines of a stream hold."""
    return list(read_jsonl(io.BytesIO(text), **options))


def errors(lines: list[Line]) -> list[str]:
    """All errors of some lines."""
    return [str(error) for line in lines for error in line.errors]


def span_counts(lines: list[Line]) -> list[tuple[int, int]]:
    """Number and span count of each line."""
    return [(line.number, len(line.spans)) for line in lines]


def test_what_was_written_is_read(tmp_path: Path) -> None:
    """One line for each trace, equal spans when read again."""
    path = tmp_path / "traces.jsonl"
    spans = [make_span(), make_span(span_id="1" * 16), make_span(trace_id=OTHER_TRACE)]
    with path.open("wb") as stream:
        assert write_jsonl(spans, stream) == 2

    assert path.read_bytes().count(b"\n") == 2
    assert [span for line in read_jsonl(path) for span in line.spans] == spans


def test_a_broken_line_takes_no_good_one_with_it(tmp_path: Path) -> None:
    """Each bad line is one error that names file, line and what is wrong; the rest is read."""
    path = tmp_path / "traces.jsonl"
    bad_id = GOOD.replace(TRACE_ID.encode(), b"xyz")
    path.write_bytes(b"\n".join([GOOD, GOOD[:50], b"", b"[1]", b'{"resourceLogs":[]}', bad_id, b"  \t", GOOD]))

    lines = list(read_jsonl(str(path)))

    assert span_counts(lines) == [(1, 1), (2, 0), (4, 0), (5, 0), (6, 0), (8, 1)]
    assert errors(lines)[0].startswith(f"{path}:2: not JSON: ")
    assert errors(lines)[1:] == [
        f"{path}:4: not a JSON object: 1",
        f"{path}:5: not trace data: no resourceSpans, but ['resourceLogs']",
        f"{path}:6: span 1: traceId is not 32 hex digits: 'xyz'",
    ]


def test_a_torn_last_line_is_an_error_of_its_own() -> None:
    """A file whose writer died holds what was written before."""
    lines = read(GOOD + b"\n" + GOOD[:-10])

    assert span_counts(lines) == [(1, 1), (2, 0)]
    assert errors(lines)[0].startswith("<stream>:2: not JSON: ")


def test_a_broken_first_line_is_only_that() -> None:
    """A bad first line does not make the file something else."""
    assert span_counts(read(b"garbage\n" + GOOD + b"\n")) == [(1, 0), (2, 1)]


def test_bytes_that_are_no_utf_8_are_kept_and_flagged() -> None:
    """The line is read, with a warning that names it."""
    (line,) = read(GOOD.replace(b"booking", b"b\xffoking"))

    assert line.spans[0].name == "invoke_agent b\ufffdoking"
    assert line.warnings[0].startswith("<stream>:1: read leniently")


@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
@pytest.mark.parametrize("start", [b"", b"\xef\xbb\xbf", b"\n\n"])
def test_files_of_other_systems_are_read(start: bytes, end: bytes) -> None:
    """Byte order marks, line ends of Windows and blank lines are passed over."""
    assert [len(line.spans) for line in read(start + GOOD + end + GOOD + end)] == [1, 1]


@pytest.mark.parametrize("indent", [1, 4])
def test_a_pretty_printed_document_is_read(indent: int) -> None:
    """One document over many lines counts as one line."""
    text = json.dumps(json.loads(GOOD), indent=indent).encode()

    assert span_counts(read(b"\n" + text)) == [(2, 1)]


@pytest.mark.parametrize(
    "text",
    [
        b"[" + GOOD + b"," + GOOD + b"]",
        b"[" + GOOD + b",\n" + GOOD + b"]\n",
        b"[" + GOOD + b"\n," + GOOD + b"]\n",
        b"[\n" + GOOD + b",\n" + GOOD + b"\n]\n",
        json.dumps([json.loads(GOOD)] * 2, indent=2).encode(),
    ],
)
def test_an_array_of_documents_is_read(text: bytes) -> None:
    """On one line, a line each, or pretty-printed."""
    assert span_counts(read(text)) == [(1, 2)]


def test_a_broken_document_names_the_line_inside() -> None:
    """The place is counted from where the document starts."""
    assert "at line 3, column " in errors(read(b"{\n\n!}\n"))[0]


def test_gzip_is_recognised_by_its_content(tmp_path: Path) -> None:
    """Packed files are read whatever they are called, in several parts too."""
    path = tmp_path / "traces.jsonl"
    path.write_bytes(gzip.compress(GOOD + b"\n") + gzip.compress(GOOD + b"\n"))

    assert span_counts(list(read_jsonl(path))) == [(1, 1), (2, 1)]


def test_damaged_gzip_gives_what_stands_before_the_damage() -> None:
    """A packed file that was cut short is read as far as it goes, then named as damaged."""
    packed = gzip.compress(b"".join(GOOD + b"%d\n" % number for number in range(3)), compresslevel=0)
    lines = read(packed[:-40])

    assert [line.number for line in lines] == [1, 2, 3]
    assert errors(lines)[-1].startswith("<stream>:3: damaged gzip data")


def test_a_huge_line_is_refused_without_holding_it(tmp_path: Path) -> None:
    """A line beyond the bound is passed over in pieces; the lines around it are read."""
    path = tmp_path / "huge.jsonl"
    with path.open("wb") as stream:
        stream.write(GOOD + b"\n")
        for _ in range(64):
            stream.write(b"x" * 1_000_000)
        stream.write(b"\n" + GOOD + b"\n")

    tracemalloc.start()
    lines = list(read_jsonl(path, max_line_bytes=1_000_000))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert span_counts(lines) == [(1, 1), (2, 0), (3, 1)]
    assert errors(lines) == [f"{path}:2: longer than 1000000 bytes"]
    assert peak < 10_000_000


def test_a_huge_document_is_refused() -> None:
    """The bound is for whole documents too, since they cannot be streamed."""
    text = json.dumps(json.loads(GOOD), indent=1).encode()

    assert errors(read(text, max_line_bytes=len(text) - 1)) == [f"<stream>:1: longer than {len(text) - 1} bytes"]
    assert span_counts(read(text, max_line_bytes=len(text))) == [(1, 1)]


def test_a_line_of_exactly_the_bound_is_read() -> None:
    """With or without a line end."""
    for text in (GOOD, GOOD + b"\n" + GOOD):
        assert all(line.spans for line in read(text, max_line_bytes=len(GOOD)))


def test_a_zip_bomb_stays_within_bounds() -> None:
    """What a few kilobytes unpack to is not held."""
    tracemalloc.start()
    lines = read(gzip.compress(b"x" * 50_000_000), max_line_bytes=1_000_000)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert errors(lines) == ["<stream>:1: longer than 1000000 bytes"]
    assert peak < 60_000_000


def test_a_stream_is_left_open() -> None:
    """Who opened it closes it."""
    stream = io.BytesIO(GOOD)
    list(read_jsonl(stream))

    assert not stream.closed


def test_an_empty_file_holds_nothing(tmp_path: Path) -> None:
    """No lines, no errors."""
    path = tmp_path / "empty.jsonl"
    path.touch()

    assert list(read_jsonl(path)) == []


def test_a_missing_file_raises(tmp_path: Path) -> None:
    """There is nothing to read line by line."""
    with pytest.raises(FileNotFoundError):
        list(read_jsonl(tmp_path / "none.jsonl"))


def test_what_is_odd_is_kept() -> None:
    """Every line of the file of odd telemetry is read; only what is no Unicode is flagged."""
    lines = list(read_jsonl(DATA / "odd.jsonl"))

    assert not errors(lines)
    assert sum(len(line.spans) for line in lines) == 14
    assert [(line.spans[0].name, line.warnings) for line in lines if line.warnings] == [
        ("is no\ufffd UTF-8", [f"{DATA / 'odd.jsonl'}:20: {LENIENT}"]),
        ("has half a surrogate \ufffd", [f"{DATA / 'odd.jsonl'}:21: {LENIENT}"]),
    ]


def test_what_is_bad_is_refused_line_by_line() -> None:
    """Every bad line of the file of broken telemetry says why; the good spans in it are read."""
    path = DATA / "bad.jsonl"
    lines = list(read_jsonl(path))
    reasons = [reason.removeprefix(f"{path}:") for reason in errors(lines)]

    assert [span.name for line in lines for span in line.spans] == ["is good", "is good beside a bad one", "is good"]
    assert [reason.partition(":")[0] for reason in reasons] == [str(number) for number in range(2, 18)]
    assert [reason.partition(": ")[2] for reason in reasons[2:]] == [
        "not a JSON object: 1",
        "not trace data: no resourceSpans, but ['resourceLogs']",
        "resourceSpans is not an array: 'none'",
        "span 1: traceId is not 32 hex digits: 'xyz'",
        "span 1: traceId is all zeros",
        "span 1: spanId is missing",
        "span 1: name is not a string: 7",
        "span 1: startTimeUnixNano is not within int64 nanoseconds: 9223372036854775808",
        "span 1: startTimeUnixNano is not an integer: 'soon'",
        "span 1: attributes is not an array: {'a': 1}",
        "span 1: attribute 'k': intValue is not an integer: '1.5'",
        "span 1: events holds what is not an object: 'exception'",
        "span 1: spanId is not 16 hex digits: '\\x1b[2J'",
        "span 2: spanId is not 16 hex digits: '1'",
    ]
    assert all(reason.isprintable() for reason in reasons)


@pytest.mark.skipif(not RECORDED.is_dir(), reason=f"recorded traces are not at {RECORDED}")
def test_recorded_traces_of_real_frameworks_are_read_and_written_back() -> None:
    """Every span of every framework survives a turn through our own writer."""
    for path in sorted(RECORDED.glob("*.jsonl")):
        lines = list(read_jsonl(path))
        spans = [span for line in lines for span in line.spans]
        stream = io.BytesIO()
        write_jsonl(spans, stream)
        again = [span for line in read(stream.getvalue()) for span in line.spans]

        assert spans
        assert not errors(lines)
        assert sorted(map(repr, again)) == sorted(map(repr, spans)), path
