"""GPT-2: GPT2LMHeadModel, whose linear maps (Conv1D) are stored by columns."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from llm_runner_router.checkpoints.blueprint import MAX_LAYERS, Blueprint, Store
from llm_runner_router.checkpoints.fields import Fields
from llm_runner_router.checkpoints.layouts import AsStored, PlannedTensor, Transposed
from llm_runner_router.checkpoints.safetensors_file import StoredTensor

PREFIX = "transformer."
NO_WEIGHTS = (".attn.bias", ".attn.masked_bias")


@dataclass(frozen=True, slots=True)
class Sizes:
    """The numbers of the configuration that shapes follow from."""

    hidden: int
    layers: int
    heads: int
    feed_forward: int
    context: int
    vocabulary: int

    @classmethod
    def of(cls, config: Fields) -> Sizes:
        """Read and checked against each other."""
        hidden, heads, layers = (config.count(key) for key in ("n_embd", "n_head", "n_layer"))
        if hidden % heads:
            raise config.wrong("n_head", f"a divisor of n_embd {hidden}")
        if layers > MAX_LAYERS:
            raise config.wrong("n_layer", f"at most {MAX_LAYERS}")
        feed_forward = config.count("n_inner", 4 * hidden)
        context, vocabulary = config.count("n_positions"), config.count("vocab_size")
        return cls(hidden, layers, heads, feed_forward, context, vocabulary)


def gpt2_blueprint(config: Fields, tensors: Mapping[str, StoredTensor]) -> Blueprint:
    """See ``architectures.py``."""
    sizes = Sizes.of(config)
    config.require("activation_function", "gelu_new", "gelu_new", "gelu_pytorch_tanh", "gelu_fast")
    config.require("scale_attn_weights", True, True)  # noqa: FBT003 - the values of a setting
    config.require("scale_attn_by_inverse_layer_idx", False, False)  # noqa: FBT003
    config.require("add_cross_attention", False, False)  # noqa: FBT003
    prefix = PREFIX if f"{PREFIX}wte.weight" in tensors else ""
    store = Store(tensors, prefix)
    store.drop(NO_WEIGHTS)
    return Blueprint(
        architecture="gpt2",
        context_length=sizes.context,
        vocabulary=sizes.vocabulary,
        metadata={
            "embedding_length": sizes.hidden,
            "block_count": sizes.layers,
            "feed_forward_length": sizes.feed_forward,
            "attention.head_count": sizes.heads,
            "attention.layer_norm_epsilon": config.number("layer_norm_epsilon", 1e-5),
        },
        tensors=tuple(planned_tensors(config, sizes, store)),
    )


def planned_tensors(config: Fields, sizes: Sizes, store: Store) -> Iterator[PlannedTensor]:
    """All tensors; ModelFileError where one is missing, UnsupportedError where one is too many."""
    hidden = sizes.hidden
    yield plain("token_embd.weight", store.take("wte.weight", sizes.vocabulary, hidden))
    yield plain("position_embd.weight", store.take("wpe.weight", sizes.context, hidden))
    for layer in range(sizes.layers):
        yield from layer_tensors(sizes, store, layer)
    yield from with_bias("output_norm", "ln_f", hidden, store)
    rest = store.without_prefix()
    if not config.flag("tie_word_embeddings", default=True):
        head = rest.take("lm_head.weight", sizes.vocabulary, hidden)
        yield plain("output.weight", head)
    rest.check_empty(besides=("lm_head.weight",))


def layer_tensors(sizes: Sizes, store: Store, layer: int) -> Iterator[PlannedTensor]:
    """Those of one layer."""
    hidden, wide = sizes.hidden, sizes.feed_forward
    here, there = f"blk.{layer}.", f"h.{layer}."
    yield from with_bias(f"{here}attn_norm", f"{there}ln_1", hidden, store)
    yield from with_bias(f"{here}ffn_norm", f"{there}ln_2", hidden, store)
    for new, old, inputs, outputs in (
        ("attn_qkv", "attn.c_attn", hidden, 3 * hidden),
        ("attn_output", "attn.c_proj", hidden, hidden),
        ("ffn_up", "mlp.c_fc", hidden, wide),
        ("ffn_down", "mlp.c_proj", wide, hidden),
    ):
        weight = store.take(f"{there}{old}.weight", inputs, outputs)
        yield PlannedTensor(f"{here}{new}.weight", (outputs, inputs), Transposed(weight))
        yield plain(f"{here}{new}.bias", store.take(f"{there}{old}.bias", outputs))


def with_bias(new: str, old: str, width: int, store: Store) -> Iterator[PlannedTensor]:
    """Weight and bias of a norm."""
    for part in ("weight", "bias"):
        yield plain(f"{new}.{part}", store.take(f"{old}.{part}", width))


def plain(name: str, tensor: StoredTensor) -> PlannedTensor:
    """A tensor as it is stored."""
    return PlannedTensor(name, tensor.shape, AsStored(tensor))
