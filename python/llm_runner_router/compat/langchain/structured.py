"""Answers of a given shape: what is asked for, and how the answer is read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from operator import itemgetter
from typing import Any, cast

from langchain_core.messages import AIMessage
from langchain_core.output_parsers import (
    BaseOutputParser,
    JsonOutputParser,
    PydanticOutputParser,
)
from langchain_core.output_parsers.openai_tools import (
    JsonOutputKeyToolsParser,
    PydanticToolsParser,
)
from langchain_core.runnables import Runnable, RunnableMap, RunnablePassthrough
from langchain_core.utils.function_calling import convert_to_json_schema, convert_to_openai_function
from langchain_core.utils.pydantic import is_basemodel_subclass
from pydantic import BaseModel

from llm_runner_router.errors import InvalidRequestError

METHODS = ("json_schema", "function_calling", "json_mode")

Schema = Mapping[str, Any] | type


@dataclass(frozen=True, slots=True)
class Shape:
    """A shape that is wanted: its schema, the way to it, and whether it is held to exactly."""

    schema: Schema | None
    method: str
    strict: bool | None

    def __post_init__(self) -> None:
        if self.method not in METHODS:
            raise InvalidRequestError("method", self.method, f"one of {', '.join(METHODS)}")
        if self.schema is None and self.method != "json_mode":
            raise InvalidRequestError("schema", None, "a schema, but with method json_mode")
        if self.strict is not None and self.method == "json_mode":
            raise InvalidRequestError("strict", self.strict, "nothing with method json_mode")

    @property
    def function(self) -> dict[str, Any]:
        """Name and JSON Schema, as of a function."""
        try:
            return convert_to_openai_function(self.schema, strict=self.strict)  # type: ignore[arg-type]
        except (TypeError, ValueError) as error:
            raise self._refusal(error) from None

    @property
    def told(self) -> dict[str, Any]:
        """What tracers are told."""
        kwargs = {"method": self.method, "strict": self.strict}
        return {"kwargs": kwargs, "schema": None if self.schema is None else self._json_schema()}

    @property
    def response_format(self) -> dict[str, Any]:
        """The shape in OpenAI's form."""
        if self.method == "json_mode":
            return {"type": "json_object"}
        function = self.function
        described = {
            "name": function["name"],
            "schema": function.get("parameters", {"type": "object", "properties": {}}),
            "strict": bool(self.strict),
        }
        return {"type": "json_schema", "json_schema": described}

    @property
    def parser(self) -> BaseOutputParser[Any]:
        """Reads the answer: an instance where the schema is a pydantic class, else a mapping."""
        model = class_of(self.schema)
        if self.method == "function_calling":
            if model is None:
                name = self.function["name"]
                return JsonOutputKeyToolsParser(key_name=name, first_tool_only=True)
            return PydanticToolsParser(tools=[model], first_tool_only=True)
        return JsonOutputParser() if model is None else PydanticOutputParser(pydantic_object=model)

    def _json_schema(self) -> dict[str, Any]:
        try:
            return convert_to_json_schema(self.schema)  # type: ignore[arg-type]
        except (TypeError, ValueError) as error:
            raise self._refusal(error) from None

    def _refusal(self, error: Exception) -> InvalidRequestError:
        allowed = f"a pydantic class, a TypedDict or a JSON Schema with a title ({error})"
        return InvalidRequestError("schema", self.schema, allowed)


def class_of(schema: Schema | None) -> type[BaseModel] | None:
    """The pydantic class that a schema is, of either generation of pydantic."""
    if isinstance(schema, type) and is_basemodel_subclass(schema):
        return cast("type[BaseModel]", schema)
    return None


def parsed(
    llm: Runnable[Any, AIMessage], parser: BaseOutputParser[Any], *, include_raw: bool
) -> Runnable[Any, Any]:
    """``llm`` and then ``parser``; with ``include_raw`` a mapping of raw, parsed, parsing_error."""
    if not include_raw:
        return llm | parser
    read = RunnablePassthrough.assign(
        parsed=itemgetter("raw") | parser, parsing_error=lambda _: None
    )
    unread = RunnablePassthrough.assign(parsed=lambda _: None)
    return RunnableMap(raw=llm) | read.with_fallbacks([unread], exception_key="parsing_error")
