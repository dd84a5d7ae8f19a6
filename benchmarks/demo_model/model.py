"""The llama architecture in torch, small enough to train on a CPU.

Rotary embedding turns neighbouring pairs of a head (x0 x1, x2 x3, …), which is the order that
GGUF's ``llama`` architecture expects: the query and key weights need no permutation on export.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F  # noqa: N812 - torch's own customary name
from torch import Tensor, nn


@dataclass(frozen=True)
class Hyperparameters:
    """Sizes of the model; ``context`` is what the file promises."""

    vocabulary: int
    context: int = 1024
    width: int = 192
    layers: int = 4
    heads: int = 6
    kv_heads: int = 3
    feed_forward: int = 512
    rope_theta: float = 10_000.0
    norm_epsilon: float = 1e-5

    @property
    def head_width(self) -> int:
        """Values of one attention head."""
        return self.width // self.heads


class Attention(nn.Module):
    """Causal attention with grouped keys and values."""

    def __init__(self, sizes: Hyperparameters) -> None:
        super().__init__()
        self.sizes = sizes
        kv_width = sizes.kv_heads * sizes.head_width
        self.query = nn.Linear(sizes.width, sizes.width, bias=False)
        self.key = nn.Linear(sizes.width, kv_width, bias=False)
        self.value = nn.Linear(sizes.width, kv_width, bias=False)
        self.output = nn.Linear(sizes.width, sizes.width, bias=False)

    def forward(self, hidden: Tensor, rotation: tuple[Tensor, Tensor]) -> Tensor:
        """``hidden`` is [batch, length, width]; so is the result."""
        batch, length, width = hidden.shape
        shape = (batch, length, -1, self.sizes.head_width)
        query = rotate(self.query(hidden).view(shape).transpose(1, 2), rotation)
        key = rotate(self.key(hidden).view(shape).transpose(1, 2), rotation)
        value = self.value(hidden).view(shape).transpose(1, 2)
        groups = self.sizes.heads // self.sizes.kv_heads
        mixed = attend(
            query, key.repeat_interleave(groups, dim=1), value.repeat_interleave(groups, dim=1)
        )
        projected: Tensor = self.output(mixed.transpose(1, 2).reshape(batch, length, width))
        return projected


class FeedForward(nn.Module):
    """SwiGLU."""

    def __init__(self, sizes: Hyperparameters) -> None:
        super().__init__()
        self.gate = nn.Linear(sizes.width, sizes.feed_forward, bias=False)
        self.up = nn.Linear(sizes.width, sizes.feed_forward, bias=False)
        self.down = nn.Linear(sizes.feed_forward, sizes.width, bias=False)

    def forward(self, hidden: Tensor) -> Tensor:
        """``hidden`` is [batch, length, width]; so is the result."""
        result: Tensor = self.down(F.silu(self.gate(hidden)) * self.up(hidden))
        return result


class Block(nn.Module):
    """One layer: attention, then feed forward, each on a normalised copy of the stream."""

    def __init__(self, sizes: Hyperparameters, dropout: float) -> None:
        super().__init__()
        self.attention_norm = nn.RMSNorm(sizes.width, eps=sizes.norm_epsilon)
        self.attention = Attention(sizes)
        self.feed_forward_norm = nn.RMSNorm(sizes.width, eps=sizes.norm_epsilon)
        self.feed_forward = FeedForward(sizes)
        self.dropout = nn.Dropout(dropout)

    def forward(self, hidden: Tensor, rotation: tuple[Tensor, Tensor]) -> Tensor:
        """``hidden`` is [batch, length, width]; so is the result."""
        hidden = hidden + self.dropout(self.attention(self.attention_norm(hidden), rotation))
        change: Tensor = self.dropout(self.feed_forward(self.feed_forward_norm(hidden)))
        return hidden + change


class Model(nn.Module):
    """Token ids in, final hidden states or logits out; input and output embedding are tied."""

    def __init__(self, sizes: Hyperparameters, dropout: float = 0.0) -> None:
        super().__init__()
        self.sizes = sizes
        self.embedding = nn.Embedding(sizes.vocabulary, sizes.width)
        self.dropout = nn.Dropout(dropout)
        self.blocks = nn.ModuleList(Block(sizes, dropout) for _ in range(sizes.layers))
        self.norm = nn.RMSNorm(sizes.width, eps=sizes.norm_epsilon)
        self.apply(_initialise)

    def forward(self, tokens: Tensor) -> Tensor:
        """``tokens`` is [batch, length]; the hidden states are [batch, length, width]."""
        rotation = rotations(tokens.shape[1], self.sizes)
        hidden = self.dropout(self.embedding(tokens))
        for block in self.blocks:
            hidden = block(hidden, rotation)
        normed: Tensor = self.norm(hidden)
        return normed

    def logits(self, hidden: Tensor) -> Tensor:
        """Scores over the vocabulary for each hidden state."""
        return F.linear(hidden, self.embedding.weight)


def attend(query: Tensor, key: Tensor, value: Tensor) -> Tensor:
    """Causal softmax attention; all are [batch, heads, length, head_width].

    Written out because torch's fused kernel is slower on a CPU for sequences as short as these.
    """
    length = query.shape[2]
    future = torch.ones(length, length, dtype=torch.bool).triu(1)
    scores = query @ key.transpose(-2, -1) / query.shape[-1] ** 0.5
    probabilities = scores.masked_fill(future, -torch.inf).softmax(dim=-1)
    mixed: Tensor = probabilities.to(value.dtype) @ value
    return mixed


def rotations(length: int, sizes: Hyperparameters) -> tuple[Tensor, Tensor]:
    """Cosines and sines, each [length, head_width / 2]."""
    half = torch.arange(0, sizes.head_width, 2, dtype=torch.float32) / sizes.head_width
    angles = torch.outer(torch.arange(length, dtype=torch.float32), sizes.rope_theta**-half)
    return angles.cos(), angles.sin()


def rotate(heads: Tensor, rotation: tuple[Tensor, Tensor]) -> Tensor:
    """Turn neighbouring pairs of ``heads`` [batch, heads, length, head_width] by their position."""
    cosine, sine = rotation
    even, odd = heads[..., 0::2], heads[..., 1::2]
    turned = torch.stack((even * cosine - odd * sine, even * sine + odd * cosine), dim=-1)
    return turned.flatten(-2).to(heads.dtype)


def _initialise(module: nn.Module) -> None:
    if isinstance(module, nn.Linear | nn.Embedding):
        nn.init.normal_(module.weight, std=0.02 if isinstance(module, nn.Embedding) else 0.04)
