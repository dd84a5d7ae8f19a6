"""The objects of a file that have become nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from llm_runner_router.migrate.langchain.claims import Ledger
from llm_runner_router.migrate.langchain.node import class_of
from llm_runner_router.migrate.leaves import below

WRITTEN = ("constructor", "not_implemented")
"""Objects as ``dumps`` writes them; the latter it could not write."""


def left_out(value: object, ledger: Ledger, path: str = "") -> Iterator[str]:
    """A note for each object of a class that nothing was made of, and nothing said of yet."""
    if isinstance(value, Mapping):
        mark = mark_of(value)
        if mark and not ledger.knows(below(path, mark)):
            yield f"{path or 'the top'}: nothing here does what {class_of(value)} does"
        for key, inner in value.items():
            yield from left_out(inner, ledger, below(path, str(key)))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from left_out(inner, ledger, f"{path}[{index}]")


def mark_of(value: Mapping[str, object]) -> str:
    """The key by which LangChain's objects are known, in ``value``; empty where it is none."""
    if value.get("lc") == 1 and value.get("type") in WRITTEN:
        return "type"
    return "_type" if isinstance(value.get("_type"), str) else ""
