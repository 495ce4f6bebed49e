"""Test results: all tests that were run have passed, and some were run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from otel_agenttrace.workflow.checks.bounds import DEFAULT_BOUNDS, Bounds
from otel_agenttrace.workflow.checks.findings import conclude, evidence, finding, items_in, shown
from otel_agenttrace.workflow.outcome import skipped

if TYPE_CHECKING:
    from collections.abc import Iterable

    from otel_agenttrace.workflow.outcome import CheckOutcome


def check_test_results(
    tests: Iterable[Mapping[str, object]] | None,
    *,
    passed: object = None,
    failed: object = None,
    bounds: Bounds = DEFAULT_BOUNDS,
) -> CheckOutcome:
    """Whether each test has passed, has been run once, and the counts beside the list are those of the list.

    Args:
        tests: each with `id`, `outcome` (`passed`, or anything else for a test that did not) and `message`. None run
            is nothing to check: skipped.
        passed: how many the summary says have passed; not compared if not given.
        failed: how many it says have not; as above.
        bounds: of what is told.
    """
    listed = [] if tests is None else items_in(tests)
    if listed is None:
        problem = f"the tests are {shown(tests)}, not a list of results"
        return conclude([finding(problem, "give the results as a list", "count", "tests")], (), "", bounds)
    if not listed:
        return skipped("no test was run", "run the tests")
    findings, looked_at, seen = [], [], set()
    for position, test in enumerate(listed):
        test_id = test.get("id") if isinstance(test, Mapping) else None
        if not isinstance(test, Mapping) or not isinstance(test_id, str) or not test_id.strip():
            problem = f"result {position + 1} of the list is {shown(test)} without the id of a test"
            findings.append(finding(problem, "write the results anew", "id", f"tests[{position}]"))
            continue
        if test_id in seen:
            problem = f"test {shown(test_id)} has two results"
            findings.append(finding(problem, f"run {test_id} again, once", "id", test_id))
        seen.add(test_id)
        if test.get("outcome") == "passed":
            looked_at.append(evidence("id", test_id, "passed"))
        else:
            said = f": {test['message']}" if isinstance(test.get("message"), str) and test["message"] else ""
            problem = f'test {shown(test_id)} is {shown(test.get("outcome"))}, expected "passed"{said}'
            findings.append(finding(problem, f"mend what {test_id} tests, and run it again", "id", test_id))
    for name, told, counted in (("passed", passed, len(looked_at)), ("failed", failed, len(listed) - len(looked_at))):
        if told is not None and (told != counted or isinstance(told, bool)):
            problem = f"the summary says {shown(told)} {name}, the list has {counted}"
            findings.append(finding(problem, "write the summary from the list", "count", name))
    return conclude(findings, looked_at, f"tests that passed: {len(looked_at)} of {len(listed)}", bounds)
