"""A service, and what a person has of Ollama beside it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from integration.model_service import ModelService, serving
from integration.upstreams.ollama_store import OllamaFiles, OllamaFolder
from llm_runner_router.migrate.ollama.finding import found_models
from llm_runner_router.migrate.ollama.registration import Line, planned, register, registered
from llm_runner_router.registry.records import PullProgress
from llm_runner_router.remote import RemoteBackend
from llm_runner_router.types import Message, Request, Role

CONFIG = {
    "model_format": "gguf",
    "model_family": "llama",
    "model_type": "7B",
    "file_type": "Q4_0",
}
BY_TURNS = (
    "{{ if .System }}<|start|>system\n{{ .System }}<|im_end|>{{ end }}"
    "{{ if .Prompt }}<|start|>user\n{{ .Prompt }}<|im_end|>{{ end }}"
    "<|start|>assistant\n{{ .Response }}<|im_end|>"
)
BY_MESSAGES = (
    "{{ range .Messages }}<|start|>{{ .Role }}\n{{ .Content }}<|im_end|>{{ end }}"
    "{{ if .Tools }}tools{{ end }}<|start|>assistant\n"
)
CHAT = (
    Message(Role.USER, "one"),
    Message(Role.ASSISTANT, "two"),
    Message(Role.USER, "three"),
)
TURNS = (
    "<|start|>user\none<|im_end|><|start|>assistant\ntwo<|im_end|>"
    "<|start|>user\nthree<|im_end|><|start|>assistant\n"
)


@dataclass
class World:
    """A service, and what a person has of Ollama on the same machine."""

    service: ModelService
    remote: RemoteBackend
    store: OllamaFolder
    told: list[PullProgress] = field(default_factory=list)

    async def answer(self, model: str) -> str:
        """What it says, each token the likeliest."""
        request = Request(
            prompt="hello", model=model, max_tokens=10, temperature=0, ignore_eos=True
        )
        return (await self.remote.process(request)).response

    @property
    def environment(self) -> dict[str, str]:
        """Of the person's shell."""
        return {"OLLAMA_MODELS": str(self.store.folder)}

    async def plan(self, store: Path | None = None, host: str | None = None) -> dict[str, Line]:
        present = await registered(self.remote)
        models = await found_models(store, host, self.environment, self.told.append, present.models)
        return {line.name: line for line in planned(models, present)}

    async def migrate(self, host: str | None = None) -> dict[str, Line]:
        lines = await register(self.remote, [*(await self.plan(host=host)).values()])
        return {line.name: line for line in lines}

    async def prompt(self, model: str, *messages: Message) -> str:
        """What the model is given of a conversation."""
        request = Request(messages=messages, model=model, max_tokens=1, prompt_logprobs=0)
        answer = await self.remote.process(request)
        return "".join(token.token for token in answer.prompt_logprobs)


@asynccontextmanager
async def world(folder: Path, *, shared: bool = True) -> AsyncIterator[World]:
    """``shared``: the service is configured for the store itself."""
    store = OllamaFolder(folder / "theirs")
    theirs = store.folder if shared else folder / "none"
    settings = {"cache_dir": str(folder / "cache"), "ollama_dir": str(theirs)}
    async with AsyncExitStack() as stack:
        service = await stack.enter_async_context(serving({}, {"models": settings}))
        remote = RemoteBackend(service.address)
        stack.push_async_callback(remote.close)
        await remote.initialize()
        yield World(service, remote, store)


def whole(weights: bytes, template: str = BY_TURNS) -> OllamaFiles:
    """A model with everything that one of Ollama's may have."""
    files = OllamaFiles(weights, config=CONFIG).add("template", template)
    files.add("system", "Be kind.").add("license", "MIT")
    return files.add("params", {"temperature": 0, "stop": ["###"], "num_ctx": 128})
