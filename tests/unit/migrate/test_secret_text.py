from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_runner_router.migrate.secret_text import shown_environment, shown_json

SECRETS: tuple[object, ...] = (
    {"apiKeys": ["hush", "hush2"]},
    {"private_key": "hush"},
    {"auth": {"value": "hush", "more": [{"x": "hush"}]}},
    {"password": 48151623},
    {"AccessKey": "hush"},
    {"credentials": {"env:hush": {"id": "hush"}}},
    {"url": "https://x.example/?a=1&api_key=hush&b=2"},
    {"db": "postgres://user:hush@host/db"},
    {"headers": {"X-Custom": "Bearer hush"}},
    {"authTokens": ["hush"]},
    {"webhookUrl": "https://x.example/hush"},
    {"x": ["sk-hush0123456789abcdef"]},
    {"passwords": {"a": 'hush"hush\\'}},
    {"pg": "host=h password=hush user=u"},
    {"pg": "host=h password='hush hush' user=u"},
    {"odbc": "Server=s;Pwd=hush;"},
    {"smtp": {"user": "u", "pass": "hush"}, "dbPass": "hush"},
    {"azureKey": "hush", "OPENAI_KEY": "hush"},
    {"slack": "https://hooks.slack.com/services/T0/B0/hush"},
    {"key": "hush"},
    {"aws": "AKIAhush".replace("hush", "IOSFODNN7HUSH")},
    {"pem": "-----BEGIN PRIVATE KEY-----\nhush\n-----END PRIVATE KEY-----"},
    {"https://x.example/?token=hush": 1},
    {"postgres://u:hush@h/db": {}},
    {"inner": '{"apiKey": "hush"}'},
    {"quoted": 'password="hush \\"hush"'},
)

OPEN: tuple[object, ...] = (
    {"max_tokens": 5, "stopTokens": ["</s>"], "context_length": 2048},
    {"apiKey": "env:OPENAI_API_KEY"},
    {"endpoint": {"apiKey": "file:/run/secrets/key"}},
    {"password": None, "secret": True, "token": ""},
    {"url": "https://x.example/?page=2", "source": "./models/a.gguf"},
)


@pytest.mark.parametrize("content", SECRETS)
@pytest.mark.parametrize("indent", [None, 2])
def test_secrets_are_hidden_wherever_they_stand(content: object, indent: int | None) -> None:
    shown = shown_json(json.dumps({"before": 1, "in": [content], "after": 2}, indent=indent))
    found = json.loads(shown)
    assert (found["before"], found["after"]) == (1, 2)
    assert "hush" not in shown.lower().replace("env:hush", "")
    assert "48151623" not in shown
    assert "…" in shown


@pytest.mark.parametrize("content", OPEN)
def test_what_is_no_secret_is_shown(content: object) -> None:
    text = json.dumps(content, indent=2)
    assert shown_json(text) == text


@given(
    st.recursive(st.none() | st.booleans() | st.integers(), st.lists, max_leaves=5).map(json.dumps)
)
def test_texts_without_keys_stay(text: str) -> None:
    assert shown_json(f"\ufeff {text}\r\n") == f"\ufeff {text}\r\n"


def test_nothing_is_shown_of_what_cannot_be_read() -> None:
    assert shown_json('{"password": "hush",}') == "…\n"
    assert shown_json('{"password":' + "[" * 120 + '"hush"' + "]" * 120 + "}") == "…\n"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("LLM_LOG_LEVEL=info\nCACHE_ENABLED=1\n\n", "LLM_LOG_LEVEL=info\nCACHE_ENABLED=1\n\n"),
        ("A=hush\nexport B: x\n", "A=…\nexport B=…\n"),
        ("# A=hush\n# words\n\n#hush", "# …\n# …\n\n# …\n"),
        ('PEM="-----BEGIN\nhush\nthat nobody closes\n', "PEM=…\n…\n…\n"),
        ("API_SECRET: aHVzaA==\n", "API_SECRET=…\n"),
        ("PRIVATE_KEY=-----BEGIN KEY-----\n", "PRIVATE_KEY=…\n"),
        ("abc+def/hush==\naHVzaA12aHVzaA12==\n", "…\n…=…\n"),
        (
            "LLM_LOG_LEVEL=debug # hush\nLOG_LEVEL='info' hush",
            "LLM_LOG_LEVEL=debug # …\nLOG_LEVEL='info' …\n",
        ),
        ("CACHE_ENABLED=  # hush\nLOG_LEVEL: info\n", "CACHE_ENABLED=  # …\nLOG_LEVEL: info\n"),
        ("PEM='-----BEGIN\nhush\n'\nLOG_LEVEL=info", "PEM=…\nLOG_LEVEL=info"),
    ],
)
def test_only_our_variables_are_shown(text: str, shown: str) -> None:
    assert shown_environment(text) == shown
