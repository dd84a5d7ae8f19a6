from __future__ import annotations

from typing import Any

import pytest

from llm_runner_router.compat.transformers.inputs import Chat, inputs_of
from llm_runner_router.errors import InvalidRequestError
from llm_runner_router.types import Message, Role

TURN = {"role": "user", "content": "hello"}


@pytest.mark.parametrize(
    ("value", "prompts", "single"),
    [
        ("a", ["a"], True),
        ([], [], False),
        (["a"], ["a"], False),
        ([TURN], [Chat([TURN])], True),
        ((TURN, TURN), [Chat((TURN, TURN))], True),
        ([[TURN], [TURN, TURN]], [Chat([TURN]), Chat([TURN, TURN])], False),
    ],
)
def test_forms(value: object, prompts: list[Any], single: bool) -> None:
    found = inputs_of(value)
    assert (list(found.prompts), found.single, found.lazy) == (prompts, single, False)


def test_generators() -> None:
    taken: list[int] = []

    def texts() -> Any:
        for number in range(3):
            taken.append(number)
            yield f"text {number}"

    found = inputs_of(texts())
    assert (found.lazy, taken) == (True, [0])
    assert list(found.prompts) == ["text 0", "text 1", "text 2"]
    chat = inputs_of(turn for turn in (TURN, TURN))
    assert chat.single
    assert list(inputs_of(text for text in ()).prompts) == []


@pytest.mark.parametrize("value", [3, None, b"a", {"role": "user"}, ("a", "b"), [3], [["a"]], [[]]])
def test_what_is_no_input(value: object) -> None:
    with pytest.raises(InvalidRequestError, match="text_inputs"):
        list(inputs_of(value).prompts)


def test_messages() -> None:
    turns = [{"role": "system", "content": "be kind"}, TURN]
    assert Chat(turns).as_messages() == (
        Message(Role.SYSTEM, "be kind"),
        Message(Role.USER, "hello"),
    )
    for wrong in ({"role": "robot", "content": "a"}, {"role": "user", "content": [1]}, {"role": 1}):
        with pytest.raises(InvalidRequestError, match=r"messages\[1\]"):
            Chat([TURN, wrong]).as_messages()
