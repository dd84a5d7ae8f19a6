from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_runner_router.registry.versions import Versions, key_of

ORDERED = (
    "-",
    "",
    "a",
    "b",
    "1-alpha",
    "1-rc",
    "1-rc1",
    "1-rc2",
    "1-rc10",
    "1-2",
    "1",
    "1.a",
    "1.0",
    "1.2",
    "v1.9",
    "1.10-x",
    "1.10",
    "1.10.1",
    "V2",
    "2024-05-13",
    "2024-10-01",
    "2024",
    "9" * 5000,
)
"""Each higher than the one before."""


@pytest.mark.parametrize(("lower", "higher"), list(pairwise(ORDERED)))
def test_the_order_of_versions(lower: str, higher: str) -> None:
    assert key_of(lower) < key_of(higher)


def test_the_highest_version_of_a_name() -> None:
    versions = Versions(["m@1.9", "m@1.10", "m@1.10-rc1", "m", "n@1", "mm@3", "o"])
    assert [versions.highest(name) for name in ("m", "n", "o", "m@1.9", "")] == [
        "m@1.10",
        "n@1",
        None,
        None,
        None,
    ]
    versions.drop("m@1.10")
    versions.drop("o")
    assert versions.highest("m") == "m@1.10-rc1"
    versions.add("m@1.11")
    assert versions.highest("m") == "m@1.11"
    for model in ("m@1.11", "m@1.9", "m@1.10-rc1"):
        versions.drop(model)
    assert versions.highest("m") is None


def test_of_equal_versions_the_id_decides() -> None:
    for models in (["m@v1", "m@1", "m@01"], ["m@01", "m@1", "m@v1"]):
        assert Versions(models).highest("m") == "m@v1"


@given(st.lists(st.text("v01.9-a@²", max_size=6), unique=True))
def test_any_versions_come_and_go(found: list[str]) -> None:
    models = [f"m@{version}" for version in found]
    versions = Versions(models)
    for number, model in enumerate(models):
        left = [version.partition("@")[2] for version in models[number:]]
        assert versions.highest("m") == f"m@{max(left, key=key_of)}"
        versions.drop(model)
    assert versions.highest("m") is None
