from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import pytest

from llm_runner_router.config import EngineConfig
from llm_runner_router.errors import EngineError, ModelFileError, UnsupportedError
from llm_runner_router.registry.loader import SourceLoader
from llm_runner_router.registry.records import LoadProgress
from llm_runner_router.types import ModelFormat
from unit.echoes import model


def ignore(_: LoadProgress) -> None:
    """Nobody looks."""


async def test_what_cannot_be_loaded_says_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loader = SourceLoader(EngineConfig(), tmp_path, lambda: 1)
    with pytest.raises(UnsupportedError):
        await loader.load(replace(model(), format=ModelFormat.API), ignore)
    with pytest.raises(ModelFileError, match="No such file"):
        await loader.load(model(), ignore)
    (tmp_path / "m.gguf").write_bytes(b"no model")
    with pytest.raises(ModelFileError):
        await loader.load(model(), ignore)
    monkeypatch.setitem(sys.modules, "llm_runner_router.providers.local", None)
    with pytest.raises(EngineError, match="cannot be used"):
        await loader.load(model(), ignore)
