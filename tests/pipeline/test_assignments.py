"""Secrets in text that is neither JSON nor known by a vendor's pattern."""

from __future__ import annotations

import json

import pytest

from otel_agenttrace.model.codec import deserialize, serialize_record
from otel_agenttrace.pipeline.redact import Redactor
from otel_agenttrace.testing.spans import make_span

_REDACTOR = Redactor()


def redact(text: str) -> str:
    """The text as it would be recorded."""
    record = deserialize(_REDACTOR.redact(serialize_record(make_span(attributes={"text": text}))))
    return str(record.attributes["text"])


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        # URLs and forms
        ("GET /v1?api_key=abc&token=xyz123&page=2", "GET /v1?api_key=[REDACTED:api-key]&token=[REDACTED:token]&page=2"),
        ("user[password]=x1&y=2", "user[password]=[REDACTED:password]&y=2"),
        (
            "https://a.blob.core.windows.net/c?sv=2024&sig=abc%2Fdef",
            "https://a.blob.core.windows.net/c?sv=2024&sig=[REDACTED:url-parameter]",
        ),
        ("?next=https%3A%2F%2Fx%3Ftoken%3Dabcdef", "?next=https%3A%2F%2Fx%3Ftoken%3D[REDACTED:token]"),
        ("postgres://app:s3c@ret@db/main", "postgres://app:[REDACTED:url-password]@db/main"),
        ("redis://:pw@cache:6379/0", "redis://:[REDACTED:url-password]@cache:6379/0"),
        (r"mongodb+srv:\/\/u:pw@h\/db", r"mongodb+srv:\/\/u:[REDACTED:url-password]@h\/db"),
        # connection strings
        (
            "Server=db;User Id=sa;Password=p@ss,word;Encrypt=yes",
            "Server=db;User Id=sa;Password=[REDACTED:password];Encrypt=yes",
        ),
        (
            "AccountName=x;AccountKey=abc+/def==;EndpointSuffix=y",
            "AccountName=x;AccountKey=[REDACTED:access-key];EndpointSuffix=y",
        ),
        ("host=db password=correcthorse dbname=main", "host=db password=[REDACTED:password] dbname=main"),
        # headers
        ("Authorization: Bearer abcdef", "Authorization: [REDACTED:authorization]"),
        ("-H 'Authorization: Basic dXNlcjpwYXNz' https://x", "-H 'Authorization: [REDACTED:authorization]' https://x"),
        ("Authorization: AWS4-HMAC-SHA256 Credential=a/b, Signature=c", "Authorization: [REDACTED:authorization]"),
        ("sent Bearer 0123abcdef to it", "sent Bearer [REDACTED:bearer-token] to it"),
        ("Cookie: sid=abc; theme=dark\r\nHost: x", "Cookie: [REDACTED:cookie]\r\nHost: x"),
        ("X-Api-Key: abc123\nAccept: */*", "X-Api-Key: [REDACTED:api-key]\nAccept: */*"),
        # code, logs, configuration
        ('connect(password="hunter2", user="bob")', 'connect(password="[REDACTED:password]", user="bob")'),
        ("{'api_key': 'abc', 'n': 1}", "{'api_key': '[REDACTED:api-key]', 'n': 1}"),
        ("api_keys: ['abc', 'def']", "api_keys: ['[REDACTED:api-key]', '[REDACTED:api-key]']"),
        ("User(name=bob, password=hunter2)", "User(name=bob, password=[REDACTED:password])"),
        ("DB_PASSWORD=correcthorse\nDEBUG=1", "DB_PASSWORD=[REDACTED:password]\nDEBUG=1"),
        ("password: hunter2", "password: [REDACTED:password]"),
        ("client_secret => 'abc'", "client_secret => '[REDACTED:secret]'"),
        ("<password>hunter2</password>", "<password>[REDACTED:password]</password>"),
        ("CREATE USER a PASSWORD 'foo'", "CREATE USER a PASSWORD '[REDACTED:password]'"),
        # command lines
        ("mysql --password hunter2 -h db", "mysql --password [REDACTED:password] -h db"),
        ("tool --api-key=abc123", "tool --api-key=[REDACTED:api-key]"),
        ("curl -u bob:s3cret https://x", "curl -u bob:[REDACTED:password] https://x"),
        # JSON that does not parse, at several depths
        ('{"password": "hunter2", "a": 1', '{"password": "[REDACTED:password]", "a": 1'),
        ('{"password": "hun\\"ter2", "a": 1', '{"password": "[REDACTED:password]", "a": 1'),
        ('[{\\"token\\": \\"abc\\\\\\"def\\", \\"a\\": 1', '[{\\"token\\": \\"[REDACTED:token]\\", \\"a\\": 1'),
        ('result: {"token": "abcdef"', 'result: {"token": "[REDACTED:token]"'),
        ('{"private_key": "cut off her', '{"private_key": "[REDACTED:private-key]'),
        (r'{"p\u0061ssword": "hunter2", ', '{"password": "[REDACTED:password]", '),
        (r"{\u0022password\u0022:\u0022hunter2\u0022,", '{"password":"[REDACTED:password]",'),
        ("%22password%22%3A%22hunter2", "%22password%22%3A[REDACTED:password]"),
    ],
)
def test_a_value_behind_a_secret_name_is_hidden(text: str, clean: str) -> None:
    """The value goes, and all that stands around it stays."""
    assert redact(text) == clean


@pytest.mark.parametrize(
    "text",
    [
        "def login(user: str, password: str, token: Optional[str] = None) -> Session:",
        "class Settings(BaseSettings):\n    api_key: SecretStr\n    secret: bytes = b''",
        "interface Auth { token: AuthToken; password: string; }",
        "const { password, token } = req.body;",
        "client = OpenAI(api_key=os.environ['OPENAI_API_KEY'])",
        "client = OpenAI(api_key=settings.api_key)",
        "connect(user=user, password=pw)",
        "self.token = token",
        "token = get_token(user)",
        "if token == other or secret != given:",
        "std::token::kind, Token::Ident => 1",
        'password = input("Password: ")\nprint("token: " + name)',
        "print('password:', len(password))",
        'logger.info("Bearer authentication is used, basic information follows")',
        "Enter your password: ",
        "The password must have 8 characters; the token: a short text.",
        "password: ${DB_PASSWORD}\ntoken: {{ token }}\nsecret: <your secret>",
        "export API_KEY=$MY_KEY",
        "PWD=/home/me/project OLDPWD=/home/me",
        "Authorization: Bearer <token>",
        "Authorization: Basic authentication is used here",
        "max_tokens=1024, tokens: 17, token_count=3, next_page_token=CAUQAA",
        "http://localhost:8080/path@2x.png and https://unpkg.com/react@18",
        "git@github.com:me/repo.git",
        'if "-----BEGIN PRIVATE KEY-----" in text:',
        "docker run -u 1000:1000 image",
        "use --password to log in, or --token=TOKEN",
        "password:\n  type: string\n  description: the password",
        '<input type="password" name="password" placeholder="Password">',
        "the user[password] field, d['password'], and secrets.token_hex(8)",
        "import secrets; from tokens import Token",
        "?key=name&code=US&author=me",
        'headers["Authorization"] = f"Bearer {self.token}"; auth = `Basic ${btoa(user)}`',
        'DB_CONNECTION_STRING = "db.connection_string"\nSECRET = "secret"',
        "session(aws_secret_access_key=aws_secret_access_key, _enforce_credentials=_enforce_credentials)",
        "let token=this.currToken;const secret = options.secretValue; my $pwd = cwd();",
        '<a href="#top" accesskey="n">next</a>, C<Authorization> headers </a>',
        "arn:aws:secretsmanager:us-east-1:123456789012:secret:prod/db-AbC123",
        '{"AWS::IAM::AccessKey": "ebce066c0deb24b4"',
        "https://x/?sig=REDACTED, password=[Filtered] token=***REDACTED***",
    ],
)
def test_code_and_prose_about_secrets_stay(text: str) -> None:
    """What names a secret without holding one is left as it is, in a text and in JSON."""
    assert redact(text) == text
    assert redact(json.dumps({"text": text})) == json.dumps({"text": text})


@pytest.mark.parametrize(
    "unit", ["password=", "password='", "Cookie: a=b ", "-----BEGIN PRIVATE KEY-----", "token=[", "a:b@"]
)
def test_hostile_texts_take_no_more_than_their_share(unit: str) -> None:
    """A text made to be searched again and again is still read about once: this would not end otherwise."""
    text = unit * (300_000 // len(unit))
    assert len(redact(text)) <= len(text) * 10
