"""docs/contract.md, made from the registry."""

from __future__ import annotations

from typing import TYPE_CHECKING

from otel_agenttrace.contract.describe import LEVEL_WORDS, type_text, values_text
from otel_agenttrace.contract.registry import NOT_EXPECTED, OPTIONAL, RECOMMENDED, REQUIRED, TASK_SPAN
from otel_agenttrace.contract.validate import EXCUSED_STATUSES, EXCUSED_TYPE

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from otel_agenttrace.contract.registry import Group, Registry, Requirement

PROJECT_EXAMPLE = """\
file_format: definition/2

attributes:
  - key: acme.ticket
    type: string
    stability: development
    brief: The ticket that asked for the work.
    examples: ["ACME-17"]
    annotations:
      agenttrace: {pattern: 'ACME-\\d+', pattern_says: "a ticket, such as ACME-17"}

span_refinements:
  - id: task.security_review   # a phase of the project's own
    ref: task
    attributes:
      - ref: acme.ticket
        requirement_level: required
      - ref: output.artifact_checksums
        requirement_level: recommended
      - ref: routing.selected_path
        requirement_level: opt_in
        annotations: {agenttrace: {not_expected: true}}
    annotations:
      agenttrace: {phase: SECURITY_REVIEW}
"""

_INTRODUCTION = """\
<!-- Made by `agenttrace contract docs` from otel_agenttrace/contract/registry/*.yaml: change those, run it again. -->

# The attribute contract, version 1

The names below are OpenTelemetry span attributes and span events. They are declared as an
[OpenTelemetry Weaver](https://github.com/open-telemetry/weaver) registry (`file_format: definition/2`), and checked
when a span ends: in the agent (`configure_tracing(contract="observe")`, the default), in anybody's OpenTelemetry set-up
(`ContractSpanProcessor`), and on files (`agenttrace contract check FILE.jsonl`).

A *task span* is a span with `task.status`. Spans below it inherit `project.id`, `task.id`, `task.phase` and
`session.id`, never `task.status` or what belongs to a blocked task.

Each violation becomes an event `agenttrace.contract.violation` of the span, with the attribute, the rule, what is
wrong, and the line of code that set the attribute (`code.file.path`, `code.line.number`, `code.function.name`). In the
mode `enforce`, the helpers of this package also raise `ContractError` where they end such a span.
"""

_PHASES = """\
On a task span, by its `task.phase`. **R** is required: it has to be there when the span ends, unless `task.status`
says that the work was not done ({statuses}) or `task.type` is
`{subtask}`, which does a part of the phase. *r* is recommended, · is optional, ✗ is not expected: it is a violation if
it is there. `OTHER` asks for nothing.
"""

_PROJECT = """\
A project adds its own in one YAML file of the same syntax, named by `configure_tracing(contract_file=...)`,
`AGENTTRACE_CONTRACT_FILE` or `--file`. It may declare attributes, events, attribute groups and span types, and a phase
as a refinement of the span `task`; an entry for a phase of ours adds to that phase or replaces cells of it. What
Weaver's syntax has no words for stands in the annotation `agenttrace`:

| on | annotation | meaning |
| --- | --- | --- |
| attribute | `minimum`, `maximum` | bounds of a number, included |
| attribute | `pattern`, `pattern_says` | a regular expression for all of the text or list item, and in words |
| attribute | `non_empty` | the text is not empty |
| attribute | `closed` | the enum's members are all there is; without it, others are accepted |
| attribute, event | `origin` | it is somebody else's: its values are not checked |
| reference | `when` | required while these attributes have one of these values |
| reference | `not_expected` | a violation if it is there |
| group | `namespace` | how all names of the group begin, up to the first dot |
| group | `unknown`, `unknown_event` | what other such names are: a `violation`, or only a `near_miss` of a known name |
| span | `identified_by` | the attribute that makes a span one of this type |
| span refinement | `phase` | the phase that the refinement is the row of |
"""

_CELLS = {REQUIRED: "**R**", RECOMMENDED: "*r*", OPTIONAL: "·", NOT_EXPECTED: "✗"}


def contract_markdown(registry: Registry) -> str:
    """The whole page."""
    sections = [
        _INTRODUCTION,
        "## Task spans\n",
        _requirement_table(registry.spans[TASK_SPAN].requirements),
        "## Phases\n",
        _phase_list(registry),
        _phase_notes(),
        _phase_table(registry),
        "## Attributes\n",
        *(_group_section(group, registry) for group in registry.groups.values() if group.attributes),
        "## Events\n",
        _event_table(registry),
        "## Rules\n",
        _rule_table(registry),
        "## Attributes and phases of a project\n",
        _PROJECT,
        f"```yaml\n{PROJECT_EXAMPLE}```\n",
    ]
    return "\n".join(sections)


def _phase_notes() -> str:
    return _PHASES.format(statuses=", ".join(f"`{status}`" for status in EXCUSED_STATUSES), subtask=EXCUSED_TYPE)


def _phase_list(registry: Registry) -> str:
    return _table(("phase", ""), [(f"`{phase}`", registry.phase_brief(phase)) for phase in registry.phases])


def _phase_table(registry: Registry) -> str:
    phases = {phase: row for phase, row in registry.phases.items() if row}
    names = dict.fromkeys(name for row in phases.values() for name in row)
    heading = ("", *(f"S{number}" for number in range(1, len(phases) + 1)))
    rows = [(f"`{name}`", *(_cell(row.get(name)) for row in phases.values())) for name in names]
    legend = ", ".join(f"S{number} `{phase}`" for number, phase in enumerate(phases, start=1))
    return f"{_table(heading, rows)}\n{legend}.\n"


def _cell(requirement: Requirement | None) -> str:
    return _CELLS[OPTIONAL if requirement is None else requirement.level]


def _group_section(group: Group, registry: Registry) -> str:
    rows = []
    for name in group.attributes:
        definition = registry.attributes[name]
        about = [_sentence(definition.brief), definition.note]
        if definition.replaced_by:
            about.append(f"Deprecated: {_replacement(definition.replaced_by)}")
        if definition.planned:
            about.append("*Planned.*")
        text = " ".join(part for part in about if part)
        rows.append((f"`{name}`", type_text(definition), values_text(definition, registry), text))
    title = f"### {group.id}\n\n{_sentence(group.brief)}\n"
    return f"{title}\n{_table(('attribute', 'type', 'values', ''), rows)}"


def _replacement(text: str) -> str:
    return text if " " in text else f"now `{text}`."


def _event_table(registry: Registry) -> str:
    rows = []
    for event in registry.events.values():
        text = f"{_sentence(event.brief)} *Planned.*" if event.planned else _sentence(event.brief)
        required = [item for item in event.requirements if item.level == REQUIRED]
        rows.append((f"`{event.name}`", text, ", ".join(f"`{item.attribute}`{_when(item)}" for item in required)))
    return _table(("event", "", "required attributes"), rows)


def _when(requirement: Requirement) -> str:
    return f" ({requirement.condition})" if requirement.condition else ""


def _requirement_table(requirements: Iterable[Requirement]) -> str:
    rows = [(f"`{item.attribute}`", f"{LEVEL_WORDS[item.level]} {item.condition}".strip()) for item in requirements]
    return _table(("attribute", "on a task span"), rows)


def _rule_table(registry: Registry) -> str:
    members = registry.attributes["agenttrace.contract.rule"].members
    return _table(("rule", "broken when"), [(f"`{member.value}`", member.brief) for member in members])


def _sentence(text: str) -> str:
    return text if text.endswith(".") else f"{text}."


def _table(heading: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [heading, ["---"] * len(heading), *rows]
    return "".join(f"| {' | '.join(cell.replace('|', '&#124;') for cell in line)} |\n" for line in lines)
