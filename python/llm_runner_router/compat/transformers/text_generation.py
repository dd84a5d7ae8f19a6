"""``TextGenerationPipeline``: call it as Transformers' own."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, Self

from llm_runner_router.compat.router_thread import RouterThread
from llm_runner_router.compat.transformers.answering import Wish, answers_to
from llm_runner_router.compat.transformers.inputs import Prompt, inputs_of
from llm_runner_router.compat.transformers.parameters import (
    GENERATION,
    check_names,
    parameters_of,
)
from llm_runner_router.compat.transformers.returned import (
    OUTPUT,
    check_only,
    record,
    return_type,
)
from llm_runner_router.compat.transformers.seeds import PROGRAM
from llm_runner_router.compat.transformers.tokenizer import PipelineTokenizer
from llm_runner_router.errors import InvalidRequestError
from llm_runner_router.router import LLMRouter

AT_ONCE = 8
"""Prompts of one call that are on their way together; the router batches them."""

ARGUMENTS = GENERATION | OUTPUT

Records = list[dict[str, Any]]


class TextGenerationPipeline:
    """Answers texts and chats with one model of a router, in the calling thread.

    ``thread`` is closed with it. ``of_model`` are the generation parameters of the model, and
    ``arguments`` those of all calls; ``tokenizer`` is to read. Usable as a context manager; errors
    are RouterErrors.
    """

    task = "text-generation"

    def __init__(
        self,
        thread: RouterThread,
        model: str,
        of_model: Mapping[str, Any],
        arguments: Mapping[str, Any],
        tokenizer: PipelineTokenizer,
    ) -> None:
        check_names("", arguments, ARGUMENTS)
        self.model = model
        self.tokenizer = tokenizer
        self._thread = thread
        self._of_model = of_model
        self._arguments = arguments

    def __call__(self, text_inputs: object, **arguments: object) -> Any:  # noqa: ANN401 - as the input
        """The answers to a text or a chat: a list of records; to a list, a list of such lists.

        A generator is answered lazily, by an iterator. The arguments are those of Transformers
        (``max_length`` counts prompt and answer, ``max_new_tokens`` the answer alone) and ``seed``.
        One that is not known here, or could not be honoured, is refused by its name.
        """
        wish = self._wish(arguments)
        inputs = inputs_of(text_inputs)
        if inputs.lazy:
            return self._lazily(inputs.prompts, wish)
        asked = [(prompt, wish.drawn_from(PROGRAM)) for prompt in inputs.prompts]
        answered = self._thread.run(lambda router: self._all(router, asked))
        return answered[0] if inputs.single else answered

    def close(self) -> None:
        """Give everything back. May be called more than once."""
        self._thread.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def _wish(self, arguments: Mapping[str, Any]) -> Wish:
        check_names("", arguments, ARGUMENTS)
        values = {**self._arguments, **arguments}
        check_only(values)
        prefix = values.get("prefix") or ""
        if not isinstance(prefix, str):
            raise InvalidRequestError("prefix", prefix, "a text")
        own, called = map(generation_arguments, (self._arguments, arguments))
        return Wish(parameters_of(self._of_model, own, called), prefix, return_type(values))

    def _lazily(self, prompts: Iterable[Prompt], wish: Wish) -> Iterator[Records]:
        for prompt in prompts:
            asked = [(prompt, wish.drawn_from(PROGRAM))]
            yield self._thread.run(partial(self._all, asked=asked))[0]

    async def _all(self, router: LLMRouter, asked: Sequence[tuple[Prompt, Wish]]) -> list[Records]:
        """All prompts answered, some at a time; the first error ends them all."""
        places = asyncio.Semaphore(AT_ONCE)
        try:
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(self._one(router, *each, places)) for each in asked]
        except ExceptionGroup as failed:
            raise failed.exceptions[0] from None
        return [task.result() for task in tasks]

    async def _one(
        self, router: LLMRouter, prompt: Prompt, wish: Wish, places: asyncio.Semaphore
    ) -> Records:
        async with places:
            answers = await answers_to(router, self.model, prompt, wish)
        return [record(prompt, answer, wish.wanted) for answer in answers]


def generation_arguments(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Those of generation; ``stop_sequence`` is another word for ``stop_strings``."""
    values = {key: value for key, value in arguments.items() if key in GENERATION}
    if arguments.get("stop_sequence") is not None:
        values["stop_strings"] = arguments["stop_sequence"]
    return values
