"""The demo's tool server."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from otel_agenttrace.demo.server import ToolServer

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def server() -> Iterator[ToolServer]:
    """A running tool server."""
    with ToolServer() as running:
        yield running


def call(server: ToolServer, name: Any, arguments: Any, **request: Any) -> httpx.Response:
    """One `tools/call`."""
    params = {"name": name, "arguments": arguments}
    body = {"jsonrpc": "2.0", "id": 7, "method": "tools/call", "params": params} | request
    return httpx.post(server.url, json=body, timeout=10, trust_env=False)


def test_a_good_call_is_answered(server: ToolServer) -> None:
    """The result is there as a value and as text, under the id of the request."""
    response = call(server, "get_weather", {"city": "Lisbon"})

    assert response.json() == {
        "jsonrpc": "2.0",
        "id": 7,
        "result": {
            "content": [{"type": "text", "text": '{"city": "Lisbon", "sky": "clear", "celsius": 21}'}],
            "structuredContent": {"city": "Lisbon", "sky": "clear", "celsius": 21},
        },
    }


@pytest.mark.parametrize(
    ("name", "arguments", "message"),
    [
        (
            "search_flights",
            {"destination": "Oslo", "date": "15/02/2026"},
            "date '15/02/2026' does not match YYYY-MM-DD",
        ),
        ("search_flights", {"destination": "Oslo"}, "'date' is a required property"),
        ("get_weather", {"city": 7}, "7 is not of type 'string'"),
        ("get_weather", [], "[] is not of type 'object'"),
        ("no_such_tool", {}, "unknown tool no_such_tool"),
    ],
)
def test_wrong_arguments_are_an_error_of_the_protocol(
    server: ToolServer, name: str, arguments: object, message: str
) -> None:
    """HTTP goes well; JSON-RPC says which argument broke the schema, and how."""
    response = call(server, name, arguments)

    assert response.status_code == 200
    assert response.json()["error"] == {"code": -32602, "message": message}


def test_other_methods_and_other_bodies_are_refused(server: ToolServer) -> None:
    """With the codes of JSON-RPC, and HTTP's for no body at all."""
    assert call(server, "get_weather", {}, method="tools/eat").json()["error"]["code"] == -32601
    for body in (b"no json", b"[]", b'{"method": "tools/call", "params": [1]}'):
        assert httpx.post(server.url, content=body, trust_env=False).json()["error"]["code"] == -32700
    assert httpx.post(server.url, trust_env=False).status_code == 400


def test_the_flaky_tool_fails_once(server: ToolServer) -> None:
    """The first call is answered with HTTP 503, the next one well."""
    arguments = {"amount": 10, "currency": "SEK"}
    first, second = (call(server, "convert_currency", arguments) for _ in range(2))

    assert first.status_code == 503
    assert second.json()["result"]["structuredContent"] == {"amount": 115.0, "currency": "SEK"}


def test_the_slow_tool_answers_nobody_and_holds_up_nobody() -> None:
    """Its caller times out; the server still closes at once."""
    body = {"method": "tools/call", "params": {"name": "search_papers", "arguments": {"topic": "x"}}}
    with ToolServer() as server, pytest.raises(httpx.ReadTimeout):
        httpx.post(server.url, json=body, timeout=0.05, trust_env=False)

    assert not [thread for thread in threading.enumerate() if thread.name.startswith("agenttrace-demo")]
