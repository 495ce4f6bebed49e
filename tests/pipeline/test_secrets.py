"""Every vendor's secrets are found wherever they stand."""

from __future__ import annotations

import json
import string

import pytest

from otel_agenttrace.model.codec import deserialize, serialize_record
from otel_agenttrace.pipeline.redact import Redactor
from otel_agenttrace.pipeline.secrets import TOKENS
from otel_agenttrace.testing.spans import make_span


def _letters(count: int) -> str:
    return ((string.ascii_letters + string.digits) * 4)[5 : 5 + count]


def _digits(count: int) -> str:
    return ("7390461258" * 8)[:count]


def _hex(count: int) -> str:
    return ("a7f31c0e9b52d648" * 10)[:count]


# Put together here, so that nothing in this file looks like a secret to a scanner.
SAMPLES = {
    "anthropic-key": ["sk-ant-" + "api03-" + _letters(80)],
    "openrouter-key": ["sk-or-" + "v1-" + _hex(64)],
    "langfuse-key": ["sk-lf-" + "1a2b3c4d-0000-4000-8000-1a2b3c4d5e6f"],
    "openai-key": [
        "sk-" + _letters(48),
        "sk-" + "proj-" + _letters(60) + "_-" + _letters(60),
        "sk-svcacct-" + _letters(40),
    ],
    "google-key": ["AIza" + _letters(35), "ya29." + _letters(60), "GOCSPX-" + _letters(28), "1//0" + _letters(40)],
    "aws-key": ["AKIA" + "ABCDEFGHIJ234567", "ASIA" + "ABCDEFGHIJ234567"],
    "azure-secret": ["abc8Q~" + _letters(34)],
    "github-token": ["ghp_" + _letters(36), "gho_" + _letters(36), "ghs_" + _letters(36), "github_pat_" + _letters(60)],
    "gitlab-token": ["glpat-" + _letters(20), "gldt-" + _letters(20)],
    "slack-token": ["xoxb-" + _digits(11) + "-" + _letters(24), "xoxp-" + _digits(40), "xapp-1-" + _letters(30)],
    "stripe-key": ["sk_live_" + _letters(24), "rk_live_" + _letters(24), "whsec_" + _letters(32)],
    "huggingface-token": ["hf_" + _letters(34)],
    "twilio-key": ["SK" + _hex(32)],
    "sendgrid-key": ["SG." + _letters(22) + "." + _letters(43)],
    "npm-token": ["npm_" + _letters(36)],
    "pypi-token": ["pypi-" + _letters(100)],
    "rubygems-key": ["rubygems_" + _hex(48)],
    "docker-token": ["dckr_pat_" + _letters(27)],
    "databricks-token": ["dapi" + _hex(32)],
    "groq-key": ["gsk_" + _letters(52)],
    "xai-key": ["xai-" + _letters(80)],
    "replicate-token": ["r8_" + _letters(37)],
    "perplexity-key": ["pplx-" + _letters(48)],
    "nvidia-key": ["nvapi-" + _letters(64)],
    "cerebras-key": ["csk-" + _letters(48).lower()],
    "fireworks-key": ["fw_" + _letters(24)],
    "together-key": ["tgp_v1_" + _letters(43)],
    "jina-key": ["jina_" + _letters(60)],
    "elevenlabs-key": ["sk_" + _hex(48)],
    "langsmith-key": ["lsv2_pt_" + _hex(32) + "_" + _hex(10)],
    "logfire-token": ["pylf_v1_" + _letters(50)],
    "pinecone-key": ["pcsk_" + _letters(60)],
    "tavily-key": ["tvly-" + _letters(32)],
    "firecrawl-key": ["fc-" + _hex(32)],
    "e2b-key": ["e2b_" + _hex(40)],
    "digitalocean-token": ["dop_v1_" + _hex(64)],
    "shopify-token": ["shpat_" + _hex(32)],
    "doppler-token": ["dp.pt." + _letters(43)],
    "vault-token": ["hvs." + _letters(90)],
    "terraform-token": [_letters(14) + ".atlasv1." + _letters(60)],
    "atlassian-token": ["ATATT3" + _letters(180)],
    "linear-key": ["lin_api_" + _letters(40)],
    "notion-token": ["ntn_" + _letters(46)],
    "airtable-token": ["pat" + _letters(14) + "." + _hex(64)],
    "postman-key": ["PMAK-" + _hex(24) + "-" + _hex(34)],
    "newrelic-key": ["NRAK-" + _letters(27).upper()],
    "sentry-token": ["sntrys_" + _letters(120)],
    "grafana-token": ["glsa_" + _letters(32) + "_" + _hex(8)],
    "supabase-key": ["sbp_" + _hex(40)],
    "planetscale-token": ["pscale_tkn_" + _letters(43)],
    "pulumi-token": ["pul-" + _hex(40)],
    "fly-token": ["fm2_" + _letters(120)],
    "mailgun-key": ["key-" + _hex(32)],
    "telegram-token": [_digits(10) + ":AA" + _letters(33), "bot" + _digits(9) + ":AA" + _letters(33)],
    "discord-token": ["M" + _letters(23) + "." + _letters(6) + "." + _letters(38)],
    "age-key": ["AGE-SECRET-KEY-1" + _letters(58).upper()],
    "jwt": [
        "eyJ" + _letters(20) + ".eyJ" + _letters(40) + "." + _letters(43),
        "eyJ" + _letters(20) + ".eyJ" + _letters(9),
    ],
}
CASES = [(rule, sample) for rule, samples in SAMPLES.items() for sample in samples]


@pytest.fixture(scope="module")
def redactor() -> Redactor:
    """One redactor, as a process has it."""
    return Redactor()


def test_each_rule_has_a_sample() -> None:
    """No vendor's pattern goes untested."""
    assert SAMPLES.keys() == {rule for rule, _ in TOKENS}


@pytest.mark.parametrize(("rule", "secret"), CASES)
def test_a_vendors_key_is_hidden_in_prose(redactor: Redactor, rule: str, secret: str) -> None:
    """The whole key goes and the words around it stay."""
    for before, after in (
        ("", ""),
        ("use ", " now"),
        ("line\n", "\nline"),
        ("(", ")"),
        ("x=", ";"),
        ("é", "é"),
        ("\t", "\t"),
    ):
        serialized = serialize_record(make_span(attributes={"note": before + secret + after}))
        record = deserialize(redactor.redact(serialized))
        assert record.attributes["note"] == f"{before}[REDACTED:{rule}]{after}"


@pytest.mark.parametrize(("rule", "secret"), CASES)
@pytest.mark.parametrize("depth", [1, 2, 4])
def test_a_vendors_key_is_hidden_in_json_in_json(redactor: Redactor, rule: str, secret: str, depth: int) -> None:
    """Escapes do not hide a key, whether the JSON is whole or was cut off."""
    text = f"see:\n{secret}"
    for _ in range(depth):
        text = json.dumps({"messages": [text]})
    for value in (text, text[: text.index(secret) + len(secret)]):
        clean = redactor.redact(serialize_record(make_span(attributes={"gen_ai.input.messages": value})))
        assert secret.encode() not in clean.span
        assert f"[REDACTED:{rule}]".encode() in clean.span


@pytest.mark.parametrize(
    "text",
    [
        "task-0199c2f4-a0b1-7c3d-8e5f-60718293a4b5",
        "desk-abcdefghijklmnopqrstuvwxyz",
        "sk-learn-contrib",
        "sk-toggleable__content sk-estimator-doc-link",
        "risk-assessment-of-the-whole-project-in-2026",
        "sha256:" + _hex(64),
        "0199c2f4-a0b1-7c3d-8e5f-60718293a4b5",
        "0199c2f4a0b17c3d8e5f60718293a4b5",
        _hex(40),
        "chatcmpl-" + _letters(29),
        "resp_" + _hex(48),
        "toolu_01" + _letters(22),
        "call_" + _letters(24),
        "msg_01" + _letters(22),
        "fs_" + _letters(30),
        "npm_config_registry",
        "pypi-server",
        "data:image/png;base64," + _letters(200) + "/+" + _letters(200) + "==",
        "lsv2_is_a_version",
        "hf_hub_download",
        "AKIA is how such a key starts",
        "a.b.c 1.2.3 e.g. i.e.",
        "-----BEGIN CERTIFICATE-----\nMIIB" + _letters(60) + "\n-----END CERTIFICATE-----",
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAA" + _letters(40) + " me@host",
        "W/" + _hex(32),
        "traceparent: 00-0199c2f4a0b17c3d8e5f60718293a4b5-a77f14b0c1d2e3f4-01",
    ],
)
def test_what_only_resembles_a_key_stays(redactor: Redactor, text: str) -> None:
    """Ids, checksums, images, names and public keys are what an agent's trace is made of."""
    serialized = serialize_record(make_span(attributes={"note": text, "list": [text], "json": json.dumps({"a": text})}))
    assert redactor.redact(serialized) == serialized
