"""Old registries for property tests, and leaves told without the code under test."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import strategies as st

SCALARS = st.one_of(st.none(), st.booleans(), st.integers(-9, 9), st.text(max_size=4))
ANYTHING = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text("ab", max_size=2), inner),
    max_leaves=4,
)
NAMES = st.text("abcde", min_size=1, max_size=3)
NOTHING = st.sampled_from([None, ""])

PARAMETERS = st.fixed_dictionaries(
    {},
    optional={
        "contextLength": st.sampled_from([None, 512, 2048]),
        "temperature": st.sampled_from([0, 0.5]),
        "max_tokens": st.sampled_from([1, 50]),
        "maxTokens": st.sampled_from([1, 50]),
        "stop": st.sampled_from([None, "###", ["a", "b"]]),
        "top_p": st.just(0.9),
        "mystery": ANYTHING,
    },
)

MODELS = st.fixed_dictionaries(
    {},
    optional={
        "id": NAMES | NOTHING,
        "name": NAMES | NOTHING,
        "displayName": NAMES | NOTHING,
        "type": st.sampled_from(["gguf", "GGUF", "api", "huggingface", "ggml", None, ""]),
        "path": st.sampled_from(["./models/a.gguf", "b.bin", "", None]),
        "provider": st.sampled_from(["openai", "cohere", "local", None]),
        "context_length": st.sampled_from([None, 1, 2048]),
        "default_temperature": st.sampled_from([None, 0, 0.7, 1]),
        "parameters": PARAMETERS | st.text(max_size=3) | st.none(),
        "capabilities": st.sampled_from([None, [], ["chat"]]),
        "speed": st.sampled_from([0, 12.5, None]),
        "memory": st.sampled_from([0, "4GB", None]),
        "_unmapped": st.just({"was": [1]}),
        "extra": ANYTHING,
    },
)

PROMPTS = st.fixed_dictionaries(
    {},
    optional={
        "id": NAMES,
        "name": NAMES | NOTHING,
        "displayName": NAMES,
        "template": st.sampled_from(["{a}", "{{a}} b", "{{a}} {b}", '{"x": 1}', "", None, 7]),
        "stop_tokens": st.sampled_from([None, [], ["x"], "x"]),
        "compatible_models": st.sampled_from([None, [], ["a", "b"], "*"]),
        "extra": ANYTHING,
    },
)


def once(records: list[Any]) -> list[Any]:
    """The records without those whose id another has."""
    seen: dict[str, Any] = {}
    for number, one in enumerate(records):
        own = isinstance(one, dict) and (one.get("id") or one.get("name"))
        seen.setdefault(own or f"#{number}", one)
    return list(seen.values())


REGISTRIES = st.fixed_dictionaries(
    {},
    optional={
        "version": st.sampled_from(["1.0.0", "1.2.3", "0.9", 1, None]),
        "models": st.lists(MODELS | ANYTHING, max_size=4).map(once),
        "prompts": st.lists(PROMPTS | ANYTHING, max_size=4).map(once),
        "routing": st.dictionaries(st.text("abc", max_size=2), ANYTHING, max_size=3) | SCALARS,
        "_unmapped": st.just({"models": [{"kept": 1}], "odd": []}),
        "custom": ANYTHING,
    },
)


def leaf_values(value: Any, path: str = "") -> list[tuple[str, str]]:
    """Each leaf with its place, as JSON."""
    found: list[tuple[str, str]] = []
    waiting = [(path, value)]
    while waiting:
        here, one = waiting.pop()
        if isinstance(one, dict) and one:
            waiting += [(f"{here}.{key}" if here and key else here + key, one[key]) for key in one]
        elif isinstance(one, list) and one:
            waiting += [(f"{here}[{index}]", inner) for index, inner in enumerate(one)]
        else:
            found.append((here, json.dumps(one)))
    return found
