from __future__ import annotations

from pathlib import Path

import pytest

from llm_runner_router.registry.records import Endpoint, ModelConfig, ModelRecord, Pricing
from llm_runner_router.types import ModelFormat
from unit.cli.services import FakeService, run


def test_a_provider_makes_it_an_api_model(service: FakeService) -> None:
    result = run(
        *("models", "add", "fast", "gpt-small", "--provider", "openai"),
        *("--base-url", "http://127.0.0.1:9/v1", "--api-key", "env:MY_KEY"),
        *("--input-price", "0.25", "--output-price", "2", "--quality", "0.8"),
        *("--context-length", "1000", "--target", "host:1"),
    )
    assert result.exit_code == 0, result.output
    assert service.asked == [
        ModelRecord(
            id="fast",
            name="fast",
            format=ModelFormat.API,
            source="gpt-small",
            config=ModelConfig(context_length=1000),
            provider="openai",
            endpoint=Endpoint(base_url="http://127.0.0.1:9/v1", api_key="env:MY_KEY"),
            pricing=Pricing(0.25, 2.0),
            quality=0.8,
        )
    ]
    assert service.targets == ["host:1"]
    assert service.open == 0


def test_an_api_models_source_is_no_path(
    service: FakeService, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("gpt-small").touch()
    assert run("models", "add", "a", "gpt-small", "--provider", "openai").exit_code == 0
    assert run("models", "add", "b", "gpt-small").exit_code == 0
    api, file = service.asked
    assert (api.format, api.source) == (ModelFormat.API, "gpt-small")
    assert (file.format, file.source) == (ModelFormat.GGUF, str(tmp_path / "gpt-small"))


@pytest.mark.parametrize("word", ["hf", "huggingface"])
def test_a_checkpoint_is_added_by_its_folder_or_its_name(
    service: FakeService, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, word: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("here").mkdir()
    kind = ("--format", word, "--quantization", "q8_0")
    assert run("models", "add", "a", "here", *kind).exit_code == 0
    assert run("models", "add", "b", "org/repo", "--format", word).exit_code == 0
    folder, hub = service.asked
    assert (folder.format, folder.source) == (ModelFormat.HF, str(tmp_path / "here"))
    assert folder.config == ModelConfig(quantization="Q8_0")
    assert (hub.format, hub.source, hub.config) == (ModelFormat.HF, "org/repo", ModelConfig())


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        (["--provider", "openai", "--format", "hf"], "does not go with"),
        (["--format", "onnx"], "onnx"),
        (["--provider", "openai", "--input-price", "1"], "belong together"),
        (["--provider", "openai", "--output-price", "1"], "belong together"),
        (["--base-url", "http://x"], "belong to --provider"),
        (["--api-key", "env:KEY"], "belong to --provider"),
        (["--organization", "org"], "belong to --provider"),
        (["--api-version", "1"], "belong to --provider"),
        (["--header", "a=b"], "belong to --provider"),
        (["--option", "a=1"], "belong to --provider"),
        (["--provider", "openai", "--header", "a=b", "--header", "a=c"], "a is given twice"),
        (["--quality", "1.5"], "--quality"),
        (["--input-price", "-1", "--output-price", "1"], "--input-price"),
    ],
)
def test_what_does_not_go_together_is_refused(
    service: FakeService, options: list[str], complaint: str
) -> None:
    result = run("models", "add", "m", "x", *options)
    assert result.exit_code == 2
    assert complaint in result.output
    assert not service.asked


@pytest.mark.parametrize("key", ["sk-secret-value", "env:", "file:", "ENV:NAME", "file"])
def test_a_key_is_refused_and_not_repeated(service: FakeService, key: str) -> None:
    result = run("models", "add", "m", "x", "--provider", "openai", "--api-key", key)
    assert result.exit_code == 2
    assert "never the key itself" in result.output
    assert "secret" not in result.output
    assert not service.asked


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        (["--header", "secret"], "NAME=VALUE"),
        (["--header", "=secret"], "NAME=VALUE"),
        (["--option", "secret"], "KEY=JSON"),
        (["--option", "tier=secret"], "tier: the value is no JSON"),
    ],
)
def test_a_wrong_pair_is_refused_and_its_value_not_repeated(
    service: FakeService, options: list[str], complaint: str
) -> None:
    result = run("models", "add", "m", "x", "--provider", "openai", *options)
    assert result.exit_code == 2
    assert complaint in result.output
    assert "secret" not in result.output
    assert not service.asked


def test_all_of_an_endpoint_can_be_said_and_is_shown(service: FakeService) -> None:
    result = run(
        *("models", "add", "m", "x", "--provider", "openai", "--capability", "tools"),
        *("--capability", "vision", "--organization", "org", "--api-version", "2026-01"),
        *("--header", "X-Team=a=b", "--header", "X-Two=[2]"),
        *("--option", 'service_tier="flex"', "--option", 'deep={"a": [1, null]}'),
    )
    assert result.exit_code == 0, result.output
    (record,) = service.asked
    assert record.capabilities == ("tools", "vision")
    assert record.endpoint == Endpoint(
        organization="org",
        api_version="2026-01",
        headers={"X-Team": "a=b", "X-Two": "[2]"},
        options={"service_tier": "flex", "deep": {"a": [1, None]}},
    )
    shown = run("models", "show", "m")
    assert {" ".join(line.split()) for line in shown.output.splitlines()} >= {
        "organization org",
        "api version 2026-01",
        "headers X-Team=a=b, X-Two=[2]",
        'options {"service_tier": "flex", "deep": {"a": [1, null]}}',
        "capabilities tools, vision",
    }


def test_show_tells_of_the_provider(service: FakeService) -> None:
    service.asked.append(
        ModelRecord(
            id="fast",
            name="[bold]",
            format=ModelFormat.API,
            source="gpt-small",
            provider="openai",
            endpoint=Endpoint("http://x", "env:KEY"),
            pricing=Pricing(0.25, 2.0),
            quality=0.0,
        )
    )
    result = run("models", "show", "fast")
    facts = {" ".join(line.split()) for line in result.output.splitlines()}
    assert facts >= {
        "name [bold]",
        "provider openai",
        "base url http://x",
        "api key env:KEY",
        "quality 0",
        "prices 0.25 in, 2 out (USD a million tokens)",
    }
