"""Small checkpoints as Transformers writes them, with random weights and trained tokenizers."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import save_file
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers
from tokenizers.processors import TemplateProcessing

Tensors = dict[str, np.ndarray[Any, Any]]

HIDDEN, WIDE, LAYERS, HEADS, KV_HEADS, CONTEXT = 32, 48, 2, 4, 2, 64
TEXT = ("the quick brown fox jumps over the lazy dog, and 12 cats sat on the mat " * 3,) * 5
END = "<|endoftext|>"


@cache
def byte_level() -> str:
    """The tokenizer.json of a byte-level BPE, cut as GPT-2 does it."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=300, special_tokens=[END], initial_alphabet=alphabet, show_progress=False
    )
    tokenizer.train_from_iterator(TEXT, trainer)
    return str(tokenizer.to_str())


WORDS = ("the", "quick", "brown", "fox", "and", "cat", "sat", "on", "mat", "dog")


def _spellings() -> list[str]:
    """Every beginning of every word, with a space and without: each merge adds a letter."""
    starts = [f"{mark}{word}" for word in WORDS for mark in ("▁", "")]
    parts = {start[:size] for start in starts for size in range(2, len(start) + 1)}
    return sorted(parts, key=lambda part: (len(part), part))


@cache
def sentence_pieces(scheme: str = "legacy") -> str:
    """That of a SentencePiece BPE with bytes: ``legacy`` as Llama 2, else a prepend_scheme."""
    letters = sorted({"▁", *"abcdefghijklmnopqrstuvwxyz,.0123456789"})
    texts = ["<unk>", "<s>", "</s>", *(f"<0x{byte:02X}>" for byte in range(256)), *letters]
    parts = _spellings()
    vocabulary = {text: token for token, text in enumerate([*texts, *parts])}
    merges = [
        (part[:cut], part[cut:])
        for part in parts
        for cut in range(1, len(part))
        if part[:cut] in vocabulary and part[cut:] in vocabulary
    ]
    model = models.BPE(vocabulary, merges, unk_token="<unk>", fuse_unk=True, byte_fallback=True)
    tokenizer = Tokenizer(model)
    if scheme == "legacy":
        steps = [normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")]
        tokenizer.normalizer = normalizers.Sequence(steps)
    else:
        tokenizer.pre_tokenizer = pre_tokenizers.Metaspace("▁", scheme, split=False)
    tokenizer.add_special_tokens(["<unk>", "<s>", "</s>"])
    tokenizer.post_processor = TemplateProcessing(
        single="<s> $A", pair="<s> $A <s> $B", special_tokens=[("<s>", 1)]
    )
    return str(tokenizer.to_str())


def llama_config(**changes: Any) -> dict[str, Any]:
    """The config.json of a LlamaForCausalLM."""
    return {
        "architectures": ["LlamaForCausalLM"],
        "model_type": "llama",
        "hidden_size": HIDDEN,
        "intermediate_size": WIDE,
        "num_hidden_layers": LAYERS,
        "num_attention_heads": HEADS,
        "num_key_value_heads": KV_HEADS,
        "max_position_embeddings": CONTEXT,
        "vocab_size": 300,
        "rms_norm_eps": 1e-6,
        "hidden_act": "silu",
        "tie_word_embeddings": False,
        "eos_token_id": 0,
        **changes,
    }


def gpt2_config(**changes: Any) -> dict[str, Any]:
    """The config.json of a GPT2LMHeadModel."""
    return {
        "architectures": ["GPT2LMHeadModel"],
        "model_type": "gpt2",
        "n_embd": HIDDEN,
        "n_layer": LAYERS,
        "n_head": HEADS,
        "n_positions": CONTEXT,
        "vocab_size": 300,
        "activation_function": "gelu_new",
        "eos_token_id": 0,
        **changes,
    }


def random_tensors(shapes: Mapping[str, tuple[int, ...]]) -> Tensors:
    """Numbers of a fixed seed."""
    numbers = np.random.default_rng(5)
    return {
        name: numbers.normal(0, 0.3, shape).astype(np.float32) for name, shape in shapes.items()
    }


def llama_tensors(vocabulary: int = 300) -> Tensors:
    """Those of ``llama_config``."""
    head = HIDDEN // HEADS
    shapes: dict[str, tuple[int, ...]] = {"model.embed_tokens.weight": (vocabulary, HIDDEN)}
    for layer in range(LAYERS):
        place = f"model.layers.{layer}."
        shapes |= {
            f"{place}input_layernorm.weight": (HIDDEN,),
            f"{place}post_attention_layernorm.weight": (HIDDEN,),
            f"{place}self_attn.q_proj.weight": (HIDDEN, HIDDEN),
            f"{place}self_attn.k_proj.weight": (KV_HEADS * head, HIDDEN),
            f"{place}self_attn.v_proj.weight": (KV_HEADS * head, HIDDEN),
            f"{place}self_attn.o_proj.weight": (HIDDEN, HIDDEN),
            f"{place}mlp.gate_proj.weight": (WIDE, HIDDEN),
            f"{place}mlp.up_proj.weight": (WIDE, HIDDEN),
            f"{place}mlp.down_proj.weight": (HIDDEN, WIDE),
        }
    shapes |= {"model.norm.weight": (HIDDEN,), "lm_head.weight": (vocabulary, HIDDEN)}
    return random_tensors(shapes)


def gpt2_tensors(prefix: str = "transformer.") -> Tensors:
    """Those of ``gpt2_config``; maps are stored by columns."""
    wide = 4 * HIDDEN
    shapes: dict[str, tuple[int, ...]] = {
        f"{prefix}wte.weight": (300, HIDDEN),
        f"{prefix}wpe.weight": (CONTEXT, HIDDEN),
    }
    for layer in range(LAYERS):
        place = f"{prefix}h.{layer}."
        for norm in ("ln_1", "ln_2"):
            shapes |= {f"{place}{norm}.{part}": (HIDDEN,) for part in ("weight", "bias")}
        for name, rows, columns in (
            ("attn.c_attn", HIDDEN, 3 * HIDDEN),
            ("attn.c_proj", HIDDEN, HIDDEN),
            ("mlp.c_fc", HIDDEN, wide),
            ("mlp.c_proj", wide, HIDDEN),
        ):
            shapes |= {f"{place}{name}.weight": (rows, columns), f"{place}{name}.bias": (columns,)}
    shapes |= {f"{prefix}ln_f.{part}": (HIDDEN,) for part in ("weight", "bias")}
    return random_tensors(shapes)


def write(
    folder: Path,
    config: Mapping[str, Any] | None = None,
    tensors: Tensors | None = None,
    tokenizer: str | None = None,
    **others: Any,
) -> Path:
    """A whole checkpoint, of llama where nothing is said; ``others`` are further JSON files."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps(config or llama_config()))
    save_file(tensors or llama_tensors(), folder / "model.safetensors")
    (folder / "tokenizer.json").write_text(tokenizer or byte_level())
    settings = {"tokenizer_config": {"bos_token": END, "eos_token": END}, **others}
    for name, content in settings.items():
        (folder / f"{name}.json").write_text(json.dumps(content))
    return folder
