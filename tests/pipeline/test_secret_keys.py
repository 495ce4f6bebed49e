"""Names that say that their value is secret."""

from __future__ import annotations

import pytest

from otel_agenttrace.contract import attributes
from otel_agenttrace.contract.registry import load_registry
from otel_agenttrace.pipeline.secret_keys import SecretNames, is_schema, is_secret_text


@pytest.mark.parametrize(
    ("name", "rule"),
    [
        ("password", "password"),
        ("db.password", "password"),
        ("user[password]", "password"),
        ("passwd", "password"),
        ("newPassword2", "password"),
        ("PASSWORD_HASH", "password"),
        ("passphrase", "password"),
        ("db_pass", "password"),
        ("PWD", "pwd"),
        ("secret", "secret"),
        ("clientSecret", "secret"),
        ("CLIENT_SECRET_VALUE", "secret"),
        ("webhook-secret", "secret"),
        ("apiKey", "api-key"),
        ("apikey", "api-key"),
        ("x-api-key", "api-key"),
        ("OPENAI_API_KEY", "api-key"),
        ("http.request.header.x_api_key", "api-key"),
        ("privateKey", "private-key"),
        ("aws_secret_access_key", "access-key"),
        ("AccountKey", "access-key"),
        ("SharedAccessKey", "access-key"),
        ("Ocp-Apim-Subscription-Key", "access-key"),
        ("authorization", "authorization"),
        ("http.request.header.authorization", "authorization"),
        ("Proxy-Authorization", "authorization"),
        ("Cookie", "cookie"),
        ("http.response.header.set_cookie", "cookie"),
        ("credentials", "credential"),
        ("connection_string", "connection-string"),
        ("APPLICATIONINSIGHTS_CONNECTION_STRING", "connection-string"),
        ("token", "token"),
        ("accessToken", "token"),
        ("refresh_token", "token"),
        ("session_token", "token"),
        ("X-Amz-Security-Token", "token"),
        ("X-CSRF-Token", "token"),
        ("access_tokens", "token"),
    ],
)
def test_a_secret_name_is_known_in_every_notation(name: str, rule: str) -> None:
    """Words are found in snake_case, kebab-case, dots, camelCase and capitals."""
    assert SecretNames().rule_of(name) == rule


@pytest.mark.parametrize(
    "name",
    [
        "gen_ai.usage.input_tokens",
        "gen_ai.usage.output_tokens",
        "gen_ai.token.type",
        "max_tokens",
        "tokens",
        "token_count",
        "token_type",
        "tokenizer",
        "next_page_token",
        "nextPageToken",
        "pageToken",
        "continuation_token",
        "progressToken",
        "time_to_first_token",
        "eos_token",
        "session.id",
        "mcp.session.id",
        "password_policy",
        "password_reset_url",
        "secret_id",
        "secret_name",
        "secretKeyRef",
        "api_key_id",
        "aws_access_key_id",
        "SharedAccessKeyName",
        "public_key",
        "primary_key",
        "keyboard",
        "monkey",
        "compass",
        "pass",
        "bypass",
        "secretary",
        "authorization_endpoint",
        "cookie_policy",
        "author",
        "key",
        "task.id",
        "messaging.kafka.message.key",
        "http.request.header.user_agent",
    ],
)
def test_names_of_other_things_are_left_alone(name: str) -> None:
    """Counts, page tokens, ids of secrets and policies are no secrets."""
    assert SecretNames().rule_of(name) is None


def test_no_name_of_the_contract_is_secret() -> None:
    """What this package and its contract are about is never hidden by its name."""
    constants = {value for value in vars(attributes).values() if isinstance(value, attributes.Attribute)}
    names = constants | set(load_registry().attributes)
    rules = SecretNames()
    assert len(names) > 100
    assert [name for name in names if rules.rule_of(name)] == []


def test_extra_names_match_longer_ones_and_allowed_names_only_themselves() -> None:
    """`keys` are ends of names in any notation; `allow_keys` are whole names."""
    names = SecretNames(extra=["employee-number"], allowed=["vault.token"])
    assert names.rule_of("employeeNumber") == "user-key"
    assert names.rule_of("hr.employee_number") == "user-key"
    assert names.rule_of("employee_number_format") is None
    assert names.rule_of("vaultToken") is None
    assert names.rule_of("my.vault.token") == "token"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "  ",
        "string",
        "str",
        "null",
        "${DB_PASSWORD}",
        "$PASSWORD",
        "{{ password }}",
        "<your-password>",
        "****",
        "...",
    ],
)
def test_types_and_placeholders_are_no_secrets(text: str) -> None:
    """Code, schemas and templates name passwords without holding any."""
    assert not is_secret_text("password", text)


def test_some_values_depend_on_the_name() -> None:
    """A working directory is no password; a model's tokens are short or start with a space."""
    assert not is_secret_text("pwd", "/home/me")
    assert is_secret_text("password", "/home/me")
    assert not is_secret_text("token", " international")
    assert not is_secret_text("token", "Hel")
    assert not is_secret_text("private-key", "/etc/ssl/private/site.pem")


def test_a_schema_is_told_from_a_mapping_with_secrets() -> None:
    """Only the vocabulary of JSON Schema describes a secret; anything else may hold it."""
    assert is_schema({"type": "string", "description": "the user's password", "minLength": 8})
    assert is_schema({"anyOf": [{"type": "string"}, {"type": "null"}]})
    assert not is_schema({"type": "bearer", "value": "x"})
    assert not is_schema({})
