from __future__ import annotations

import asyncio
import warnings

import pytest

from llm_runner_router.old.deprecation import warn_old
from llm_runner_router.request_names import present_names


def test_the_line_of_the_caller_is_told() -> None:
    with pytest.warns(DeprecationWarning, match=r"^a is deprecated: use b$") as caught:
        warn_old("a", "b")
    assert caught[0].filename == __file__


def test_however_deep_in_the_package_it_is_found() -> None:
    with pytest.warns(DeprecationWarning, match="use prompt") as caught:
        present_names({"input": "x"})
    assert caught[0].filename == __file__


async def test_a_task_has_no_caller_and_warns_all_the_same() -> None:
    async def old() -> None:
        warn_old("a", "b")

    with pytest.warns(DeprecationWarning, match="use b"):
        await asyncio.create_task(old())


def test_a_stack_of_this_package_alone_is_no_trouble() -> None:
    space = {"__name__": "llm_runner_router.x", "warn_old": warn_old}
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        exec("warn_old('a', 'b')", space)
    assert caught[0].filename == __file__
