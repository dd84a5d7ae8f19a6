"""Whatever is written into a checkpoint's files: it becomes an error of ours, or a plan."""

from __future__ import annotations

import copy
import json
import random
from pathlib import Path
from typing import Any

import pytest

from llm_runner_router.checkpoints.checkpoint import Checkpoint
from llm_runner_router.errors import RouterError
from unit import tiny_checkpoint as tiny

ROUNDS = 60
VALUES = (None, 0, -1, 1 << 40, 10**30, 1.5, "", "x", "\ud800", True, [], [[]], {}, {"a": 1})
SPECIAL = {"bos_token": "<s>", "eos_token": {"content": "</s>"}, "chat_template": "{{ a }}"}


def variant(name: str, folder: Path) -> Path:
    match name:
        case "llama":
            return tiny.write(folder, generation_config={"top_k": 7, "eos_token_id": [0, 1]})
        case "pieces":
            config, tensors = tiny.llama_config(vocab_size=400), tiny.llama_tensors(400)
            pieces = tiny.sentence_pieces()
            return tiny.write(folder, config, tensors, pieces, tokenizer_config=SPECIAL)
        case _:
            return tiny.write(folder, tiny.gpt2_config(), tiny.gpt2_tensors())


def places(value: object, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The way to each value below, of long lists and objects to the first few."""
    found = []
    match value:
        case dict():
            keys: list[Any] = list(value)[:12]
        case list():
            keys = list(range(min(len(value), 6)))
        case _:
            keys = []
    for key in keys:
        found += [(*path, key), *places(value[key], (*path, key))]  # type: ignore[index]
    return found


def meddled(content: Any, chance: random.Random) -> bytes:
    """JSON with one value that is another one, or none."""
    changed = copy.deepcopy(content)
    *way, last = chance.choice(places(changed))
    inner = changed
    for key in way:
        inner = inner[key]
    if chance.random() < 0.2:
        del inner[last]
    else:
        inner[last] = copy.deepcopy(chance.choice(VALUES))
    return json.dumps(changed).encode()


def mutated(name: str, content: bytes, chance: random.Random) -> bytes:
    """The content of a file with something else in it."""
    if chance.random() < 0.3:
        raw = bytearray(content)
        raw[chance.randrange(min(len(raw), 3000))] = chance.randrange(256)
        return bytes(raw[: chance.randrange(1, len(raw))] if chance.random() < 0.3 else raw)
    if name.endswith(".json"):
        return meddled(json.loads(content), chance)
    length = int.from_bytes(content[:8], "little")
    header = meddled(json.loads(content[8 : 8 + length]), chance)
    return len(header).to_bytes(8, "little") + header + content[8 + length :]


@pytest.mark.parametrize("name", ["llama", "pieces", "gpt2"])
def test_mutated_files(tmp_path: Path, name: str) -> None:
    folder = variant(name, tmp_path / name)
    files = {path.name: path.read_bytes() for path in sorted(folder.iterdir())}
    chance = random.Random(name)
    refused: list[str] = []
    for _ in range(ROUNDS):
        file = chance.choice(list(files))
        (folder / file).write_bytes(mutated(file, files[file], chance))
        try:
            checkpoint = Checkpoint.of(folder)
            blueprint = checkpoint.blueprint()
            checkpoint.tokenizer(blueprint)
            checkpoint.defaults(blueprint.context_length)
        except RouterError as error:
            refused.append(error.message)
        (folder / file).write_bytes(files[file])
    assert len(refused) > ROUNDS // 3
    assert max(map(len, refused)) < 2000
