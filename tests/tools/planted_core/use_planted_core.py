"""What ``test_sanitize_target.py`` lets the targets run: the environment names the calls."""

from __future__ import annotations

import os

from llm_runner_router import _core


def test_the_calls() -> None:
    for call in os.environ["PLANTED_CALLS"].split(", "):
        name, argument = call.split(" ")
        assert isinstance(getattr(_core, name)(int(argument)), int)
