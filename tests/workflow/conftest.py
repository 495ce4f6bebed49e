"""Fixtures of the tests of pipelines."""

from __future__ import annotations

from tests.workflow.runs import clean_run, pilot_run

__all__ = ["clean_run", "pilot_run"]
