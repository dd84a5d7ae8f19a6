"""Fields that an API has nothing for."""

from __future__ import annotations

import pytest

from llm_runner_router.errors import UnsupportedError
from llm_runner_router.providers.request_limits import refuse
from llm_runner_router.types import Request


def test_only_what_is_set_is_refused_and_zero_is_set() -> None:
    refuse(Request(prompt="hi"), ("seed", "raw", "logit_bias", "tools"), "the API")
    with pytest.raises(UnsupportedError, match=r"^seed: the API does not offer it$"):
        refuse(Request(prompt="hi", seed=0), ("raw", "seed"), "the API")
