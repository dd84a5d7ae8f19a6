from __future__ import annotations

import pytest

from llm_runner_router.errors import InvalidRequestError
from llm_runner_router.v1 import router_pb2
from llm_runner_router.wire.ensembles import AGGREGATIONS
from llm_runner_router.wire.routing import STRATEGIES


def test_a_number_without_a_word_stands_alone() -> None:
    with pytest.raises(InvalidRequestError) as caught:
        STRATEGIES.word(99, "strategy")  # type: ignore[arg-type]  # a peer may send any number
    assert caught.value.allowed.startswith("one of 0, 1 (quality-first), 2 (cost-optimized)")


def test_a_default_is_known_by_its_word() -> None:
    with pytest.raises(InvalidRequestError) as caught:
        AGGREGATIONS.word(99, "aggregation")  # type: ignore[arg-type]  # a peer may send any number
    assert caught.value.allowed.startswith("one of 0 (majority), 1 (first)")
    assert AGGREGATIONS.word(router_pb2.AGGREGATION_UNSPECIFIED, "aggregation") == "majority"
