"""The gates of a run, as a table, with what there is to be done about each that is not fine."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from otel_agenttrace.model.plain import plain_text
from otel_agenttrace.views.lines import UNICODE, Glyphs, Line, Segment, cut_line
from otel_agenttrace.views.table import Cell, Column, format_table
from otel_agenttrace.views.text import one_line, wrap
from otel_agenttrace.views.units import counted

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from otel_agenttrace.model.gate import GateResult
    from otel_agenttrace.views.lines import Style
    from otel_agenttrace.workflow.integrity import IntegrityGate, IntegrityReport

RESULT_STYLES: Mapping[str, Style] = {
    "pass": "ok",
    "fail": "error",
    "skipped": "recovered",
    "passed": "ok",
    "failed": "error",
}
_WORST = ("fail", "skipped", "pass")
_MAX_LINES = 6
_MAX_EVIDENCE = 3
_LABEL = 10


def format_report(
    report: IntegrityReport, *, each_gate: bool = False, width: int = 80, glyphs: Glyphs = UNICODE
) -> list[Line]:
    """Return a table, then reason, evidence and next action of every gate that is not fine, then the result.

    Args:
        report: what was found.
        each_gate: whether every gate has its line in the table, in the order in which a run passes them; else those of
            one category share a line.
        width: in columns.
        glyphs: to draw with.
    """
    lines = _gate_table(report, width, glyphs) if each_gate else _category_table(report, width, glyphs)
    alike: dict[tuple[str, str], list[IntegrityGate]] = {}
    for gate in report.gates:
        if not gate.is_fine:
            alike.setdefault((gate.result.reason, gate.result.next_action), []).append(gate)
    for first, *others in alike.values():
        lines += [(), *gate_lines(first, others, width=width, glyphs=glyphs)]
    return [*lines, (), *_summary(report, width, glyphs)]


def gate_lines(
    gate: IntegrityGate, others: Sequence[IntegrityGate] = (), *, width: int = 80, glyphs: Glyphs = UNICODE
) -> Iterator[Line]:
    """Yield what is wrong at a gate, what was looked at, and what to do about it.

    Args:
        gate: one that is not fine.
        others: that say the same.
        width: in columns.
        glyphs: to draw with.
    """
    result = gate.result
    place = f" {glyphs.dot} {gate.part_id} {result.phase} {glyphs.dot} "
    head = (Segment(result.gate_id, "heading"), Segment(place, "dim"))
    more = f", and of {counted(len(others), 'gate')} more" if others else ""
    yield cut_line((*head, Segment(result.result, RESULT_STYLES[result.result]), Segment(more)), width, glyphs)
    yield from labelled("reason", result.reason, width, glyphs)
    yield from _evidence_lines(result, width, glyphs)
    yield from labelled("next", result.next_action, width, glyphs)


def _evidence_lines(result: GateResult, width: int, glyphs: Glyphs) -> Iterator[Line]:
    """What the reason speaks of; where that is of no evidence, such as of an exception, the first piece in full."""
    told = [piece for piece in result.evidence if piece.description and piece.description in result.reason]
    texts = [f"{piece.type} {piece.ref}" for piece in told[:_MAX_EVIDENCE]]
    texts = texts or [f"{piece.type} {piece.ref}: {piece.description}" for piece in result.evidence[:1]]
    more = len(result.evidence) - len(texts)
    for text in [*texts, *([f"{more} more: see --json"] if more else [])]:
        yield from labelled("evidence", text, width, glyphs, most=2)


def labelled(label: str, text: str, width: int, glyphs: Glyphs, *, most: int = _MAX_LINES) -> Iterator[Line]:
    """Yield a text behind a label, on as many lines as it takes; nothing for an empty text."""
    pieces = wrap(text, max(width - _LABEL - 2, 20), most=most, ellipsis=glyphs.ellipsis)
    for index, piece in enumerate(pieces):
        name = f"{label[:_LABEL]:<{_LABEL}}" if index == 0 else " " * _LABEL
        yield (Segment(f"  {name}", "dim"), Segment(piece))


def report_shape(report: IntegrityReport) -> dict[str, Any]:
    """The report as plain JSON values: what `pipeline check` prints with `--json`."""
    first = report.first_problem
    return {
        "pipeline": report.pipeline,
        "folder": plain_text(report.root),
        "status": report.status,
        "counts": _counts(report),
        "first_problem": None if first is None else first.result.gate_id,
        "gates": [gate_shape(gate) for gate in report.gates],
    }


def gate_shape(gate: IntegrityGate) -> dict[str, Any]:
    """One gate as plain JSON values: the fields of GateResult, and what the pipeline says of it."""
    return {
        "part_id": gate.part_id,
        "question": gate.question,
        "category": gate.category,
        "title": gate.title,
        "required": gate.required,
        **gate.result.model_dump(mode="json"),
    }


def _gate_table(report: IntegrityReport, width: int, glyphs: Glyphs) -> list[Line]:
    columns = (
        Column("RESULT", whole=True),
        Column("PART", whole=True),
        Column("GATE", most=32),
        Column("WHAT WAS FOUND", share=True),
    )
    rows = [
        (
            _result_cell(gate.result.result, is_fine=gate.is_fine),
            Cell(gate.part_id, "dim"),
            Cell(gate.result.gate_id, "heading"),
            _found_cell(gate),
        )
        for gate in report.gates
    ]
    return format_table(columns, rows, width=width, glyphs=glyphs)


def _category_table(report: IntegrityReport, width: int, glyphs: Glyphs) -> list[Line]:
    columns = (
        Column("RESULT", whole=True),
        Column("CHECKED", whole=True),
        Column("GATES", right=True),
        Column("WHAT WAS FOUND", share=True),
    )
    categories: dict[str, list[IntegrityGate]] = {}
    for gate in report.gates:
        categories.setdefault(gate.category, []).append(gate)
    rows = []
    for category, gates in categories.items():
        worst = min(gates, key=lambda gate: (gate.is_fine, _WORST.index(gate.result.result)))
        fine = sum(gate.is_fine for gate in gates)
        rows.append(
            (
                _result_cell(worst.result.result, is_fine=worst.is_fine),
                Cell(category, "heading"),
                Cell(f"{fine} of {len(gates)}", "" if fine < len(gates) else "dim"),
                Cell(_parts(gates), "dim") if worst.result.result == "pass" else _found_cell(worst),
            )
        )
    return format_table(columns, rows, width=width, glyphs=glyphs)


def _result_cell(result: str, *, is_fine: bool) -> Cell:
    return Cell(result, "dim" if is_fine and result == "skipped" else RESULT_STYLES[result])


def _found_cell(gate: IntegrityGate) -> Cell:
    if gate.is_fine:
        return Cell(one_line(gate.result.reason or gate.title), "dim")
    return Cell(one_line(f"{gate.result.gate_id}: {gate.result.reason}"))


def _parts(gates: Sequence[IntegrityGate]) -> str:
    return ", ".join(dict.fromkeys(gate.part_id for gate in gates))


def _counts(report: IntegrityReport) -> dict[str, int]:
    results = [gate.result.result for gate in report.gates]
    return {"pass": results.count("pass"), "fail": results.count("fail"), "skipped": results.count("skipped")}


def _summary(report: IntegrityReport, width: int, glyphs: Glyphs) -> Iterator[Line]:
    counts = _counts(report)
    said = f"{counted(counts['pass'], 'gate')} passed"
    said += f", {counts['fail']} failed" if counts["fail"] else ""
    said += f", {counts['skipped']} skipped" if counts["skipped"] else ""
    line = (Segment(f"{report.status}  ", RESULT_STYLES[report.status]), Segment(f"{report.pipeline}: {said}"))
    yield cut_line(line, width, glyphs)
    first = report.first_problem
    if first is not None:
        yield (Segment(f"start at {first.result.gate_id}: what comes after it may follow from it", "dim"),)
