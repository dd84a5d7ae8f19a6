"""Registry files of 1.2: nothing that they say is lost."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_runner_router.errors import InvalidRequestError
from llm_runner_router.registry.records import ModelPerformance, ModelView
from llm_runner_router.registry.registry_file import (
    MAX_BYTES,
    MAX_DEPTH,
    exported,
    parsed,
)
from llm_runner_router.types import ModelFormat

FILE: dict[str, Any] = {
    "version": "1.2.0",
    "models": [
        {
            "id": "my-model",
            "name": "My Model",
            "format": "gguf",
            "source": "./models/model.gguf",
            "config": {
                "contextLength": 2048,
                "temperature": 0,
                "topP": 0.5,
                "stop": ["</s>"],
                "maxTokens": None,
                "flashAttention": False,
                "rope": {"scale": 2, "type": None},
            },
            "capabilities": ["text-generation", "code"],
            "performance": {"tokensPerSecond": 0, "memoryUsage": None, "warm": 12},
            "x-team": {"cost center": [1, 2.5, "", None]},
        },
        {"id": "gpt", "format": "api", "provider": "openai", "source": "gpt-5", "owner": ""},
        {"id": "hub", "name": "Hub", "format": "hf", "source": "org/model", "tags": ["a"]},
    ],
    "templates": [
        {
            "id": "t",
            "name": "T",
            "format": "{question}",
            "stopTokens": ["\n"],
            "modelCompatibility": ["my-*"],
            "since": "1.0",
        }
    ],
    "strategies": {"default": "balanced", "weights": {"quality": 0.4}},
    "comment": "kept",
}


def leaves(value: object, path: tuple[object, ...] = ()) -> Iterator[tuple[object, object]]:
    if isinstance(value, Mapping) and value:
        for key, inner in value.items():
            yield from leaves(inner, (*path, key))
    elif isinstance(value, list) and value:
        for number, inner in enumerate(value):
            yield from leaves(inner, (*path, number))
    else:
        yield path, value


def by_id(document: Mapping[str, Any]) -> dict[str, Any]:
    """The document with its lists by ids: their order says nothing."""
    return {
        **document,
        "models": {entry["id"]: entry for entry in document["models"]},
        "templates": {entry["id"]: entry for entry in document["templates"]},
    }


def there_and_back(document: Mapping[str, Any]) -> dict[str, Any]:
    content = parsed(json.dumps(document).encode())
    views = [ModelView(record) for record in content.models]
    result: dict[str, Any] = json.loads(exported(views, content.templates, content.extras))
    return result


def test_a_file_comes_back_whole() -> None:
    back = dict(leaves(by_id(there_and_back(FILE))))
    for path, value in leaves(by_id(FILE)):
        assert back[path] == value, path
        assert type(back[path]) is type(value), path


def test_lone_surrogates_come_back_as_the_escapes_that_they_were() -> None:
    cut = {"x\udc00": ["☃ \ud83d", {"\ud83d": 1}]}
    entry = {"id": "a", "format": "gguf", "source": "a", **cut}
    content = parsed(json.dumps({"version": "1.2.0", "models": [entry], **cut}).encode())
    views = [ModelView(record) for record in content.models]
    document = exported(views, content.templates, content.extras)
    assert document.count(rb'"x\udc00": [') == 2
    assert document.count("☃ \\ud83d".encode()) == 2
    again = parsed(document).extras
    assert again["model", "a"]["x\udc00"] == again["registry", ""]["x\udc00"] == cut["x\udc00"]


def test_records_are_made_of_what_is_known() -> None:
    content = parsed(json.dumps(FILE).encode())
    mine, gpt, hub = content.models
    assert mine.config.context_length == 2048
    assert mine.config.temperature == 0
    assert mine.config.max_tokens is None
    assert mine.capabilities == ("text-generation", "code")
    assert (gpt.format, gpt.provider, gpt.source) == (ModelFormat.API, "openai", "gpt-5")
    assert (hub.format, hub.tags) == (ModelFormat.HF, ("a",))
    assert content.templates[0].model_compatibility == ("my-*",)
    assert content.extras["registry", ""]["comment"] == "kept"


def test_snake_case_and_old_words_are_understood() -> None:
    entry = {"id": "a", "format": "huggingface", "source": "o/m", "config": {"context_length": 5}}
    back = there_and_back({"version": "1.2.9", "models": [entry]})
    assert back["version"] == "1.2.9"
    assert back["models"][0]["format"] == "hf"
    assert back["models"][0]["config"] == {"contextLength": 5}


def test_what_was_measured_fills_what_the_file_left_open() -> None:
    content = parsed(json.dumps(FILE).encode())
    fast = ModelPerformance(9, tokens_per_second=42.5, memory_bytes=2**31)
    views = [ModelView(record, performance=fast) for record in content.models]
    models = by_id(json.loads(exported(views, (), content.extras)))["models"]
    assert models["my-model"]["performance"] == {
        "tokensPerSecond": 0,
        "memoryUsage": 2**31,
        "warm": 12,
    }
    assert models["gpt"]["performance"] == {"tokensPerSecond": 42.5, "memoryUsage": 2**31}


KEYS = st.text(min_size=1, max_size=8)
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(KEYS.map(lambda key: f"x{key}"), JSON, max_size=4), JSON)
def test_no_leaf_is_lost(unknown: dict[str, Any], strategies: Any) -> None:
    entry = {"id": "a", "format": "gguf", "source": "a.gguf", **unknown, "config": unknown}
    document = {"version": "1.2.0", "models": [entry], "templates": [], **unknown}
    document["strategies"] = strategies
    back = dict(leaves(by_id(there_and_back(document))))
    for path, value in leaves(by_id(document)):
        if value not in ({}, []):
            assert back[path] == value


@pytest.mark.parametrize(
    ("change", "field", "message"),
    [
        ({"version": None}, "version", "1.2.0"),
        ({"version": "1.0.0"}, "version", "older files are migrated first"),
        ({"models": {}}, "models", "a list"),
        ({"models": ["x"]}, "models[0]", "an object"),
        ({"models": [{"format": "gguf", "source": "a"}]}, "models[0].id", "text"),
        ({"models": [{"id": 5, "format": "gguf", "source": "a"}]}, "models[0].id", "text"),
        ({"models": [{"id": "a", "source": "a"}]}, "models[0].format", "gguf"),
        ({"models": [{"id": "a", "format": "gguf"}]}, "models[0].source", "weights"),
        (
            {"models": [{"id": "a", "format": "gguf", "source": "a", "config": 3}]},
            "models[0].config",
            "an object",
        ),
        (
            {
                "models": [
                    {
                        "id": "a",
                        "format": "gguf",
                        "source": "a",
                        "config": {"topP": 1, "top_p": 0.5},
                    }
                ]
            },
            "models[0].config.top_p",
            "one spelling",
        ),
        (
            {"models": [{"id": "a", "format": "api", "provider": "o", "pricing": {"input": 1}}]},
            "models[0].pricing.output",
            "a value",
        ),
        (
            {"models": [{"id": "a", "format": "api", "provider": "o"}] * 2},
            "models.id",
            "it stands at 0, 1",
        ),
        ({"templates": [{"id": "t"}]}, "templates[0].format", "text"),
    ],
)
def test_wrong_files_say_where(change: dict[str, Any], field: str, message: str) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        parsed(json.dumps({"version": "1.2.0", **change}).encode())
    assert caught.value.field == field
    assert message in caught.value.message


@pytest.mark.parametrize(
    "document",
    [
        b"",
        b"{",
        b"\xff",
        b'{"version": "1.2.0", "version": "1.2.0"}',
        b'{"version": "1.2.0", "x": NaN}',
        b"[" * 100_000,
        b" " * (MAX_BYTES + 1),
    ],
    ids=["empty", "cut", "latin", "twice", "nan", "deep", "long"],
)
def test_what_is_no_json_is_refused(document: bytes) -> None:
    with pytest.raises(InvalidRequestError, match="document"):
        parsed(document)


@pytest.mark.parametrize(("opened", "closed"), [("[", "]"), ('{"a":', "}")])
def test_files_have_a_depth_that_can_be_written_again(opened: str, closed: str) -> None:
    def nested(levels: int) -> bytes:
        inner = opened * (levels - 2) + "[]" + closed * (levels - 2)
        return f'{{"version": "1.2.0", "x": {inner}}}'.encode()

    content = parsed(nested(MAX_DEPTH))
    assert parsed(exported((), (), content.extras)).extras["registry", ""].keys() == {
        *("version", "x", "strategies"),
    }
    for levels in (MAX_DEPTH + 1, 980, 100_000):
        with pytest.raises(InvalidRequestError, match=f"^document.*at most {MAX_DEPTH} levels"):
            parsed(nested(levels))


def test_what_stands_in_place_of_an_object_is_not_shown() -> None:
    model = {"id": "a", "format": "api", "provider": "openai", "endpoint": "https://u:secret@h"}
    with pytest.raises(InvalidRequestError, match=r"^models\[0\]\.endpoint: '…'") as caught:
        parsed(json.dumps({"version": "1.2.0", "models": [model]}).encode())
    assert "secret" not in str(caught.value.value)
