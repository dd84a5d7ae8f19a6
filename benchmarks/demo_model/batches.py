"""Padded batches of about equal cost: examples of similar length lie in one batch."""

from collections.abc import Iterator
from itertools import islice
from random import Random

import torch
from torch import Tensor

from benchmarks.demo_model.chat import Encoder, Example
from benchmarks.demo_model.corpus import Corpus

Batch = tuple[Tensor, Tensor, Tensor]
_EXAMPLES_PER_SORT = 4096


def batches(corpus: Corpus, encoder: Encoder, seed: int, tokens_per_batch: int) -> Iterator[Batch]:
    """Endless (inputs, targets, weights), each [batch, length]; padding has weight 0."""
    random = Random(seed)
    conversations = corpus.conversations(seed)
    while True:
        drawn = islice(conversations, _EXAMPLES_PER_SORT)
        examples = [encoder.example(conversation, random) for conversation in drawn]
        groups = list(_groups(examples, tokens_per_batch))
        random.shuffle(groups)
        yield from map(_pad, groups)


def _groups(examples: list[Example], tokens_per_batch: int) -> Iterator[list[Example]]:
    group: list[Example] = []
    for example in sorted(examples, key=lambda example: len(example.tokens)):
        if group and (len(group) + 1) * len(example.tokens) > tokens_per_batch:
            yield group
            group = []
        group.append(example)
    yield group


def _pad(examples: list[Example]) -> Batch:
    length = max(len(example.tokens) for example in examples)
    tokens = torch.zeros(len(examples), length, dtype=torch.long)
    weights = torch.zeros(len(examples), length)
    for row, example in enumerate(examples):
        tokens[row, : len(example.tokens)] = torch.tensor(example.tokens)
        weights[row, : len(example.weights)] = torch.tensor(example.weights)
    return tokens[:, :-1], tokens[:, 1:], weights[:, 1:]
