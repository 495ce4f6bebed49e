"""Handing files from one agent to the next: emitted, received, worked on and answered, all on record as files."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

from otel_agenttrace.instrument.handoff_results import receive_handoff_result
from otel_agenttrace.instrument.handoffs import emit_handoff, receive_handoff
from otel_agenttrace.model.handoff import ExpectedOutput, HandoffContract
from otel_agenttrace.workflow.checks import check_freshness

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from otel_agenttrace.workflow.pilot.folder import RunFolder

_DEADLINE = timedelta(minutes=5)
_FILES = {
    "type": "object",
    "properties": {
        "files": {
            "type": "object",
            "minProperties": 1,
            "additionalProperties": {"type": "string", "pattern": "^sha256:[0-9a-f]{64}$"},
        }
    },
    "required": ["files"],
    "additionalProperties": False,
}
_SCHEMAS = {"files": _FILES}


class HandoffFailedError(Exception):
    """The agent that work was handed to has given it back."""


def hand_over(
    folder: RunFolder,
    name: str,
    parties: tuple[str, str],
    capability: str,
    paths: Iterable[str],
    *,
    work: Callable[[RunFolder], Iterable[str]],
) -> None:
    """Hand files to another agent, which works on them and gives files back.

    Args:
        folder: of the run; the payload and the answer are written into its `handoffs`.
        name: of the handoff's files.
        parties: the agents that hand over and receive.
        capability: what the receiving agent is asked to do.
        paths: the files that are handed over.
        work: what the receiving agent does; returns the paths of the files that it made.

    Raises:
        HandoffFailedError: it is not completed.
        HandoffError: the payload or the answer is not what was agreed on.
    """
    sender, receiver = parties
    contract = HandoffContract(
        from_agent=sender,
        to_agent=receiver,
        capability_id=capability,
        inputs={"files": folder.checksums(paths)},
        expected_output=ExpectedOutput(type="object", schema_ref="files"),
        deadline=(datetime.now(timezone.utc) + _DEADLINE).isoformat(),
    )
    payload = emit_handoff(contract, capabilities={capability: "files"}, schemas=_SCHEMAS)
    folder.write(f"handoffs/{name}.json", payload)
    answer = _receive(folder, folder.read(f"handoffs/{name}.json"), receiver, capability, work)
    folder.write(f"handoffs/{name}.answer.json", answer)
    result = receive_handoff_result(folder.read(f"handoffs/{name}.answer.json"), contract, schemas=_SCHEMAS)
    if result.handoff.status != "completed":
        raise HandoffFailedError(f"{receiver} gave {capability} back: {result.handoff.error}")


def _receive(
    folder: RunFolder,
    payload: dict[str, Any],
    agent: str,
    capability: str,
    work: Callable[[RunFolder], Iterable[str]],
) -> dict[str, Any]:
    with receive_handoff(payload, agent=agent, capabilities={capability: "files"}, schemas=_SCHEMAS) as handoff:
        found = check_freshness(handoff.inputs["files"], root=folder.root)
        if found.result != "pass":
            return handoff.fail(found.reason)
        return handoff.complete({"files": folder.checksums(work(folder))})
