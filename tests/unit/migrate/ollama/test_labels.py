from __future__ import annotations

from typing import Any

import pytest

from llm_runner_router.migrate.ollama.labels import OF_CONFIGURATION, OF_DETAILS, labels_of


def test_contract_13_the_size_is_a_label_and_no_number() -> None:
    details = {"family": "llama", "parameter_size": "7B", "quantization_level": "Q4_0"}
    assert labels_of({**details, "format": "gguf"}, OF_DETAILS) == {
        "family": "llama",
        "parameter_size": "7B",
        "quantization": "Q4_0",
    }
    assert labels_of({"model_type": "7B", "os": "linux"}, OF_CONFIGURATION) == {
        "parameter_size": "7B"
    }


@pytest.mark.parametrize(
    "details",
    [
        None,
        [],
        "x",
        {},
        {"family": None},
        {"family": ""},
        {"family": "a\nb"},
        {"family": 7},
        {"family": "x" * 129},
        {"parameter_size": {"B": 7}},
    ],
)
def test_contract_13_details_may_be_absent_or_nonsense(details: Any) -> None:
    assert labels_of(details, OF_DETAILS) == {}
