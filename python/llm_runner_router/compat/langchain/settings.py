"""What both of LangChain's faces are made of: a router, and the defaults of their requests."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, ClassVar, Self, cast

from langchain_core.load.serializable import (
    Serializable,
    SerializedConstructor,
    SerializedNotImplemented,
)
from pydantic import ConfigDict, Field, PrivateAttr, model_validator

from llm_runner_router.compat.langchain.request_values import RENAMED, limited, renamed
from llm_runner_router.compat.langchain.shown_config import shown_config
from llm_runner_router.compat.router_thread import RouterThread
from llm_runner_router.config.tree import Config
from llm_runner_router.errors import InvalidConfigError, UnsupportedError
from llm_runner_router.request_fields import request_of
from llm_runner_router.request_values import check_names
from llm_runner_router.types import Request
from llm_runner_router.validation.request import validate_request

PLAIN = (
    *("model", "temperature", "top_p", "top_k", "min_p", "max_tokens", "seed", "stop"),
    *("repeat_penalty", "frequency_penalty", "presence_penalty", "logprobs", "logit_bias"),
    *("provider_options", "routing", "strategy", "fallbacks", "requirements", "priority"),
)
NOT_OURS = frozenset(("api_key",))
"""Taken, and not kept: the service has the keys of its models."""

ROUTER = "router"
"""Under this stands which router it is."""

OF_LANGCHAIN = frozenset(("stream",))
"""Of a call, and already heard by LangChain itself."""


class RouterSettings(Serializable):
    """A router, in this process (``config``, ``config_file``) or at ``target``, and defaults.

    ``router`` is one that several models share; it is not closed with the model. ``timeout`` is
    seconds for the whole answer, ``max_retries`` how many further models may be tried. The other
    fields are those of a request; calls may give them too, and theirs count. InvalidConfigError
    names a field that there is not, InvalidRequestError a value that is wrong, and pydantic's
    ValidationError one of another type. Copies share the router of the original and end with it;
    one that is pickled becomes a model with a router of its own.
    """

    model_config = ConfigDict(arbitrary_types_allowed=True)

    config: Mapping[str, Any] | Config | None = Field(default=None, repr=False)
    config_file: str | os.PathLike[str] | None = None
    target: str | None = None
    caller: str = "anonymous"
    router: RouterThread | None = Field(default=None, exclude=True, repr=False)

    model: str | None = None
    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    min_p: float | None = None
    max_tokens: int | None = None
    seed: int | None = None
    stop: Sequence[str] | None = None
    repeat_penalty: float | None = None
    frequency_penalty: float | None = None
    presence_penalty: float | None = None
    logprobs: int | None = None
    logit_bias: Mapping[int, float] | None = None
    provider_options: Mapping[str, Any] | None = None
    routing: Mapping[str, Any] | None = None
    strategy: str | None = None
    fallbacks: Sequence[str] | None = None
    requirements: Mapping[str, Any] | None = None
    priority: str | None = None
    answer_cache: str | Mapping[str, Any] | None = None
    request_metadata: Mapping[str, str] | None = None
    timeout: float | None = Field(default=None, gt=0, allow_inf_nan=False)
    max_retries: int | None = Field(default=None, ge=0)
    streaming: bool = False
    custom_get_token_ids: Callable[[str], list[int]] | None = Field(default=None, exclude=True)

    lc_provider: ClassVar[str] = "llm-runner-router"
    _thread: RouterThread = PrivateAttr()

    @model_validator(mode="before")
    @classmethod
    def _known(cls, values: Any) -> Any:
        """No field that there is not: a misspelt one would do nothing."""
        if not isinstance(values, Mapping):
            return values
        ours = {name: value for name, value in values.items() if name not in NOT_OURS}
        check_names(map(str, ours), cls.model_fields, error=InvalidConfigError)
        return ours

    @model_validator(mode="after")
    def _ready(self) -> Self:
        """Everything that can be wrong shows when the model is made."""
        validate_request(self._request({"prompt": "x"}, None, {}))
        if self.router is None:
            self._thread = RouterThread(
                self.config, config_file=self.config_file, target=self.target, caller=self.caller
            )
        elif (self.config, self.config_file, self.target) != (None, None, None):
            allowed = "a router alone, or a configuration or target without one"
            raise InvalidConfigError("router", "a router", allowed)
        else:
            self._thread = self.router
        return self

    @classmethod
    def is_lc_serializable(cls) -> bool:
        """Nothing in it is a secret."""
        return True

    @classmethod
    def get_lc_namespace(cls) -> list[str]:
        """Where the class is imported from."""
        return ["llm_runner_router", "compat", "langchain"]

    def to_json(self) -> SerializedConstructor | SerializedNotImplemented:
        """What LangChain writes of it; passwords in the configuration's addresses are hidden.

        Its cache of answers goes by that too, so the router is told from others beside the fields.
        """
        written = super().to_json()
        if written["type"] != "constructor":
            return written
        kwargs = written["kwargs"]
        if self.config is not None:
            kwargs["config"] = shown_config(self.config)
        if self._thread.target is not None:
            kwargs["target"] = self._thread.target
            return written
        return cast("SerializedConstructor", {**written, ROUTER: self._thread.identity})

    @property
    def _identifying_params(self) -> Mapping[str, Any]:
        """What makes its answers differ from those of others."""
        names = ("timeout", "max_retries", *PLAIN, *RENAMED)
        params = {ROUTER: self._thread.identity} | {name: getattr(self, name) for name in names}
        return {name: value for name, value in params.items() if value is not None}

    def close(self) -> None:
        """Cancel what runs and close the router, unless it is shared."""
        if self.router is None:
            self._thread.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    async def aclose(self) -> None:
        """As ``close``, from an event loop."""
        await asyncio.to_thread(self.close)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *error: object) -> None:
        await self.aclose()

    def __deepcopy__(self, memo: dict[int, Any] | None = None) -> Self:
        """A copy over the same router: connections and threads cannot be copied."""
        return super().__deepcopy__({**(memo or {}), id(self._thread): self._thread})

    def __reduce__(self) -> tuple[Callable[[], Self], tuple[()]]:
        """How to make it again elsewhere; UnsupportedError: it shares its router with others."""
        if self.router is not None:
            allowed = "a target or a configuration instead of a shared router"
            raise UnsupportedError(f"a model can be pickled only with {allowed}")
        given = {name: getattr(self, name) for name in self.model_fields_set}
        return partial(type(self), **given), ()

    def get_token_ids(self, text: str) -> list[int]:
        """The tokens of ``text`` as the model has them; for counting, and for trimming messages.

        UnsupportedError where the provider keeps them to itself and ``custom_get_token_ids`` is not
        given.
        """
        if self.custom_get_token_ids is not None:
            return self.custom_get_token_ids(text)
        return list(
            self._thread.run(
                lambda router: router.tokenize(text, model=self.model, add_special=False)
            )
        )

    def _timeout(self, values: Mapping[str, Any]) -> float | None:
        """Seconds for the whole answer."""
        timeout: float | None = values.get("timeout", self.timeout)
        return timeout

    def _request(
        self, asked: Mapping[str, Any], stop: Sequence[str] | None, values: Mapping[str, Any]
    ) -> Request:
        """What is ``asked``, with this model's defaults and on top what a call says."""
        fields = {name: getattr(self, name) for name in (*PLAIN, *RENAMED)}
        given = {name: value for name, value in values.items() if name not in OF_LANGCHAIN}
        given.pop("timeout", None)
        retries = given.pop("max_retries", self.max_retries)
        fields |= given
        if stop is not None:
            fields["stop"] = stop
        fields["routing"] = limited(fields["routing"], retries)
        return request_of({**asked, **dict(renamed(fields.items()))}, {})
