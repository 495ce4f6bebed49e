"""run_pilot: the pipeline PI-101-002 from its sources to the final set, with every gate on the way."""

from __future__ import annotations

from typing import TYPE_CHECKING

from otel_agenttrace.errors import ConfigError
from otel_agenttrace.workflow.definition import load_definition
from otel_agenttrace.workflow.pilot.agents import hand_over
from otel_agenttrace.workflow.pilot.designing import design_features
from otel_agenttrace.workflow.pilot.exporting import export, gap_id, take_stock
from otel_agenttrace.workflow.pilot.folder import RunFolder
from otel_agenttrace.workflow.pilot.implementing import AGENT, implement_designs
from otel_agenttrace.workflow.pilot.injections import NONE, Injections
from otel_agenttrace.workflow.pilot.measures import measures_of
from otel_agenttrace.workflow.pilot.planning import plan_features, route
from otel_agenttrace.workflow.pilot.reviewing import reconcile, review_results
from otel_agenttrace.workflow.pilot.testing import test_artifacts

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterable, Mapping

    from opentelemetry.trace import Span

    from otel_agenttrace.instrument.gates import Override
    from otel_agenttrace.workflow.definition import PipelineDefinition
    from otel_agenttrace.workflow.phases import PipelineResult, Work

END = "end"
"""Behind the last phase."""


def run_pilot(
    root: str | os.PathLike[str],
    injections: Injections = NONE,
    *,
    start_at: str = "S1",
    before_phase: Callable[[str], object] | None = None,
    overrides: Mapping[str, Override] | None = None,
) -> PipelineResult:
    """Run the ten phases on the files of a folder, each of which is made on the way; all as spans.

    Args:
        root: the folder; made if it is not there. Sources that are there already are taken as they are.
        injections: what goes wrong on purpose.
        start_at: the first phase whose work is done, or `end` for none. Those before it pass their gates again, over
            the files of the run before.
        before_phase: called with the id of each phase before it begins, as a pause to look at the files.
        overrides: by gate id.

    Raises:
        ConfigError: the folder cannot be used, has other things in it, or another run is at work in it, of whatever
            process; there is no such phase to start at, or no such feature to drop.
        TaskStateError: a run in another folder is at work in this process: both have tasks of the same ids.
    """
    definition = load_definition()
    ids = [phase.id for phase in definition.phases]
    if start_at not in (*ids, END):
        raise ConfigError(f"pilot: there is no phase {start_at} to start at: expected one of {', '.join((*ids, END))}")
    folder = RunFolder(root)
    todo = [] if start_at == END else ids[ids.index(start_at) :]
    with folder.held():
        _check_dropped(folder, injections.drop_features)
        folder.prepare(definition.id, todo)
        pilot = _Pilot(definition, folder, injections, todo)
        pipeline = definition.pipeline(folder.root, pilot.work())
        return pipeline.run(overrides=overrides, before_phase=before_phase)


def _check_dropped(folder: RunFolder, dropped: Iterable[str]) -> None:
    requirements = [
        each for each in folder.requirements() if isinstance(each, dict) and isinstance(each.get("id"), str)
    ]
    known = [gap_id(each["id"]) for each in requirements if not each.get("met")]
    unknown = [each for each in dropped if each not in known]
    if unknown and requirements:
        expected = f"expected one of {', '.join(known)}" if known else "there is no gap"
        raise ConfigError(f"pilot: there is no feature {unknown[0]} to drop: {expected}")


class _Pilot:
    """The work of the phases.

    Args:
        definition: of the pipeline.
        folder: of the run.
        injections: what goes wrong on purpose.
        todo: the phases whose work is done; those before are looked at alone.
    """

    def __init__(
        self, definition: PipelineDefinition, folder: RunFolder, injections: Injections, todo: list[str]
    ) -> None:
        self._definition, self._folder, self._injections, self._todo = definition, folder, injections, todo

    def work(self) -> dict[str, Work]:
        """By the ids of phases and steps."""
        parts: dict[str, Callable[[], object]] = {
            "S1": lambda: take_stock(self._folder),
            "S2-C1": lambda: export(self._folder, self._definition.id, self._injections.source_checksum),
            "S4-C1": lambda: plan_features(self._folder, self._injections.drop_features),
            "S5": lambda: route(self._folder),
            "S6-C1": self._hand_to_designer,
            "S7-C1": self._hand_to_implementer,
            "S8": self._hand_to_tester,
            "S9": self._hand_to_reviewer,
            "S10-C1": lambda: reconcile(self._folder),
        }
        steps = {part: self._step(part, do) for part, do in parts.items() if "-" in part}
        phases = {phase.id: self._phase(phase.id, parts.get(phase.id)) for phase in self._definition.phases}
        return {**steps, **phases}

    def _step(self, part: str, do: Callable[[], object]) -> Work:
        def run(_: Span) -> None:
            if part.partition("-")[0] in self._todo:
                self._folder.forget()
                do()

        return run

    def _phase(self, phase: str, do: Callable[[], object] | None) -> Work:
        """A phase's own work, if it has any; then its stage of the provenance, and what it says on its span."""

        def run(span: Span) -> None:
            if phase in self._todo:
                if do is not None:
                    self._folder.forget()
                    do()
                self._folder.record(self._definition.id, phase)
            span.set_attributes(measures_of(phase, self._folder))
            self._folder.forget()

        return run

    def _hand_to_designer(self) -> None:
        given = ("export/contract.json", "export/artifact-manifest.json", "features.json", "routing.json")
        hand_over(self._folder, "design", ("planner", "designer"), "design-features", given, work=design_features)

    def _hand_to_implementer(self) -> None:
        given = ("export/contract.json", *self._folder.names("design"))
        hand_over(self._folder, "implement", ("designer", AGENT), "implement-designs", given, work=implement_designs)

    def _hand_to_tester(self) -> None:
        given = ("artifacts.json", *self._folder.names("artifacts"))

        def work(folder: RunFolder) -> list[str]:
            return test_artifacts(folder, self._injections.test_failures)

        hand_over(self._folder, "test", (AGENT, "tester"), "test-artifacts", given, work=work)

    def _hand_to_reviewer(self) -> None:
        given = ("artifacts.json", "test-results.json")
        hand_over(self._folder, "review", ("tester", "reviewer"), "review-results", given, work=review_results)
