"""The README's first calls as they stand, and the promise that both routers are the same."""

from __future__ import annotations

import asyncio
import json
import os
import re
import shlex
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest

from integration.model_service import serving
from integration.processes import ROOT, service_process
from integration.test_node import node_modules  # noqa: F401 - a fixture
from integration.upstreams.faults import status
from integration.upstreams.openai_server import OpenAIServer
from llm_runner_router.errors import RouterError
from llm_runner_router.router import LLMRouter
from llm_runner_router.types import Chunk, Complete, Response
from unit import tiny_model

README = ROOT / "README.md"
ONE_THREAD = {"engine": {"threads": 1}}
MODEL, ADDRESS = "/models/chat.gguf", "localhost:50051"
FIRST_CALL, SEVERAL_MODELS = "## First call from ", "## Several models behind one name"
PROMPT = "Why is the sky blue?"


@pytest.fixture(scope="module")
def chat(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """So sure of its words that it says the same at any temperature."""
    return tiny_model.write(tmp_path_factory.mktemp("models") / "chat.gguf", scale=1000.0)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A working directory whose configuration the examples find by themselves."""
    (tmp_path / "config.json").write_text(json.dumps(ONE_THREAD))
    return tmp_path


REPLACEABLE = {
    "model": MODEL,
    "address": ADDRESS,
    "router": "LLMRouter()",
    "provider": 'provider="openai"',
}


def example(language: str, section: str = FIRST_CALL, **replaced: str) -> str:
    """The only block in a language of a section, with nothing but ``replaced`` changed."""
    text = README.read_text("utf-8")
    sections = [each for each in re.split(r"^(?=## )", text, flags=re.MULTILINE) if section in each]
    (block,) = re.findall(rf"```{language}\n(.*?)```", "".join(sections), re.DOTALL)
    found = str(block)
    for old, new in replaced.items():
        before = REPLACEABLE[old]
        assert found.count(before) == 1
        found = found.replace(before, new)
    return found


async def said_by(*command: str, cwd: Path = ROOT, **environment: str) -> str:
    """What a program prints; it must end by itself, well, and without complaint."""
    process = await asyncio.create_subprocess_exec(
        *command,
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(ROOT / "python"), "PYTHONUTF8": "1", **environment},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        out, err = await asyncio.wait_for(process.communicate(), 60)
    finally:
        if process.returncode is None:
            process.kill()
    assert process.returncode == 0, err.decode()
    assert not err, err.decode()
    return out.decode()


async def expected(chat: Path) -> str:
    async with LLMRouter(ONE_THREAD) as router:
        await router.register_model("chat", chat)
        answer = await router.process(PROMPT, model="chat", temperature=0)
    assert answer.response
    return answer.response


async def test_python_in_the_same_process(chat: Path, folder: Path) -> None:
    program = example("python", model=str(chat))
    assert await said_by(sys.executable, "-c", program, cwd=folder) == await expected(chat)


async def test_an_alias_of_a_provider_and_a_file(chat: Path, folder: Path) -> None:
    async with OpenAIServer().running() as server:
        address = f"http://127.0.0.1:{server.port}/v1"
        provider = f'{REPLACEABLE["provider"]}, endpoint={{"base_url": "{address}"}}'
        program = example("python", SEVERAL_MODELS, model=str(chat), provider=provider)
        assert await said_by(sys.executable, "-c", program, cwd=folder) == "large: one two three\n"
        assert server.served.requests == 1
        server.inject(*[status(500)] * 3)
        said = await said_by(sys.executable, "-c", program, cwd=folder)
        assert said.startswith("local: ")
        assert server.served.requests == 2


async def test_commands_of_the_alias(chat: Path, folder: Path) -> None:
    """Each command as it stands, against a service that keeps the file as ``local``."""
    serve = ("-m", "llm_runner_router.cli", "serve", "--model", f"local={chat}", "--port", "0")
    lines = example("console", SEVERAL_MODELS).splitlines()
    said: list[str] = []
    async with service_process(*serve, "--data", str(folder), cwd=folder) as service:
        for line in lines:
            _, *words = shlex.split(line)
            command = (sys.executable, "-m", "llm_runner_router.cli", *words)
            said.append(await said_by(*command, cwd=folder, LLM_ROUTER_TARGET=service.address))
    assert "set chat: large, local" in said[1]
    assert said[2].startswith("large, by quality-first, then local")


async def test_python_over_grpc(chat: Path, folder: Path) -> None:
    async with serving({}, ONE_THREAD) as service:
        router = f'LLMRouter(target="{service.address}")'
        program = example("python", model=str(chat), router=router)
        assert await said_by(sys.executable, "-c", program, cwd=folder) == await expected(chat)
        assert service.stats("chat").computed_tokens > 0


async def test_node(chat: Path, folder: Path, node_modules: Path) -> None:  # noqa: F811
    command = ("-m", "llm_runner_router.cli", "serve", "--model", f"chat={chat}", "--port", "0")
    async with service_process(*command, "--data", str(folder), cwd=folder) as service:
        program = example("javascript", address=service.address)
        said = await said_by("node", "-e", program, NODE_PATH=str(node_modules))
    assert said == await expected(chat)


@asynccontextmanager
async def both(chat: Path) -> AsyncIterator[tuple[LLMRouter, LLMRouter]]:
    """A router of this process and one behind a socket, with the same models."""
    async with AsyncExitStack() as stack:
        service = await stack.enter_async_context(serving({}, ONE_THREAD))
        here = await stack.enter_async_context(LLMRouter(ONE_THREAD))
        there = await stack.enter_async_context(LLMRouter(target=service.address))
        for router in (here, there):
            await router.register_model("chat", chat)
            await router.register_model("gone", "/no/such/file.gguf")
        yield here, there


async def test_answers_are_the_same_here_and_there(chat: Path) -> None:
    async with both(chat) as routers:
        wholes: list[Response] = []
        streams = []
        for router in routers:
            values = {"prompt": PROMPT, "model": "chat", "seed": 7, "logprobs": 2, "max_tokens": 40}
            wholes.append(await router.process(values))
            streams.append([event async for event in router.process_stream(values)])
    here, there = wholes
    assert here.response == there.response
    assert list(here.token_ids) == list(there.token_ids)
    assert list(here.logprobs) == list(there.logprobs)
    assert here.finish_reason is there.finish_reason
    for events in streams:
        chunks = [event for event in events if isinstance(event, Chunk)]
        assert "".join(chunk.text for chunk in chunks) == here.response
        assert isinstance(events[-1], Complete)
        assert events[-1].metrics.completion_tokens == here.metrics.completion_tokens


@pytest.mark.parametrize("key", ["maxConcurrent", "max_concurrent"])
async def test_settings_change_in_both_spellings_here_and_there(chat: Path, key: str) -> None:
    async with both(chat) as routers:
        for router in routers:
            values = await router.update_config({"performance": {key: 7}})
            assert values["performance"]["max_concurrent"] == 7


BAD: dict[str, Callable[[LLMRouter], Awaitable[object]]] = {
    "no prompt": lambda router: router.process(model="chat"),
    "empty prompt": lambda router: router.process("", model="chat"),
    "temperature": lambda router: router.process("a", model="chat", temperature=-1.0),
    "no tokens": lambda router: router.process("a", model="chat", max_tokens=0),
    "top_p": lambda router: router.process("a", model="chat", top_p=7.0),
    "negative seed": lambda router: router.process("a", model="chat", seed=-1),
    "many logprobs": lambda router: router.process("a", model="chat", logprobs=1000),
    "bias": lambda router: router.process("a", model="chat", logit_bias={100_000: 1.0}),
    "too long": lambda router: router.process("x" * 300, model="chat", raw=True),
    "unknown role": lambda router: router.process(
        model="chat", messages=[{"role": "judge", "content": "a"}]
    ),
    "timeout": lambda router: router.process("a", model="chat", timeout=0),
    "unknown model": lambda router: router.process("a", model="absent"),
    "no file": lambda router: router.load_model("gone"),
    "taken id": lambda router: router.register_model("chat", "/other.gguf"),
    "bad id": lambda router: router.register_model(" chat", "/other.gguf"),
    "unload absent": lambda router: router.unload_model("absent"),
    "token ids": lambda router: router.detokenize([100_000], model="chat"),
    "setting": lambda router: router.update_config({"performance": {"maxConcurrent": 0}}),
    "unknown setting": lambda router: router.update_config({"performance": {"speed": 1}}),
}


async def test_bad_input_raises_the_same_here_and_there(chat: Path) -> None:
    raised: dict[str, list[tuple[type[RouterError], str, str]]] = {}
    async with both(chat) as routers:
        for name, call in BAD.items():
            for router in routers:
                with pytest.raises(RouterError) as caught:
                    await call(router)
                error = caught.value
                raised.setdefault(name, []).append((type(error), error.reason, error.message))
    different = {name: found for name, found in raised.items() if found[0] != found[1]}
    assert not different
