from __future__ import annotations

import time

import pytest

from llm_runner_router.migrate.secret_shapes import shown_value, without_secrets


@pytest.mark.parametrize(
    ("path", "value", "shown"),
    [
        ("models", {"gpt": {"apiKey": "hush"}}, "an object"),
        ("models", ["hush"], "a list"),
        ("models[0].apiKey", "hush", "…"),
        ("models[0].api_key.inner", 5, "…"),
        ("models[0].endpoint.apiKey", "env:KEY", "env:KEY"),
        ("models[0].path", "https://u:hush@x.example/a.gguf", "https://…@x.example/a.gguf"),
        ("models[0].path", "https://x.example/a.gguf?token=hush", "https://x.example/a.gguf?…"),
        ("models[0].config", "apiKey=hush", "apiKey=…"),
        ("version", "1.3.0", "1.3.0"),
        ("cache.ttl", -1, -1),
        ("models[0].maxTokens", 5.5, 5.5),
        ("models[0].path", None, None),
    ],
)
def test_what_an_error_shows_of_a_value(path: str, value: object, shown: object) -> None:
    assert shown_value(path, value) == shown


@pytest.mark.parametrize(
    "note",
    [
        "models[0].apiKey: looks like a key in clear: put env:NAME into endpoint.apiKey instead",
        "models/registry.json: models[0].source is ./models/cache/chat.gguf now",
        "package.json: run `npm install` where the package is still used",
        "hf://hf-internal-testing/tiny-random-gpt2",
    ],
)
def test_notes_without_secrets_stay(note: str) -> None:
    assert without_secrets(note) == note


@pytest.mark.parametrize(
    "piece", ["passw", "password='", "?token", "://a:", "eyJaaaaaaaa-", "-----BEGIN ", "?a", "sk-"]
)
def test_long_texts_take_no_longer_than_they_are(piece: str) -> None:
    begin = time.process_time()
    without_secrets(piece * (50_000 // len(piece)))
    assert time.process_time() - begin < 1
