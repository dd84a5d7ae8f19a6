"""What all providers behind an API share."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence

from llm_runner_router.errors import UnsupportedError
from llm_runner_router.providers.base import Call, ProviderEvent
from llm_runner_router.registry.records import ModelDetails, ModelRecord


class ApiProvider:
    """A model that runs elsewhere: nothing is known of its file, and nothing is kept for it here.

    Subclasses generate, and are made by their classmethod ``open(record, pool)``. The pool is not
    theirs to close.
    """

    def __init__(self, record: ModelRecord) -> None:
        self._name = record.provider
        self._details = ModelDetails(context_length=record.config.context_length or 0)

    @property
    def usable(self) -> bool:
        """Always: whether the provider answers is found out by each request."""
        return True

    @property
    def details(self) -> ModelDetails:
        """The context that the record tells; nothing else is known."""
        return self._details

    def generate(self, call: Call) -> AsyncGenerator[ProviderEvent, None]:
        """See Provider."""
        raise NotImplementedError

    def tokenize(self, text: str, *, add_special: bool, parse_special: bool) -> Sequence[int]:
        """UnsupportedError: the tokenizer is the provider's secret."""
        del text, add_special, parse_special
        raise UnsupportedError(f"tokenize: models of provider {self._name} have no tokenizer here")

    def detokenize(self, token_ids: Sequence[int]) -> str:
        """UnsupportedError, as in ``tokenize``."""
        del token_ids
        message = f"detokenize: models of provider {self._name} have no tokenizer here"
        raise UnsupportedError(message)

    def release(self, request_id: str) -> None:
        """Nothing is held."""

    async def close(self) -> None:
        """Nothing is open beside the pool."""
