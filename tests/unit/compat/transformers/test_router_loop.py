from __future__ import annotations

import gc
import threading
from pathlib import Path

import pytest

from llm_runner_router import LLMRouter
from llm_runner_router.compat.transformers.router_loop import RouterLoop
from llm_runner_router.errors import ModelNotFoundError, UnavailableError


def loop_of(folder: Path) -> RouterLoop:
    return RouterLoop(LLMRouter({"models": {"cacheDir": str(folder)}}))


def test_what_is_done_is_given_back_and_errors_come_out(tmp_path: Path) -> None:
    loop = loop_of(tmp_path)
    assert loop.run(lambda router: router.get_status()).healthy
    with pytest.raises(ModelNotFoundError):
        loop.run(lambda router: router.get_model("none"))
    loop.close()
    loop.close()
    with pytest.raises(UnavailableError, match="closed"):
        loop.run(lambda router: router.get_status())


def test_who_lets_it_go_leaves_no_thread(tmp_path: Path) -> None:
    before = set(threading.enumerate())
    loop = loop_of(tmp_path)
    loop.run(lambda router: router.get_status())
    assert set(threading.enumerate()) > before
    del loop
    gc.collect()
    assert set(threading.enumerate()) <= before
