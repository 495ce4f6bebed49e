"""A diagnosis as lines: the questions and their answers, and where to start."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from otel_agenttrace.model.plain import plain_text
from otel_agenttrace.views.lines import UNICODE, Glyphs, Line, Segment, cut_line
from otel_agenttrace.views.pipeline_check import gate_lines, gate_shape, labelled
from otel_agenttrace.views.units import counted

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from otel_agenttrace.views.lines import Style
    from otel_agenttrace.workflow.diagnose import Answered, Diagnosis

_ANSWERS: Mapping[str, tuple[str, Style]] = {"yes": ("yes", "ok"), "no": ("NO", "error"), "not_asked": ("-", "dim")}


def format_diagnosis(diagnosis: Diagnosis, *, width: int = 80, glyphs: Glyphs = UNICODE) -> list[Line]:
    """Return a line per question, then where to start and what to do there."""
    lines = [
        cut_line(_answer_line(number, each), width, glyphs) for number, each in enumerate(diagnosis.answers, start=1)
    ]
    return [*lines, (), *_conclusion(diagnosis, width, glyphs)]


def diagnosis_shape(diagnosis: Diagnosis) -> dict[str, Any]:
    """The diagnosis as plain JSON values: what `pipeline diagnose` prints with `--json`."""
    start = diagnosis.start_here
    return {
        "pipeline": diagnosis.pipeline,
        "folder": plain_text(diagnosis.root),
        "status": diagnosis.status,
        "reason": diagnosis.nothing or (start.result.reason if start is not None else ""),
        "questions": [
            {
                "question": each.question,
                "asked": each.asked,
                "answer": each.answer,
                "gate_ids": [gate.result.gate_id for gate in each.gates],
            }
            for each in diagnosis.answers
        ],
        "start_here": None if start is None else gate_shape(start),
    }


def _answer_line(number: int, answered: Answered) -> Line:
    word, style = _ANSWERS[answered.answer]
    gates = f"  {counted(len(answered.gates), 'gate')}" if answered.gates else ""
    return (
        Segment(f"{number}. {answered.asked:<36}", "name" if answered.answer != "not_asked" else "dim"),
        Segment(f"{word:<4}", style),
        Segment(gates, "dim"),
    )


def _conclusion(diagnosis: Diagnosis, width: int, glyphs: Glyphs) -> Iterator[Line]:
    start = diagnosis.start_here
    if diagnosis.nothing:
        yield (Segment("nothing to judge  ", "recovered"),)
        yield from labelled("reason", diagnosis.nothing, width, glyphs)
        action = f"name the folder of a run, or make one: agenttrace pipeline pilot {diagnosis.root}"
        yield from labelled("next", action, width, glyphs)
    elif start is not None:
        yield (Segment("START HERE", "error"),)
        yield from gate_lines(start, width=width, glyphs=glyphs)
    else:
        yield (Segment("all clear  ", "ok"), Segment(f"{diagnosis.pipeline}: every question is answered by yes"))
