from __future__ import annotations

from typing import Any

import pytest

from llm_runner_router.errors import InvalidRequestError
from llm_runner_router.types import Message, Request, Role
from llm_runner_router.validation.request import validate_batch, validate_request

HELLO = (Message(Role.USER, "hello"),)


@pytest.mark.parametrize(
    "request_",
    [
        Request(prompt="hello"),
        Request(prompt="hello", raw=True),
        Request(messages=HELLO),
        Request(
            prompt="x",
            max_tokens=1,
            temperature=0.0,
            top_p=1.0,
            top_k=0,
            min_p=0.0,
            seed=0,
            stop=["\n"] * 16,
            repeat_penalty=2,
            frequency_penalty=-2.0,
            presence_penalty=2.0,
            logprobs=0,
            prompt_logprobs=20,
            logit_bias={0: -100.0},
            metadata={"k": ""},
        ),
    ],
)
def test_good_requests_pass(request_: Request) -> None:
    validate_request(request_)


@pytest.mark.parametrize(
    ("field", "values"),
    [
        ("prompt", {"prompt": None}),
        ("prompt", {"prompt": ""}),
        ("prompt", {"prompt": "\ud800"}),
        ("prompt", {"prompt": 3}),
        ("messages", {"messages": HELLO}),
        ("raw", {"prompt": None, "messages": HELLO, "raw": True}),
        ("messages[0].role", {"prompt": None, "messages": (Message("clown", "x"),)}),
        ("messages[0]", {"prompt": None, "messages": ("x",)}),
        ("messages", {"prompt": None, "messages": 5}),
        ("messages[0].content", {"prompt": None, "messages": (Message(Role.USER, 3),)}),
        ("model", {"model": ""}),
        ("model", {"model": "m" * 129}),
        ("max_tokens", {"max_tokens": 0}),
        ("max_tokens", {"max_tokens": True}),
        ("max_tokens", {"max_tokens": 1.0}),
        ("temperature", {"temperature": -0.1}),
        ("temperature", {"temperature": 2.1}),
        ("temperature", {"temperature": float("nan")}),
        ("temperature", {"temperature": "1"}),
        ("top_p", {"top_p": 0.0}),
        ("top_p", {"top_p": 1.1}),
        ("top_k", {"top_k": -1}),
        ("top_k", {"top_k": 10**400}),
        ("min_p", {"min_p": float("inf")}),
        ("seed", {"seed": 2**32}),
        ("raw", {"raw": "yes"}),
        ("ignore_eos", {"ignore_eos": 1}),
        ("stop", {"stop": "word"}),
        ("stop", {"stop": 5}),
        ("logit_bias", {"logit_bias": [1]}),
        ("metadata", {"metadata": 3}),
        ("stop", {"stop": ["x"] * 17}),
        ("stop[1]", {"stop": ["x", ""]}),
        ("repeat_penalty", {"repeat_penalty": 0}),
        ("frequency_penalty", {"frequency_penalty": 2.5}),
        ("presence_penalty", {"presence_penalty": -2.5}),
        ("logprobs", {"logprobs": 21}),
        ("prompt_logprobs", {"prompt_logprobs": -1}),
        ("logit_bias key", {"logit_bias": {-1: 0.0}}),
        ("logit_bias[1]", {"logit_bias": {1: 101.0}}),
        ("metadata key", {"metadata": {"": "x"}}),
        ("metadata['k']", {"metadata": {"k": "x" * 1025}}),
        ("metadata", {"metadata": {str(n): "" for n in range(65)}}),
    ],
)
def test_wrong_fields_are_named(field: str, values: dict[str, Any]) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        validate_request(Request(**{"prompt": "hello", **values}))
    assert caught.value.field == field
    assert caught.value.allowed
    assert len(str(caught.value)) < 400


@pytest.mark.parametrize("count", [0, 1025])
def test_batches_are_bounded(count: int) -> None:
    with pytest.raises(InvalidRequestError, match="1 to 1024"):
        validate_batch([Request(prompt="x")] * count)
