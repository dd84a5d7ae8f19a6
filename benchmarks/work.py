"""What is measured on an engine: named workloads, and rounds of them."""

from __future__ import annotations

import random
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal, Protocol

from benchmarks.model import CONTROL_TOKENS

if TYPE_CHECKING:
    from collections.abc import Sequence


Clock = Literal["wall", "processor"]


class Contender(Protocol):
    """An engine with a model loaded."""

    def answer(self, prompts: Sequence[Sequence[int]], tokens: int) -> None:
        """Answer all prompts at once, greedily, each with exactly so many tokens."""

    def processor_seconds(self) -> float:
        """Processor time that its process has used up to now, over all threads."""


@dataclass(frozen=True)
class Round:
    """One round: the prefix is asked alone first, then all prompts at once."""

    prefix: list[int]
    prompts: list[list[int]]
    answer_tokens: int

    def seconds(self, contender: Contender, clock: Clock) -> float:
        """From the first prompt handed over to the last answer's end, as ``clock`` tells."""
        read = time.perf_counter if clock == "wall" else contender.processor_seconds
        begin = read()
        if self.prefix:
            contender.answer([self.prefix], 1)
        contender.answer(self.prompts, self.answer_tokens)
        return read() - begin


@dataclass(frozen=True)
class Workload:
    """Streams with prompts of random tokens. Its speed: counted tokens by time."""

    name: str
    counted: Literal["prompt", "answer"]
    streams: int
    shared_tokens: int  # of every prompt, the same in all streams
    own_tokens: int  # of each prompt, after those
    answer_tokens: int

    @property
    def about(self) -> str:
        """What a round does, in words."""
        shared = self.shared_tokens
        prefix = f" behind {shared} that all share (asked alone first, in the time)"
        return (
            f"streams at once: {self.streams}; tokens of each: {self.own_tokens} of prompt"
            f"{prefix if shared else ''}, {self.answer_tokens} of answer; counted: {self.counted}"
        )

    @property
    def tokens(self) -> int:
        """How many a round counts."""
        each = self.answer_tokens if self.counted == "answer" else self.own_tokens
        return self.streams * each

    def round(self, seed: int, number: int, vocabulary: int) -> Round:
        """Prompts that no other round has, so that nothing is found in a cache by chance."""
        chance = random.Random(f"{seed} {self.name} {number}")

        def text(tokens: int) -> list[int]:
            return [chance.randrange(CONTROL_TOKENS + 1, vocabulary) for _ in range(tokens)]

        prefix = text(self.shared_tokens)
        prompts = [prefix + text(self.own_tokens) for _ in range(self.streams)]
        return Round(prefix, prompts, self.answer_tokens)

    def shortened(self) -> Workload:
        """The same in small, to see that it runs."""
        return replace(
            self, own_tokens=min(self.own_tokens, 32), answer_tokens=min(self.answer_tokens, 4)
        )


WORKLOADS = (
    Workload("prefill", "prompt", streams=1, shared_tokens=0, own_tokens=256, answer_tokens=1),
    Workload("decode-1", "answer", streams=1, shared_tokens=0, own_tokens=8, answer_tokens=64),
    Workload("decode-16", "answer", streams=16, shared_tokens=0, own_tokens=8, answer_tokens=32),
    Workload(
        "decode-16-shared", "answer", streams=16, shared_tokens=128, own_tokens=8, answer_tokens=32
    ),
)
MOST_STREAMS = max(work.streams for work in WORKLOADS)
