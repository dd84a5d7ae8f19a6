"""Runs a scheduler's batches on a model that is a hash of the tokens in the KV cache.

The "cache" holds tokens, read back through the block tables: a block that is shared wrongly,
written twice or freed too early changes the answer.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence

from llm_runner_router import _core

VOCABULARY = 50


def next_token(tokens: Sequence[int]) -> int:
    value = 7
    for token in tokens:
        value = (value * 31 + token + 1) % 1_000_003
    return value % VOCABULARY


def answer(prompt: Sequence[int], count: int) -> list[int]:
    tokens = list(prompt)
    for _ in range(count):
        tokens.append(next_token(tokens))
    return tokens[len(prompt) :]


class Driver:
    def __init__(self, *, block_size: int = 4, **config: object) -> None:
        self.config = {"batch_tokens": 16, "max_outputs": 16, "max_sequences": 4, **config}
        self.scheduler = _core.testing.Scheduler(block_size=block_size, **self.config)
        self.block_size = block_size
        self.slots: dict[int, int] = {}
        self.now = 0.0
        self.answers: dict[int, list[int]] = {}
        self.finished: set[int] = set()
        self.limits: dict[int, int] = {}
        self.scored: defaultdict[int, list[int]] = defaultdict(list)  # rows of prompt positions
        self.computed: defaultdict[int, int] = defaultdict(int)
        self.scoring: dict[int, int] = {}  # prompt tokens of those that want their prompt's rows

    def submit(self, sequence: int, prompt: Sequence[int], max_tokens: int, **more: object) -> None:
        self.scheduler.submit(sequence, list(prompt), max_tokens, now=self.now, **more)
        self.answers[sequence] = []
        self.limits[sequence] = max_tokens
        if more.get("score_prompt"):
            self.scoring[sequence] = len(prompt)

    def step(self) -> list[int]:
        """One step; the sequences that took part."""
        batch = self.scheduler.schedule()
        self.check_limits(batch)
        outcomes = [self.run(batch, item) for item in batch.items]
        self.scheduler.commit(outcomes)
        self.finished.update(sequence for sequence, _, finished in outcomes if finished)
        return [item.sequence for item in batch.items]

    def run(self, batch: _core.testing.Batch, item: object) -> tuple[int, int | None, bool]:
        tokens = batch.tokens[item.first_token :][: item.token_count]
        end = item.start_position + item.token_count
        for position, token in enumerate(tokens, item.start_position):
            block = item.blocks[position // self.block_size]
            assert self.scheduler.references(block) == 1, "a shared block is written"
            assert not self.scheduler.sealed(block), "a sealed block is written"
            self.slots[block * self.block_size + position % self.block_size] = token
        known = self.scheduler.find(item.sequence).tokens
        seen = [
            self.slots[item.blocks[p // self.block_size] * self.block_size + p % self.block_size]
            for p in range(end)
        ]
        assert seen == known[:end], "the cache holds other tokens than the sequence"
        self.computed[item.sequence] += item.token_count
        wanted = range(end - item.output_count, end)
        if len(self.scored[item.sequence]) < self.scoring.get(item.sequence, 0):
            self.scored[item.sequence].extend(wanted)
        if end < len(known):
            return item.sequence, None, False
        assert item.output_count >= 1
        token = next_token(seen)
        self.answers[item.sequence].append(token)
        done = len(self.answers[item.sequence]) == self.limits[item.sequence]
        return item.sequence, token, done

    def check_limits(self, batch: _core.testing.Batch) -> None:
        assert len(batch.tokens) <= self.config["batch_tokens"]
        first_token = first_output = 0
        for item in batch.items:
            assert (item.first_token, item.first_output) == (first_token, first_output)
            assert item.token_count >= 1
            assert 0 <= item.output_count <= item.token_count
            assert len(item.blocks) * self.block_size >= item.start_position + item.token_count
            assert len(set(item.blocks)) == len(item.blocks)
            first_token += item.token_count
            first_output += item.output_count
        assert first_token == len(batch.tokens)
        assert first_output <= self.config["max_outputs"]
        assert len({item.sequence for item in batch.items}) == len(batch.items)

    def run_until_idle(self, limit: float = math.inf) -> int:
        """Steps until nothing can be done; how many it took."""
        steps = 0
        while self.step():
            steps += 1
            assert steps <= limit, "no end"
        return steps
