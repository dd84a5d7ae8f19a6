"""Code that the guide shows as old, and what it says takes its place."""

from __future__ import annotations

import time

import pytest

from llm_runner_router.migrate.javascript import MAX_USES, OldUse, read_script

OLD = """\
const { LLMRouter } = require('llm-runner-router');
const llm = new LLMRouter('./config.json');
llm.loadModel('model-id');
await llm.addModel({ name: 'my-model', path: './models/model.gguf', type: 'gguf' });
const result = await llm.generate({ input: 'Hello (you)', max_tokens: 50, top_p: 0.9 });
console.log(result.text, result.usage.total_tokens, result.model);
llm.generateStream({ prompt: 'x', stream: true, model_id: 'y' }).on('token', f).on('end', g);
const other = new LLMRouter({ maxConcurrentRequests: 10, cacheTTL: 0 });
other.removeModel('x'); other.getModels(); other.generateBatch([]); other.setConfig({});
this.router.status(); router.health();
"""


def test_every_old_name_of_the_guide_is_found() -> None:
    script = read_script(OLD)
    assert script is not None
    assert (script.requires, script.imports, script.path_given) == (True, False, True)
    assert script.loads()
    assert list(script.uses) == sorted(
        [
            OldUse(1, "require('llm-runner-router')", "import"),
            OldUse(2, "new LLMRouter(path)", "new LLMRouter({ configFile: path })"),
            OldUse(3, "llm.loadModel", "registerModel; models load when they are used"),
            OldUse(4, "llm.addModel", "registerModel"),
            OldUse(5, "llm.generate", "process"),
            OldUse(5, "input:", "prompt:"),
            OldUse(5, "max_tokens:", "maxTokens:"),
            OldUse(5, "top_p:", "topP:"),
            OldUse(6, "result.text", "result.response"),
            OldUse(6, "result.usage", "result.metrics"),
            OldUse(6, "result.model", "result.modelUsed"),
            OldUse(7, "llm.generateStream", "processStream"),
            OldUse(7, "stream:", "streaming:"),
            OldUse(7, "model_id:", "model:"),
            OldUse(7, "event token", "event chunk"),
            OldUse(7, "event end", "event complete"),
            OldUse(8, "maxConcurrentRequests", "performance.maxConcurrent"),
            OldUse(8, "cacheTTL", "cache.ttl"),
            OldUse(9, "other.removeModel", "unregisterModel"),
            OldUse(9, "other.getModels", "listModels"),
            OldUse(9, "other.generateBatch", "processBatch"),
            OldUse(9, "other.setConfig", "updateConfig"),
            OldUse(10, "router.status", "getStatus"),
            OldUse(10, "router.health", "checkHealth"),
        ]
    )


@pytest.mark.parametrize(
    ("code", "files"),
    [
        ("new LLMRouter('./settings/router.json')", ("./settings/router.json",)),
        ('new LLMRouter( "a.json" ); new LLMRouter(`b.json`)', ("a.json", "b.json")),
        ("new LLMRouter({ configFile: 'my config.json' })", ("my config.json",)),
        ("new LLMRouter(`${home}/a.json`); new LLMRouter(path); // new LLMRouter('x.json')", ()),
    ],
)
def test_configurations_that_code_names(code: str, files: tuple[str, ...]) -> None:
    script = read_script(code)
    assert script is not None
    assert script.config_files == files


NEW = """\
import { LLMRouter } from 'llm-runner-router';
// const router = new LLMRouter('./config.json'); router.generate({ input: 1 });
/* require('llm-runner-router') */
const router = new LLMRouter({ performance: { maxConcurrent: 10 } });
const result = await router.process({ prompt: 'http://x', maxTokens: 50, streaming: true });
console.log(result.response, result.metrics, other.text);
res.status(200).on('end', f);
"""


def test_code_of_today_has_none() -> None:
    script = read_script(NEW)
    assert script is not None
    assert (script.requires, script.imports, script.path_given, script.uses) == (
        *(False, True, False),
        (),
    )


@pytest.mark.parametrize("text", ["", "const x = require('express'); x.generate({ input: 1 })"])
def test_other_code_is_not_looked_at(text: str) -> None:
    assert read_script(text) is None


@pytest.mark.parametrize(
    "text",
    [
        "/*" * 130_000,
        "a" * 260_000,
        '"\\' * 130_000,
        "'" * 260_000,
        "router.generate(" * 16_000,
        "x = await a.generate(" * 12_000,
        "x= new LLMRouter(" * 14_000,
        "\n" * 260_000,
    ],
)
def test_hostile_code_is_read_in_no_time(text: str) -> None:
    start = time.process_time()
    script = read_script(text + "\nLLMRouter")
    assert script is not None
    assert len(script.uses) <= MAX_USES
    assert time.process_time() - start < 5
