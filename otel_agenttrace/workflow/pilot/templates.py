"""What an artifact of each kind looks like: a panel, an alert, a service level objective, a runbook."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


def content_of(kind: str, title: str, service: str, parameters: Mapping[str, Any]) -> str:
    """The text of an artifact, with the values of its parameters in it."""
    return _KINDS[kind](title, service, parameters)


def lines_in(text: str) -> int:
    """How many lines a text has."""
    return len(text.splitlines())


def _panel(title: str, service: str, parameters: Mapping[str, Any]) -> str:
    buckets = f'http_server_request_duration_seconds_bucket{{service_name="{service}"}}'
    panel = {
        "title": title,
        "type": "timeseries",
        "service": service,
        "targets": [{"expr": f"histogram_quantile(0.99, sum by (le) (rate({buckets}[5m])))", "legend": "p99"}],
        "unit": "s",
        "parameters": dict(parameters),
    }
    return json.dumps(panel, indent=2, ensure_ascii=False) + "\n"


def _alert(title: str, service: str, parameters: Mapping[str, Any]) -> str:
    return _yaml(
        "alert",
        title,
        service,
        parameters,
        f"expr: rate(http_server_errors_total{{service_name={service}}}[5m])",
        "labels:",
        "  severity: page",
    )


def _slo(title: str, service: str, parameters: Mapping[str, Any]) -> str:
    return _yaml(
        "slo",
        title,
        service,
        parameters,
        "window: 30d",
        "indicator:",
        f"  good: http_server_requests_total{{service_name={service},outcome=ok}}",
        f"  total: http_server_requests_total{{service_name={service}}}",
    )


def _yaml(kind: str, title: str, service: str, parameters: Mapping[str, Any], *lines: str) -> str:
    head = [f"kind: {kind}", f"title: {json.dumps(title, ensure_ascii=False)}", f"service: {service}", *lines]
    values = [f"  {name}: {json.dumps(value)}" for name, value in parameters.items()]
    return "\n".join([*head, "parameters:" if values else "parameters: {}", *values]) + "\n"


def _runbook(title: str, service: str, parameters: Mapping[str, Any]) -> str:
    limits = [f"- {name}: {value}" for name, value in parameters.items()]
    lines = [f"# {title}", "", f"Service: {service}", "", "## Limits", "", *limits, "", "## When one is broken", ""]
    return "\n".join([*lines, "1. Look at the panel.", "2. Roll back the last change.", "3. Tell the owner."]) + "\n"


_KINDS = {"panel": _panel, "alert": _alert, "slo": _slo, "runbook": _runbook}
