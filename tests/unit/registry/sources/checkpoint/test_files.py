from __future__ import annotations

import pytest

from llm_runner_router.errors import SourceError
from llm_runner_router.registry.sources.checkpoint.files import checkpoint_files, may_count
from llm_runner_router.registry.sources.hub.files import HubFile
from llm_runner_router.registry.sources.source import HubSource

SOURCE = HubSource("org", "repo")
INDEX = "model.safetensors.index.json"


def chosen(*names: str, size: int = 5) -> list[str]:
    files = [HubFile(name, size, "a" * 40) for name in names]
    return [file.name for file in checkpoint_files(files, SOURCE)]


def shard(number: int, count: int = 2) -> str:
    return f"model-{number:05}-of-{count:05}.safetensors"


def test_what_counts_is_brought_and_nothing_else() -> None:
    found = chosen(
        "README.md", "model.safetensors", "tokenizer.json", "config.json", "pytorch_model.bin",
        "onnx/config.json", "chat_template.jinja", "flax_model.msgpack", shard(1), INDEX,
    )  # fmt: skip
    assert found == ["config.json", "tokenizer.json", "chat_template.jinja", "model.safetensors"]


def test_a_set_with_its_index() -> None:
    found = chosen(shard(2), INDEX, "config.json", shard(1))
    assert found == ["config.json", INDEX, shard(1), shard(2)]


@pytest.mark.parametrize(
    ("names", "why"),
    [
        (("model.safetensors",), r"no config\.json"),
        (("config.json",), "has no model"),
        (("config.json", "pytorch_model.bin"), "pickled.*never read"),
        (("config.json", INDEX, shard(1)), "not whole"),
        (("config.json", shard(1), shard(2)), INDEX),
        (("config.json", INDEX, shard(1), shard(2), shard(1, 3)), "not whole"),
        (("config.json", INDEX, shard(1, 99999)), "not whole"),
        (("config.json", INDEX, "model-00000-of-00000.safetensors"), "not whole"),
    ],
)
def test_what_is_missing_is_named(names: tuple[str, ...], why: str) -> None:
    with pytest.raises(SourceError, match=why):
        chosen(*names)


def test_small_files_are_small() -> None:
    with pytest.raises(SourceError, match=r"config\.json has more than"):
        chosen("config.json", "model.safetensors", size=1 << 30)


def test_names_that_may_count() -> None:
    assert may_count("config.json")
    assert may_count(shard(3, 7))
    assert not may_count("sub/config.json")
    assert not may_count("model.gguf")
