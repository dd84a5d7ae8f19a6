"""Llama 1 to 3 and Mistral: LlamaForCausalLM, MistralForCausalLM."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from llm_runner_router.checkpoints.blueprint import MAX_LAYERS, Blueprint, Store
from llm_runner_router.checkpoints.faults import damaged
from llm_runner_router.checkpoints.fields import Fields
from llm_runner_router.checkpoints.layouts import AsStored, Content, PairedHeads, PlannedTensor
from llm_runner_router.checkpoints.rotation import Rotation, rotation_of
from llm_runner_router.checkpoints.safetensors_file import StoredTensor
from llm_runner_router.tokenizer.metadata import MetadataValue

NO_WEIGHTS = (".rotary_emb.inv_freq",)


@dataclass(frozen=True, slots=True)
class Sizes:
    """The numbers of the configuration that shapes follow from."""

    hidden: int
    layers: int
    heads: int
    kv_heads: int
    head: int
    feed_forward: int
    vocabulary: int

    @classmethod
    def of(cls, config: Fields) -> Sizes:
        """Read and checked against each other."""
        hidden, heads = config.count("hidden_size"), config.count("num_attention_heads")
        kv_heads = config.count("num_key_value_heads", heads)
        if heads % kv_heads:
            raise config.wrong("num_key_value_heads", f"a divisor of {heads}")
        if not config.has("head_dim") and hidden % heads:
            raise config.wrong("num_attention_heads", f"a divisor of hidden_size {hidden}")
        head = config.count("head_dim", hidden // heads)
        if head % 2:
            raise config.wrong("head_dim", "an even number")
        layers = config.count("num_hidden_layers")
        if layers > MAX_LAYERS:
            raise config.wrong("num_hidden_layers", f"at most {MAX_LAYERS}")
        feed_forward, vocabulary = config.count("intermediate_size"), config.count("vocab_size")
        return cls(hidden, layers, heads, kv_heads, head, feed_forward, vocabulary)


def llama_blueprint(config: Fields, tensors: Mapping[str, StoredTensor]) -> Blueprint:
    """See ``architectures.py``."""
    sizes = Sizes.of(config)
    config.require("hidden_act", "silu", "silu", "swish")
    config.require("pretraining_tp", 1, 1)
    rotation = rotation_of(config, sizes.head)
    context, notes = context_of(config)
    store = Store(tensors, "model.")
    store.drop(NO_WEIGHTS)
    planned = tuple(planned_tensors(config, sizes, rotation, store))
    return Blueprint(
        architecture="llama",
        context_length=context,
        vocabulary=sizes.vocabulary,
        metadata=metadata_of(config, sizes, rotation),
        tensors=planned,
        notes=notes,
    )


def context_of(config: Fields) -> tuple[int, tuple[str, ...]]:
    """Tokens of context. All of them are attended to, so that a window of attention bounds it."""
    context = config.count("max_position_embeddings", 2048)
    window = config.count("sliding_window", context)
    if window >= context:
        return context, ()
    note = f"the context is {window} tokens, the window of its attention, instead of {context}"
    return window, (note,)


def metadata_of(config: Fields, sizes: Sizes, rotation: Rotation) -> dict[str, MetadataValue]:
    """The keys below ``llama.``."""
    return {
        "embedding_length": sizes.hidden,
        "block_count": sizes.layers,
        "feed_forward_length": sizes.feed_forward,
        "attention.head_count": sizes.heads,
        "attention.head_count_kv": sizes.kv_heads,
        "attention.key_length": sizes.head,
        "attention.value_length": sizes.head,
        "attention.layer_norm_rms_epsilon": config.number("rms_norm_eps", 1e-6),
        "vocab_size": sizes.vocabulary,
        **{f"rope.{key}": value for key, value in rotation.metadata.items()},
    }


def planned_tensors(
    config: Fields, sizes: Sizes, rotation: Rotation, store: Store
) -> Iterator[PlannedTensor]:
    """All tensors; ModelFileError where one is missing, UnsupportedError where one is too many."""
    embedding = (sizes.vocabulary, sizes.hidden)
    yield plain("token_embd.weight", store.take("embed_tokens.weight", *embedding))
    for layer in range(sizes.layers):
        yield from layer_tensors(config, sizes, store, layer)
    yield plain("output_norm.weight", store.take("norm.weight", sizes.hidden))
    if rotation.divisors is not None:
        yield rotation.divisors
    rest = store.without_prefix()
    if not config.flag("tie_word_embeddings", default=False):
        yield plain("output.weight", rest.take("lm_head.weight", *embedding))
    rest.check_empty(besides=("lm_head.weight",))


def layer_tensors(
    config: Fields, sizes: Sizes, store: Store, layer: int
) -> Iterator[PlannedTensor]:
    """Those of one layer."""
    query, key = sizes.heads * sizes.head, sizes.kv_heads * sizes.head
    hidden, wide = sizes.hidden, sizes.feed_forward
    attention = config.flag("attention_bias", default=False)
    feed_forward = config.flag("mlp_bias", default=False)
    here, there = f"blk.{layer}.", f"layers.{layer}."
    for norm, name in (("attn_norm", "input_layernorm"), ("ffn_norm", "post_attention_layernorm")):
        yield plain(f"{here}{norm}.weight", store.take(f"{there}{name}.weight", hidden))
    for new, old, rows, columns, heads, bias in (
        ("attn_q", "self_attn.q_proj", query, hidden, sizes.heads, attention),
        ("attn_k", "self_attn.k_proj", key, hidden, sizes.kv_heads, attention),
        ("attn_v", "self_attn.v_proj", key, hidden, 0, attention),
        ("attn_output", "self_attn.o_proj", hidden, query, 0, attention),
        ("ffn_gate", "mlp.gate_proj", wide, hidden, 0, feed_forward),
        ("ffn_up", "mlp.up_proj", wide, hidden, 0, feed_forward),
        ("ffn_down", "mlp.down_proj", hidden, wide, 0, feed_forward),
    ):
        yield rotated(
            f"{here}{new}.weight", store.take(f"{there}{old}.weight", rows, columns), heads
        )
        if bias:
            yield rotated(f"{here}{new}.bias", store.take(f"{there}{old}.bias", rows), heads)


def plain(name: str, tensor: StoredTensor) -> PlannedTensor:
    """A tensor as it is stored."""
    return rotated(name, tensor, 0)


def rotated(name: str, tensor: StoredTensor, heads: int) -> PlannedTensor:
    """A tensor whose rows are those of ``heads`` that are rotated; 0: none are."""
    if heads and tensor.shape[0] % (2 * heads):
        raise damaged(tensor.file.name, f"tensor {tensor.name!r} cannot be cut into {heads} heads")
    content: Content = PairedHeads(tensor, heads) if heads else AsStored(tensor)
    return PlannedTensor(name, tensor.shape, content)
