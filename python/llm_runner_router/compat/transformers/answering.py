"""One prompt answered: requests of the router, and what they come to in tokens."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace

from llm_runner_router.compat.transformers.inputs import Chat, Prompt
from llm_runner_router.compat.transformers.parameters import (
    DEFAULT_NEW_TOKENS,
    MAX_SEED,
    Parameters,
)
from llm_runner_router.compat.transformers.returned import Answer, ReturnType
from llm_runner_router.compat.transformers.seeds import Seeds
from llm_runner_router.errors import InvalidRequestError
from llm_runner_router.router import LLMRouter
from llm_runner_router.types import Chunk, Request


@dataclass(frozen=True, slots=True)
class Wish:
    """How the prompts of one call are answered.

    ``prefix`` stands before texts, and is not given back.
    """

    parameters: Parameters
    prefix: str
    wanted: ReturnType

    def drawn_from(self, seeds: Seeds) -> Wish:
        """The same for the next prompt, with a seed where chance has a part and none is given."""
        if self.parameters.seed is not None or self.parameters.temperature == 0:
            return self
        return replace(self, parameters=replace(self.parameters, seed=seeds.next()))


async def answers_to(router: LLMRouter, model: str, prompt: Prompt, wish: Wish) -> Sequence[Answer]:
    """As many answers as are wanted."""
    parameters, prefix = wish.parameters, wish.prefix
    request = request_of(model, prompt, prefix, parameters)
    ids: Sequence[int] = ()
    if wish.wanted is ReturnType.TENSORS or parameters.max_length is not None:
        ids = await prompt_ids(router, request)
    if parameters.max_length is not None:
        most = parameters.max_length
        if prefix and isinstance(prompt, str):
            most += len(await router.tokenize(prefix, model=model, add_special=False))
        request = replace(request, max_tokens=left(most, len(ids)))
    answers = []
    for number in range(parameters.sequences):
        seed = None if parameters.seed is None else (parameters.seed + number) % (MAX_SEED + 1)
        tokens = await generated(router, replace(request, seed=seed), parameters.ends)
        text = await router.detokenize(tokens, model=model) if tokens else ""
        answers.append(Answer(tuple(ids), tuple(tokens), text))
    return answers


def request_of(model: str, prompt: Prompt, prefix: str, parameters: Parameters) -> Request:
    """What the router is asked. Every parameter is said: a model's defaults are merged already."""
    return Request(
        prompt=prefix + prompt if isinstance(prompt, str) else None,
        raw=isinstance(prompt, str),
        messages=prompt.as_messages() if isinstance(prompt, Chat) else (),
        model=model,
        max_tokens=parameters.max_new_tokens,
        temperature=parameters.temperature,
        top_k=parameters.top_k,
        top_p=parameters.top_p,
        min_p=parameters.min_p,
        repeat_penalty=parameters.repetition_penalty,
        stop=parameters.stop,
        ignore_eos=bool(parameters.ends),
    )


def left(most: int, prompt: int) -> int:
    """Tokens that are left for an answer; ``max_length`` counts those of the prompt too."""
    if prompt >= most:
        allowed = f"more than the {prompt} tokens of the prompt; or max_new_tokens"
        raise InvalidRequestError("max_length", most, allowed)
    return most - prompt


async def prompt_ids(router: LLMRouter, request: Request) -> Sequence[int]:
    """The tokens of a prompt, as the model sees it. What is computed for it is used again."""
    probe = replace(request, max_tokens=1, prompt_logprobs=0, temperature=0.0, stop=())
    answer = await router.process(probe)
    return [token.token_id for token in answer.prompt_logprobs]


async def generated(router: LLMRouter, request: Request, ends: frozenset[int]) -> Sequence[int]:
    """The tokens of an answer, until one of ``ends``, which belongs to it.

    Where the request has no limit, the default ends it here: as a limit of the request it would be
    refused by models whose context is shorter.
    """
    most = request.max_tokens or DEFAULT_NEW_TOKENS
    tokens: list[int] = []
    async with aclosing(router.process_stream(request)) as events:
        async for event in events:
            for token in event.token_ids if isinstance(event, Chunk) else ():
                tokens.append(token)
                if token in ends or len(tokens) == most:
                    return tokens
    return tokens
