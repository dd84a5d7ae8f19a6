from __future__ import annotations

from typing import Any

import pytest

from llm_runner_router.errors import UnsupportedError
from llm_runner_router.migrate.ollama.served_models import (
    capabilities_of,
    families_of,
    license_of,
)


@pytest.mark.parametrize(
    ("terms", "text"),
    [
        ("MIT", "MIT"),
        (["MIT ", "", 5, "Other"], "MIT\n\nOther"),
        (None, None),
        ("", None),
        ({"a": "b"}, None),
        ("x" * 1_000_001, None),
    ],
)
def test_terms_come_along(terms: Any, text: str | None) -> None:
    assert license_of({"license": terms}) == text


@pytest.mark.parametrize(
    ("told", "known"),
    [
        (None, ("text-generation",)),
        (["completion"], ("text-generation",)),
        (["completion", "tools", "vision"], ("text-generation", "tools")),
    ],
)
def test_what_a_model_can_do(told: Any, known: tuple[str, ...]) -> None:
    assert capabilities_of({"capabilities": told}, ["llama"]) == known


@pytest.mark.parametrize("told", [[], ["embedding"]])
def test_a_model_that_writes_no_text_is_refused(told: list[str]) -> None:
    with pytest.raises(UnsupportedError, match="no text"):
        capabilities_of({"capabilities": told}, ["llama"])


@pytest.mark.parametrize(
    ("details", "embeds"),
    [
        ({"family": "nomic-bert", "families": ["nomic-bert"]}, True),
        ({"family": "BERT"}, True),
        ({"family": "", "families": ["llama", "jina-bert-v2"]}, True),
        ({"family": "llama", "families": None}, False),
        ({"family": None, "families": "bert"}, False),
        ({"families": [None, 3]}, False),
        ("bert", False),
        (None, False),
    ],
)
def test_where_a_server_tells_no_capabilities_the_family_does(details: Any, embeds: bool) -> None:
    families = families_of(details)
    if embeds:
        with pytest.raises(UnsupportedError, match="no text"):
            capabilities_of({}, families)
    else:
        assert capabilities_of({}, families) == ("text-generation",)
    assert capabilities_of({"capabilities": ["completion"]}, families) == ("text-generation",)
