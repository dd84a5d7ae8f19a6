from __future__ import annotations

from typing import Any

import pytest
from langchain_core.messages import AIMessage
from langchain_core.runnables import RunnableLambda
from pydantic import BaseModel

from llm_runner_router.compat.langchain.structured import Shape, parsed
from llm_runner_router.errors import InvalidRequestError


class Joke(BaseModel):
    """A joke."""

    setup: str


@pytest.mark.parametrize(
    ("shape", "field"),
    [
        ((Joke, "magic", None), "method: 'magic'"),
        ((None, "json_schema", None), "schema: None"),
        ((Joke, "json_mode", True), "strict: True"),
    ],
)
def test_shapes_that_cannot_be(shape: tuple[Any, Any, Any], field: str) -> None:
    with pytest.raises(InvalidRequestError, match=field):
        Shape(*shape)


def test_a_schema_without_a_title_is_refused() -> None:
    with pytest.raises(InvalidRequestError, match=r"schema: .* JSON Schema with a title"):
        _ = Shape({"type": "object", "properties": {}}, "json_schema", None).response_format


@pytest.mark.parametrize("schema", ["Joke", 3])
def test_what_is_no_schema_is_refused(schema: Any) -> None:
    for read in (lambda shape: shape.told, lambda shape: shape.response_format):
        with pytest.raises(InvalidRequestError, match=f"schema: {schema!r} .* a pydantic class"):
            read(Shape(schema, "json_schema", None))


@pytest.mark.parametrize(("strict", "wanted"), [(None, False), (False, False), (True, True)])
def test_strict_is_told_and_closes_the_schema(strict: bool | None, wanted: bool) -> None:
    shape = Shape(Joke, "json_schema", strict)
    described = shape.response_format["json_schema"]
    assert described["name"] == "Joke"
    assert described["strict"] is wanted
    assert (described["schema"].get("additionalProperties") is False) == wanted
    assert shape.told["kwargs"] == {"method": "json_schema", "strict": strict}


def test_include_raw_keeps_an_answer_that_cannot_be_read() -> None:
    answers = iter(["{}", '{"setup": "a"}'])
    llm = RunnableLambda(lambda _: AIMessage(next(answers)))
    chain = parsed(llm, Shape(Joke, "json_schema", None).parser, include_raw=True)
    wrong, right = chain.invoke("x"), chain.invoke("x")
    assert wrong["raw"].content == "{}"
    assert wrong["parsed"] is None
    assert "setup" in str(wrong["parsing_error"])
    assert (right["parsed"], right["parsing_error"]) == (Joke(setup="a"), None)
