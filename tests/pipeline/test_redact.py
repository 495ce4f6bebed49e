"""Redaction of whole records: where it looks, what it leaves, what it says, and what users may ask of it."""

from __future__ import annotations

import json
import os
import random
import signal
import string
import threading
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from otel_agenttrace.errors import ConfigError, DecodeError
from otel_agenttrace.model.codec import SerializedSpan, deserialize, serialize_record
from otel_agenttrace.model.record import EventRecord, LinkRecord, ResourceRecord, ScopeRecord, SpanRecord
from otel_agenttrace.pipeline.redact import RedactConfig, Redactor, make_redactor
from otel_agenttrace.testing.programs import run_program
from otel_agenttrace.testing.spans import SPAN_ID, START, TRACE_ID, make_span

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

SECRET = "sk-" + "proj-abcdefgh12345678"
HIDDEN = "[REDACTED:openai-key]"
_REDACTOR = Redactor()


def redact(record: SpanRecord, redactor: Redactor = _REDACTOR) -> SpanRecord:
    """The record as it would be kept."""
    return deserialize(redactor.redact(serialize_record(record)))


def redact_attributes(attributes: dict[str, Any], redactor: Redactor = _REDACTOR) -> dict[str, Any]:
    """Attributes as they would be kept, without the count."""
    clean = redact(make_span(attributes=attributes), redactor).attributes
    clean.pop("agenttrace.redacted", None)
    return clean


def test_a_record_without_secrets_is_passed_on_as_the_same_object() -> None:
    """The common case copies nothing."""
    serialized = serialize_record(make_span(attributes={"gen_ai.usage.input_tokens": 17, "note": "nothing here"}))
    assert _REDACTOR.redact(serialized) is serialized


def test_secrets_are_hidden_in_every_part_of_a_record() -> None:
    """Name, status, trace state, attributes and their keys, events, links, resource and scope are all covered."""
    record = make_span(
        name=f"call {SECRET}",
        status_message=f"failed with {SECRET}",
        trace_state=f"vendor={SECRET}",
        attributes={"a": SECRET, f"key {SECRET}": 1, "b": {"c": [SECRET]}, "d": SECRET.encode()},
        events=(EventRecord(f"e {SECRET}", START, {"exception.message": SECRET}),),
        links=(LinkRecord(TRACE_ID, SPAN_ID, {"a": SECRET}, trace_state=f"v={SECRET}"),),
        resource=ResourceRecord({"service.name": "x", "process.command_args": ["--key", SECRET]}),
        scope=ScopeRecord(f"s {SECRET}", f"1 {SECRET}", {"a": SECRET}),
    )
    clean = redact(record)
    serialized = serialize_record(clean)
    assert SECRET.encode() not in b"".join(serialized)
    assert clean.name == f"call {HIDDEN}"
    assert clean.status_message == f"failed with {HIDDEN}"
    assert clean.trace_state == f"vendor={HIDDEN}"
    assert clean.attributes == {
        "a": HIDDEN,
        f"key {HIDDEN}": 1,
        "b": {"c": [HIDDEN]},
        "d": HIDDEN.encode(),
        "agenttrace.redacted": 11,
    }
    assert clean.events[0].attributes == {"exception.message": HIDDEN}
    assert clean.links[0].trace_state == f"v={HIDDEN}"
    assert clean.resource.attributes == {"service.name": "x", "process.command_args": ["--key", HIDDEN]}
    assert clean.scope == ScopeRecord(f"s {HIDDEN}", f"1 {HIDDEN}", {"a": HIDDEN})


def test_ids_times_and_numbers_are_never_touched() -> None:
    """Only text is rewritten."""
    record = make_span(attributes={"a": SECRET}, parent_span_id="b" * 16, dropped_events_count=3)
    clean = redact(record)
    assert replace(clean, attributes=record.attributes) == record


@pytest.mark.parametrize(
    ("attributes", "clean"),
    [
        ({"db.password": "hunter2"}, {"db.password": "[REDACTED:password]"}),
        (
            {"password": 12345, "token": 5, "secret": None, "api_key": True},
            {"password": "[REDACTED:password]", "token": 5, "secret": None, "api_key": True},
        ),
        (
            {"http.request.header.authorization": ["Bearer x"]},
            {"http.request.header.authorization": ["[REDACTED:authorization]"]},
        ),
        (
            {"client": {"secret": {"value": "a", "version": 2}}},
            {"client": {"secret": {"value": "[REDACTED:secret]", "version": 2}}},
        ),
        ({"password": b"\x00\xff"}, {"password": "[REDACTED:password]"}),
        ({"headers": ["authorization", "Token abc"]}, {"headers": ["authorization", "[REDACTED:authorization]"]}),
        (
            {"headers": [["accept", "*/*"], ["x-api-key", "abc"], ["cookie", "a=b"]]},
            {"headers": [["accept", "*/*"], ["x-api-key", "[REDACTED:api-key]"], ["cookie", "[REDACTED:cookie]"]]},
        ),
        (
            {"env": [{"name": "DB_PASSWORD", "value": "x"}]},
            {"env": [{"name": "DB_PASSWORD", "value": "[REDACTED:password]"}]},
        ),
        (
            {"a": [{"key": "Authorization", "value": {"stringValue": "abc"}}]},
            {"a": [{"key": "Authorization", "value": {"stringValue": "[REDACTED:authorization]"}}]},
        ),
        (
            {"argv": ["mysql", "--password", "x", "-h", "db"]},
            {"argv": ["mysql", "--password", "[REDACTED:password]", "-h", "db"]},
        ),
    ],
)
def test_values_are_hidden_by_the_names_they_stand_under(attributes: dict[str, Any], clean: dict[str, Any]) -> None:
    """Scalars, lists, mappings, header pairs, name and value side by side, and command lines."""
    assert redact_attributes(attributes) == clean


@pytest.mark.parametrize(
    "attributes",
    [
        {
            "tool": {
                "properties": {"password": {"type": "string", "minLength": 8}, "token": {"$ref": "#/x"}},
                "required": ["password", "token"],
            }
        },
        {"tool": json.dumps({"properties": {"api_key": {"type": ["string", "null"], "description": "the key"}}})},
        {"logprobs": [{"token": "international", "logprob": -0.1, "bytes": [105]}]},
        {"headers": ["authorization", "cookie"]},
        {"allowed": ["authorization", "accept"]},
        {"fields": ["username", "password"]},
        {"usage": {"max_tokens": 10, "input_tokens": 5, "next_page_token": "abcdefgh"}},
        {"credentials": "include", "cookie": "", "password": "${DB_PASSWORD}"},
        {"session.id": "0199c2f4-a0b1-7c3d-8e5f-60718293a4b5", "task.id": "PI-101-002-S4"},
        {"input.source_checksum": "sha256:" + "ab" * 32, "output.artifact_checksums": ["sha256:" + "cd" * 32]},
        {"image": b"\x89PNG\r\n\x1a\n\x00\xff\xfe" * 50},
        {"text": "password=[REDACTED:password] and [REDACTED:api-key]: x1y2z3w4"},
    ],
)
def test_schemas_counts_ids_and_checksums_stay(attributes: dict[str, Any]) -> None:
    """What describes a secret, or only resembles one, is left as it is."""
    assert redact_attributes(attributes) == attributes


def test_the_default_in_a_schema_of_a_secret_is_hidden() -> None:
    """A schema stays one, and the values in it are values."""
    schema = {"password": {"type": "string", "default": "hunter2", "examples": ["a"]}}
    assert redact_attributes({"tool": schema})["tool"]["password"] == {
        "type": "string",
        "default": "[REDACTED:password]",
        "examples": ["[REDACTED:password]"],
    }


@pytest.mark.parametrize("depth", [0, 1, 2, 3])
def test_json_in_strings_is_read_at_any_depth_and_stays_equal_otherwise(depth: int) -> None:
    """Only the secret changes: numbers, order, letters beyond ASCII and null stay."""
    inner = {"b": 1.5, "a": [None, True, "é\u2028😀"], "password": "x", "n": 12345678901234567890123}
    text = json.dumps(inner)
    expected: Any = inner | {"password": "[REDACTED:password]"}
    for _ in range(depth):
        text = json.dumps({"t": text}, ensure_ascii=False)
    clean = redact_attributes({"a": text})["a"]
    for _ in range(depth):
        clean = json.loads(clean)["t"]
    assert json.loads(clean) == expected
    assert list(json.loads(clean)) == list(expected)


@pytest.mark.parametrize(
    "text",
    [
        r'{"p\u0061ssword": "hunter2"}',
        r'{"url": "postgres:\/\/u:hunter2@h"}',
        '{"password": "hunter2", "password": ""}',
        '{"x": {"y": "{\\"token\\": \\"hunter2hunter2\\"}"}}',
        '"{\\"secret\\": \\"hunter2\\"}"',
        '[["authorization", "hunter2 x"]]',
        '  {"api_key": "hunter2"}  ',
        '{"api_key": "hunter2"}{"api_key": "hunter2"}',
        "[" * 5000 + '{"secret": "hunter2"}',
        'data: {"secret": "hunter2"}\n\ndata: [DONE]',
    ],
)
def test_unusual_json_hides_nothing_from_redaction(text: str) -> None:
    """Escapes of plain letters, escaped slashes, repeated keys, deep nesting and streams of JSON are seen through."""
    assert "hunter2" not in redact_attributes({"a": text})["a"]


@pytest.mark.parametrize("encoding", ["utf-8", "latin-1"])
def test_bytes_are_read_as_text_whatever_their_encoding(encoding: str) -> None:
    """They stay bytes, and JSON in them stays JSON."""
    text = '{"é": "\\u20ac\\ud800", "password": "hunter2"}'
    clean = redact_attributes({"a": text.encode(encoding)})["a"]
    assert isinstance(clean, bytes)
    assert json.loads(clean.decode(encoding)) == {"é": "€\ud800", "password": "[REDACTED:password]"}


def test_a_private_key_is_hidden_whole_or_cut_off_at_any_depth() -> None:
    """Between its first and last line, or to the end of what there is."""
    body = "\n".join(["MIIEpAIBAAKCAQEA7" * 3] * 4)
    key = f"-----BEGIN RSA PRIVATE KEY-----\n{body}\n-----END RSA PRIVATE KEY-----"
    whole = f"before {key} after"
    assert redact_attributes({"a": whole})["a"] == (
        "before -----BEGIN RSA PRIVATE KEY-----[REDACTED:private-key]-----END RSA PRIVATE KEY----- after"
    )
    nested = json.dumps({"b": json.dumps({"c": key})})
    for text in (nested, nested[:200], key[:80]):
        assert "MIIE" not in redact_attributes({"a": text})["a"]


def test_two_keys_that_become_one_both_keep_their_values() -> None:
    """A collision loses nothing."""
    other = "sk-" + "proj-ijklmnop12345678"
    assert redact_attributes({SECRET: 1, other: 2}) == {HIDDEN: 1, f"#2 {HIDDEN}": 2}


def test_what_was_hidden_is_counted_by_rule_and_on_the_record() -> None:
    """Counts add up over records, threads and repeated redaction."""
    redactor = Redactor()
    record = make_span(attributes={"a": f"{SECRET} and {SECRET}", "password": "x"})
    serialized = serialize_record(record)
    threads = [threading.Thread(target=lambda: [redactor.redact(serialized) for _ in range(50)]) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert redactor.counts == {"openai-key": 400, "password": 200}
    once = redactor.redact(serialized)
    assert deserialize(once).attributes["agenttrace.redacted"] == 3
    emails = Redactor(RedactConfig(emails=True))
    more = replace(deserialize(once), attributes=deserialize(once).attributes | {"b": "me@example.com"})
    assert redact(more, emails).attributes["agenttrace.redacted"] == 4


def test_a_resource_is_redacted_once_and_its_text_shared() -> None:
    """A process has one resource: its clean text is kept."""
    redactor = Redactor()
    resource = ResourceRecord({"service.name": "x", "api_key": "abc"})
    texts = {redactor.redact(serialize_record(make_span(resource=resource, name=str(n)))).resource for n in range(5)}
    assert texts == {b'{"attributes":{"service.name":"x","api_key":"[REDACTED:api-key]"}}'}
    assert redactor.counts == {"api-key": 1}


def test_emails_and_cards_are_hidden_on_request_only() -> None:
    """Card numbers must pass the Luhn check; neither is hidden by default."""
    text = "bob@example.com paid with 4111 1111 1111 1111, not 4111 1111 1111 1112, order 1790000000000"
    assert redact_attributes({"a": text})["a"] == text
    clean = redact_attributes({"a": text}, Redactor(RedactConfig(emails=True, cards=True)))["a"]
    assert clean == "[REDACTED:email] paid with [REDACTED:card], not 4111 1111 1111 1112, order 1790000000000"


def test_users_names_and_patterns_are_added() -> None:
    """Patterns may have anchors: they are matched against each text, not against the record."""
    config = RedactConfig(keys=("employee_id",), allow_keys=("vault.token",), patterns=(r"\bEMP-\d{4}\b", "^top$"))
    attributes = {"employeeId": "x1", "vault.token": "abcdefgh", "a": "EMP-1234", "b": "top", "c": "a top\nEMP-1234"}
    assert redact_attributes(attributes, Redactor(config)) == {
        "employeeId": "[REDACTED:user-key]",
        "vault.token": "abcdefgh",
        "a": "[REDACTED:user-pattern]",
        "b": "[REDACTED:user-pattern]",
        "c": "a top\n[REDACTED:user-pattern]",
    }


def test_a_function_sees_every_text_with_its_key_after_all_else() -> None:
    """It may replace a text or hide it, and never sees what was hidden before."""
    seen: dict[str, str] = {}

    def function(key: str, text: str) -> str | None:
        seen[key] = text
        return {"user": None, "city": "somewhere"}.get(key.rpartition(".")[2], text)

    record = make_span(
        name="n",
        status_message="s",
        attributes={"user": "bob", "a": {"city": "Rome", "x": ["y"]}, "password": "p", "n": 1},
        events=(EventRecord("e", START, {"user": "eve"}),),
        scope=ScopeRecord("lib", "1"),
    )
    redactor = Redactor(RedactConfig(callable=function))
    clean = redact(record, redactor)
    assert clean.attributes == {
        "user": "[REDACTED:callable]",
        "a": {"city": "somewhere", "x": ["y"]},
        "password": "[REDACTED:password]",
        "n": 1,
        "agenttrace.redacted": 4,
    }
    assert clean.events[0].attributes == {"user": "[REDACTED:callable]"}
    assert seen.keys() == {
        "name", "status_message", "user", "a.city", "a.x", "event.name", "scope.name", "scope.version", "service.name",
    }  # fmt: skip
    assert redactor.redact(redactor.redact(serialize_record(record))) == redactor.redact(serialize_record(record))


@pytest.mark.parametrize("answer", [ValueError("no"), 17, RecursionError()])
def test_a_function_that_fails_hides_the_text_and_is_counted(answer: object) -> None:
    """Nothing that a user's function does reaches the agent, and nothing leaks because of it."""

    def function(key: str, text: str) -> Any:
        if key != "a":
            return text
        if isinstance(answer, Exception):
            raise answer
        return answer

    redactor = Redactor(RedactConfig(callable=function))
    assert redact_attributes({"a": "secret stuff"}, redactor)["a"].startswith("[REDACTED:callable")
    assert sum(redactor.counts.values()) == 1


def test_a_failure_of_redaction_hides_all_texts(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Rather nothing than a leak: ids, times and kinds are kept, and the log has no text of the record."""
    redactor = Redactor()

    def fail(*_: object) -> None:
        raise ZeroDivisionError(SECRET)

    monkeypatch.setattr("otel_agenttrace.pipeline.secret_text.TextRedactor.redact", fail)
    record = make_span(
        attributes={"a": SECRET, "n": 1},
        status_message="s",
        events=(EventRecord("e", START, {"x": 1}),),
        resource=ResourceRecord({"service.name": SECRET}),
    )
    for _ in range(3):
        clean = redact(record, redactor)
    error = "[REDACTED:error]"
    assert (clean.trace_id, clean.span_id, clean.kind) == (record.trace_id, record.span_id, record.kind)
    assert clean.attributes == {"a": error, "n": error, "agenttrace.redacted": 1}
    assert (clean.name, clean.status_message) == (error, error)
    assert clean.events[0] == EventRecord(error, START, {"x": error})
    assert clean.resource.attributes == {"service.name": error}
    assert redactor.counts == {"error": 4}
    assert len(caplog.records) == 1
    assert SECRET not in caplog.text


def test_what_is_no_record_is_refused_when_it_may_hold_a_secret() -> None:
    """Nothing can be hidden in what cannot be read."""
    with pytest.raises(DecodeError):
        _REDACTOR.redact(SerializedSpan(b'"password": "x"', b"{}", b"{}"))


@pytest.mark.parametrize(
    ("make", "named"),
    [
        (lambda: RedactConfig(patterns=("a", "(")), r"redact\.patterns: '\('"),
        (lambda: RedactConfig(patterns=("(?=x)",)), r"redact\.patterns: '\(\?=x\)'"),
        (lambda: RedactConfig(patterns="abc"), r"redact\.patterns"),  # type: ignore[arg-type]
        (lambda: RedactConfig(keys="abc"), r"redact\.keys"),  # type: ignore[arg-type]
        (lambda: RedactConfig(keys=("...",)), r"redact\.keys: '\.\.\.'"),
        (lambda: RedactConfig(keys=("geheimwört",)), r"redact\.keys: 'geheimwört'"),
        (lambda: RedactConfig(allow_keys=("ключ",)), r"redact\.allow_keys: 'ключ'"),
        (lambda: RedactConfig(allow_keys=(1,)), r"redact\.allow_keys: 1"),  # type: ignore[arg-type]
        (lambda: RedactConfig(callable=3), r"redact\.callable"),  # type: ignore[arg-type]
        (lambda: make_redactor("yes"), r"redact: .*'yes'"),  # type: ignore[arg-type]
    ],
)
def test_a_wrong_setting_is_refused_by_name(make: Callable[[], object], named: str) -> None:
    """The error names the setting and the value."""
    with pytest.raises(ConfigError, match=named):
        make()


def test_every_form_of_the_setting_makes_the_redactor_it_asks_for() -> None:
    """True and None mean the defaults, False none, a function or a RedactConfig more."""
    assert make_redactor(False) is None
    for setting in (True, None, RedactConfig(), lambda _, text: text):
        redactor = make_redactor(setting)
        assert redactor is not None
        assert redact_attributes({"password": "x"}, redactor) == {"password": "[REDACTED:password]"}


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_a_child_that_is_forked_in_the_middle_of_a_search_goes_on() -> None:
    """RE2 locks its expressions for moments; the child of a parent that was at it right then has some of its own."""
    chance = random.Random(1)  # noqa: S311 - any texts will do

    def text() -> str:
        signs = string.ascii_letters + string.digits
        return " ".join("".join(chance.choices(signs, k=chance.randrange(3, 30))) for _ in range(2_000))

    for _ in range(12):
        redactor = Redactor()  # a new one has the states of its expressions still to make, which is when RE2 locks
        records = [serialize_record(make_span(attributes={"note": text(), "more": SECRET})) for _ in range(3)]
        threads = [threading.Thread(target=redactor.redact, args=[record]) for record in records]
        for thread in threads:
            thread.start()
        child = os.fork()
        if child == 0:
            signal.alarm(60)  # kills it, should it hang
            clean = redactor.redact(records[0])
            os._exit(0 if SECRET not in clean.span.decode() else 1)
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        for thread in threads:
            thread.join()
        assert status == 0


def test_daemon_threads_that_search_let_the_process_end(tmp_path: Path) -> None:
    """However many search right then: the interpreter would abort the process with one that comes back to it."""
    run_program(
        tmp_path,
        """
        import threading, time
        from otel_agenttrace.pipeline.redact import Redactor
        from otel_agenttrace.testing.spans import make_span
        from otel_agenttrace.model.codec import serialize_record

        redactor = Redactor()
        attributes = {"password": "hunter2" * 9, "text": "password: hunter2 " * 50}
        serialized = serialize_record(make_span(attributes=attributes))
        done = [threading.Event() for _ in range(8)]

        def search(event):
            while True:
                redactor.redact(serialized)
                event.set()

        for event in done:
            threading.Thread(target=search, args=[event], daemon=True).start()
        for event in done:
            event.wait()
        """,
    )
