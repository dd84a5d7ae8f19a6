"""What the guide's own scripts get wrong, one point after the other: 9 to 17 of 17."""

from __future__ import annotations

import asyncio
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from integration.guide import gpt2_checkpoint
from integration.guide.command_line import done, refused
from integration.guide.projects import (
    BACKUPS,
    DATABASE,
    MODEL_FILES,
    project_of_v1_0,
    read_json,
    state,
)
from integration.guide.small_project import folder_with, migrated
from integration.model_service import serving
from integration.upstreams.ollama_store import OllamaFiles, OllamaFolder
from llm_runner_router import LLMRouter
from llm_runner_router.compat.transformers import pipeline
from llm_runner_router.errors import InvalidRequestError
from unit import tiny_model

ONE_THREAD = {"engine": {"threads": 1}}
OLD = {"maxConcurrentRequests": 3}
FAR = {"name": "far", "type": "api", "provider": "openai", "path": "gpt-4o"}
APP = {
    "config.json": OLD,
    ".llmrouter.json": {"logLevel": "warn"},
    "package.json": {"dependencies": {"llm-runner-router": "1.0.5"}},
    ".env": "LLM_LOG_LEVEL=info\nSECRET=1\n",
    "models/registry.json": {"models": [FAR]},
}


@pytest.mark.parametrize(
    ("file", "content", "told"),
    [
        ("config.json", {**OLD, "registry": {"path": "./config.json/r.sqlite"}}, "r.sqlite"),
        ("config.json", {"maxConcurrentRequests": 0}, "maxConcurrentRequests"),
        ("models/registry.json", {"models": [{**FAR, "context_length": "long"}]}, "context_length"),
        ("models/registry.json", "{", "models/registry.json"),
        (".env", "LLM_LOG_LEVEL=loud\n", "LLM_LOG_LEVEL"),
    ],
)
def test_09_all_or_nothing_and_tried_by_a_router(
    tmp_path: Path, file: str, content: Any, told: str
) -> None:
    folder = folder_with(tmp_path, {**APP, file: content})
    before = state(folder)
    assert told in refused("migrate", folder, "--yes").said
    assert state(folder) == before
    assert done("backups", "list", folder, "--json").json == []


def test_10_backups_hold_what_is_touched_and_are_never_overwritten(tmp_path: Path) -> None:
    folder = folder_with(tmp_path, APP)
    first = migrated(folder)["backup"]
    (backup,) = done("backups", "list", folder, "--json").json
    assert (backup["name"], backup["state"]) == (first, "whole")
    assert set(backup["files"]) == set(APP)
    assert datetime.strptime(first, "%Y%m%dT%H%M%S.%fZ").replace(tzinfo=UTC) <= datetime.now(UTC)
    kept = state(folder / BACKUPS / first)
    assert not migrated(folder)["applied"]
    done("rollback", "--folder", folder, "--yes")
    second = migrated(folder)["backup"]
    assert second > first
    assert {path: state(folder / BACKUPS / first)[path] for path in kept} == kept
    manifest = next((folder / BACKUPS / second).glob("manifest.json"))
    assert len(re.findall(r'"sha256": "[0-9a-f]{64}"', manifest.read_text())) >= len(APP)


def test_11_rollback_brings_everything_back_and_leaves_nothing_new(tmp_path: Path) -> None:
    folder = project_of_v1_0(tmp_path / "desk")
    before = state(folder)
    migrated(folder)
    assert DATABASE in state(folder)
    done("rollback", "--folder", folder, "--yes")
    assert state(folder) == before
    assert before[".env"].mode == 0o600


def test_12_model_files_of_all_kinds(tmp_path: Path) -> None:
    folder = project_of_v1_0(tmp_path / "desk")
    (folder / "models/registry.json").unlink()
    migrated(folder, "models")
    after = state(folder)
    assert set(MODEL_FILES.values()) <= after.keys()
    assert not set(MODEL_FILES) & after.keys()
    models = read_json(folder / "models/registry.json")["models"]
    assert {one["id"]: (one["source"], one["config"]["contextLength"]) for one in models} == {
        "archive": ("./models/cache/archive-00001-of-00002.gguf", 512),
        "desk's own": ("./models/cache/desk's own.gguf", 64),
        "model": ("./models/cache/model.gguf", 256),
        "support chat": ("./models/cache/support chat.gguf", 256),
    }
    tiny_model.write(folder / "models/model.gguf", seed=9)  # there is one in the cache now
    before = state(folder)
    said = refused("migrate", "models", folder, "--yes").said
    assert "models/model.gguf" in said
    assert "models/cache/model.gguf" in said
    assert state(folder) == before


async def test_13_from_ollama_with_all_that_belongs_to_a_model(tmp_path: Path) -> None:
    weights = tiny_model.write(tmp_path / "tiny.gguf").read_bytes()
    files = OllamaFiles(weights, config={"model_format": "gguf", "model_type": "7B"})
    files.add("template", "{{ range .Messages }}[{{ .Role }}]{{ .Content }}{{ end }}")
    files.add("system", "Be brief.").add("params", {"temperature": 0}).add("license", "MIT")
    store = OllamaFolder(tmp_path / "ollama")
    store.put(files, "llama2")
    async with serving({}, ONE_THREAD) as service:
        where = ("--store", store.folder, "--target", service.address)
        await asyncio.to_thread(done, "migrate", "ollama", *where, "--yes")
        async with LLMRouter(target=service.address) as router:
            record = (await router.get_model("llama2:latest")).record
            config = record.config
            assert config.context_length is None  # that of the file; "7B" is none
            assert (config.system, config.temperature, config.license) == ("Be brief.", 0, "MIT")
            chat = [("user", "one"), ("assistant", "two"), ("user", "three")]
            messages = [{"role": role, "content": text} for role, text in chat]
            answer = await router.process(
                messages=messages, model="llama2", max_tokens=1, prompt_logprobs=0
            )
            said = "".join(token.token for token in answer.prompt_logprobs)
    assert said == "[system]Be brief.[user]one[assistant]two[user]three"


def test_14_max_length_counts_the_prompt_and_max_tokens_does_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    folder = gpt2_checkpoint.write(tmp_path / "gpt2")
    with pipeline("text-generation", model=folder, do_sample=False, return_tensors=True) as ask:
        whole = ask("Hello world", max_length=12)[0]["generated_token_ids"]
        answer = ask("Hello world", max_new_tokens=12)[0]["generated_token_ids"]
        prompt = len(gpt2_checkpoint.byte_level_tokenizer().encode("Hello world").ids)
    assert len(whole) == 12
    assert len(answer) == prompt + 12
    assert answer[:12] == whole


async def test_15_from_langchain_with_the_prompt_and_its_variables(tmp_path: Path) -> None:
    kwargs = {
        "template": "In {language}: {question}",
        "input_variables": ["language", "question"],
        "template_format": "f-string",
    }
    identity = ["langchain", "prompts", "prompt", "PromptTemplate"]
    node = {"lc": 1, "type": "constructor", "id": identity, "kwargs": kwargs}
    folder_with(tmp_path, {"ask.json": node})
    model = tiny_model.write(tmp_path / "tiny.gguf")
    async with serving({"tiny": model}, ONE_THREAD) as service:
        where = ("migrate", "langchain", tmp_path / "ask.json", "--target", service.address)
        report = (await asyncio.to_thread(done, *where, "--json")).json
        async with LLMRouter(target=service.address) as router:
            (template,) = await router.list_templates()
            use: dict[str, Any] = {"id": template.id, "variables": {"language": "French"}}
            with pytest.raises(InvalidRequestError, match="question"):
                await router.process(template=use, model="tiny", max_tokens=1)
            use["variables"]["question"] = "What is AI?"
            answer = await router.process(
                template=use, model="tiny", max_tokens=1, prompt_logprobs=0
            )
    said = "".join(token.token for token in answer.prompt_logprobs)
    assert "In French: What is AI?" in said
    fates = {one["path"]: one["fate"] for one in report["fields"]}
    assert fates["kwargs.template"] == "mapped"
    assert {fates["kwargs.input_variables[0]"], fates["kwargs.input_variables[1]"]} == {"mapped"}


def test_16_from_0_x_with_a_path_and_require(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = (
        "const { LLMRouter } = require('llm-runner-router');\n"
        "module.exports = new LLMRouter('./config.json');\n"
    )
    package = {"dependencies": {"llm-runner-router": "^0.9.0"}}
    files = {"index.js": script, "config.json": OLD, "package.json": package}
    folder = folder_with(tmp_path, files)
    monkeypatch.chdir(folder)
    with pytest.warns(DeprecationWarning, match="config_file"):
        LLMRouter("./config.json")
    report = migrated(folder)
    assert report["source"] == "0.x"
    notes = "\n".join(report["notes"])
    assert re.search(r"index\.js:1: require\('llm-runner-router'\) is import now", notes)
    assert re.search(r"index\.js:2: new LLMRouter\(path\) .*configFile", notes)
    assert read_json(folder / "package.json") == {
        "dependencies": {"llm-runner-router": "^1.2.0"},
        "type": "module",
    }
    assert read_json(folder / "config.json") == {"performance": {"maxConcurrent": 3}}


MODULE = {"type": "module"}


@pytest.mark.parametrize(
    ("files", "version"),
    [
        ({"config.json": OLD}, "1.0"),
        ({".env": "LLM_CACHE_ENABLED=true\n"}, "1.0"),
        ({"models/registry.json": {"models": [FAR]}}, "1.0"),
        ({"config.json": OLD, "app.js": "import { LLMRouter } from 'llm-runner-router';\n"}, "1.1"),
        (
            {
                "config.json": OLD,
                "package.json": {**MODULE, "dependencies": {"llm-runner-router": "*"}},
            },
            "1.1",
        ),
        ({"config.json": {"performance": {"maxConcurrent": 3}}}, "1.2"),
        ({".env": "CACHE_ENABLED=true\n"}, "1.2"),
        ({"models/registry.json": {"version": "1.2.0", "models": []}}, "1.2"),
    ],
)
def test_17_versions_are_told_apart_by_content(
    tmp_path: Path, files: dict[str, Any], version: str
) -> None:
    folder = folder_with(tmp_path, files)
    report = done("migrate", folder, "--dry-run", "--json").json
    assert report["source"] == version
    if version == "1.1":
        assert migrated(folder)["applied"]
        assert read_json(folder / "config.json") == {"performance": {"maxConcurrent": 3}}
