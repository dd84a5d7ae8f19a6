"""What LangChain writes, as values."""

from __future__ import annotations

import json
from typing import Any

from langchain_core.load import dumpd

from llm_runner_router.migrate.langchain.migrated import Migrated, migrated_langchain
from llm_runner_router.migrate.langchain.node import Node, node_of

SECRET = {"lc": 1, "type": "secret", "id": ["OPENAI_API_KEY"]}


def made(name: str, /, **fields: Any) -> dict[str, Any]:
    """An object of a class that is not installed here."""
    path = ["langchain", "somewhere", name]
    return {"lc": 1, "type": "constructor", "id": path, "kwargs": fields, "name": name}


def chain(*steps: Any) -> dict[str, Any]:
    first, *middle, last = [dumpd(step) if not isinstance(step, dict) else step for step in steps]
    return made("RunnableSequence", first=first, middle=middle, last=last)


def chat_openai(**fields: Any) -> dict[str, Any]:
    return made("ChatOpenAI", **{"model_name": "gpt-4o", **fields})


def migrated(document: Any) -> Migrated:
    return migrated_langchain(json.dumps(document).encode(), "f.json", "qa")


def node(value: Any) -> Node:
    """The node of something that LangChain made, or of values."""
    found = node_of(value if isinstance(value, dict) else dumpd(value), "")
    assert found is not None
    return found
