"""Chains of LangChain that are dumped, migrated, and answered by a router."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from langchain_core.load import dumps
from langchain_core.output_parsers import StrOutputParser
from langchain_core.prompts import ChatPromptTemplate, PromptTemplate
from langchain_core.runnables import Runnable
from typer.testing import CliRunner

from integration.langchain.openai_model import ChatOpenAI
from integration.langchain.routers import KEY
from integration.processes import llm_router
from integration.upstreams.agent_server import AgentServer
from llm_runner_router.cli import app
from llm_runner_router.compat.langchain import RouterThread
from llm_runner_router.types import Response

QUESTION = {"question": "What is {AI}?"}


@pytest.fixture
def model(server: AgentServer) -> ChatOpenAI:
    return ChatOpenAI(
        model_name="gpt-4o",
        temperature=0.7,
        max_tokens=50,
        openai_api_base=f"{server.address}/v1",
        openai_api_key=KEY,
    )


def command(chain: Runnable[Any, Any], name: str, folder: Path, target: str) -> list[str]:
    """The command that migrates what LangChain writes of a chain."""
    file = folder / f"{name}.json"
    file.write_text(dumps(chain))
    assert KEY not in file.read_text()
    return ["migrate", "langchain", str(file), "--target", target, "--json", "--replace"]


def migrate(chain: Runnable[Any, Any], name: str, folder: Path, target: str) -> dict[str, Any]:
    """What the command tells, run in this process."""
    done = CliRunner().invoke(app, command(chain, name, folder, target))
    assert done.exit_code == 0, done.output
    told: dict[str, Any] = json.loads(done.stdout)
    return told


def answer(target: str, template: str, variables: dict[str, str]) -> Response:
    use = {"id": template, "variables": variables}
    with RouterThread(target=target) as router:
        return router.run(lambda face: face.process(template=use, cache="bypass"))


def asked(server: AgentServer, position: int) -> dict[str, Any]:
    """What was asked of the server: the body but for how the answer is delivered, and the key."""
    seen = server.seen[position]
    body = {key: value for key, value in seen.body.items() if not key.startswith("stream")}
    return {**body, "key": seen.headers["Authorization"]}


def test_contract_15_the_prompt_template_and_its_variables_are_part_of_what_is_migrated(
    model: ChatOpenAI, server: AgentServer, target: str, tmp_path: Path
) -> None:
    prompt = PromptTemplate.from_template(
        "In {tone} words, {{as}} JSON: answer this question: {question}",
        partial_variables={"tone": "few"},
    )
    chain = prompt | model | StrOutputParser()
    theirs = chain.invoke(QUESTION)

    done = asyncio.run(llm_router(*command(chain, "guide", tmp_path, target)))
    assert done.code == 0, done.err
    assert json.loads(done.out)["added"] == ["model gpt-4o", "template guide"]
    ours = answer(target, "guide", QUESTION)

    assert asked(server, -1) == asked(server, -2)
    assert asked(server, -1) == {
        "model": "gpt-4o",
        "messages": [
            {
                "role": "user",
                "content": "In few words, {as} JSON: answer this question: What is {AI}?",
            }
        ],
        "temperature": 0.7,
        "max_completion_tokens": 50,
        "key": f"Bearer {KEY}",
    }
    assert (ours.model_used, ours.response) == ("gpt-4o", theirs)


def test_a_system_message_and_what_is_bound_to_the_model_come_along(
    model: ChatOpenAI, server: AgentServer, target: str, tmp_path: Path
) -> None:
    messages = [("system", "Be brief."), ("human", "Question: {question}")]
    chain = ChatPromptTemplate.from_messages(messages) | model.bind(stop=["you"], temperature=0)
    theirs = chain.invoke(QUESTION)
    assert migrate(chain, "brief", tmp_path, target)["applied"]
    ours = answer(target, "brief", QUESTION)
    assert asked(server, -1) == asked(server, -2)
    assert asked(server, -1)["messages"][0] == {"role": "system", "content": "Be brief."}
    assert asked(server, -1)["stop"] == ["you"]
    assert ours.response == theirs.text


def test_a_second_run_changes_nothing(model: ChatOpenAI, target: str, tmp_path: Path) -> None:
    chain = PromptTemplate.from_template("Twice: {question}") | model.bind(seed=2)
    first = migrate(chain, "twice", tmp_path, target)
    again = migrate(chain, "twice", tmp_path, target)
    assert again["unchanged"] == ["model gpt-4o", "template twice"]
    assert (again["added"], again["replaced"]) == ([], [])
    assert (again["fields"], again["templates"]) == (first["fields"], first["templates"])
