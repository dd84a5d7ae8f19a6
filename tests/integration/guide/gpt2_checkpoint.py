"""A checkpoint in the shape of the published gpt2: small, random, and with its tokenizer."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import save_file
from tokenizers import Tokenizer, decoders, pre_tokenizers, processors
from tokenizers.models import BPE

from unit.vocabularies import byte_letters

WIDTH, HEADS, LAYERS, CONTEXT = 64, 4, 2, 128
MERGES = [("H", "e"), ("l", "l"), ("He", "ll"), ("Hell", "o"), ("Ġ", "w"), ("o", "r")]
END = "<|endoftext|>"


def write(folder: Path) -> Path:
    """Without any prefix before its names, and with the masks that the published one holds."""
    folder.mkdir()
    tokenizer = byte_level_tokenizer()
    tokenizer.save(str(folder / "tokenizer.json"))
    settings = {"tokenizer_class": "GPT2Tokenizer", "model_max_length": CONTEXT}
    put(folder / "tokenizer_config.json", settings)
    save_file(weights(tokenizer.get_vocab_size()), folder / "model.safetensors")
    put(folder / "config.json", config(tokenizer))
    return folder


def put(path: Path, values: Any) -> None:
    path.write_text(json.dumps(values))


def byte_level_tokenizer() -> Tokenizer:
    pieces = [*byte_letters(), *("".join(pair) for pair in MERGES)]
    tokenizer = Tokenizer(BPE({piece: place for place, piece in enumerate(pieces)}, MERGES))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.post_processor = processors.ByteLevel(trim_offsets=False)
    tokenizer.add_special_tokens([END])
    return tokenizer


def config(tokenizer: Tokenizer) -> dict[str, Any]:
    return {
        "architectures": ["GPT2LMHeadModel"],
        "model_type": "gpt2",
        "activation_function": "gelu_new",
        "n_ctx": CONTEXT,
        "n_positions": CONTEXT,
        "n_embd": WIDTH,
        "n_head": HEADS,
        "n_layer": LAYERS,
        "layer_norm_epsilon": 1e-5,
        "vocab_size": tokenizer.get_vocab_size(),
        "bos_token_id": tokenizer.token_to_id(END),
        "eos_token_id": tokenizer.token_to_id(END),
        "task_specific_params": {"text-generation": {"do_sample": True, "max_length": 50}},
    }


def weights(vocabulary: int) -> dict[str, np.ndarray[Any, np.dtype[np.float32]]]:
    chance = np.random.default_rng(7)
    shapes: dict[str, tuple[int, ...]] = {
        "wte.weight": (vocabulary, WIDTH),
        "wpe.weight": (CONTEXT, WIDTH),
    }
    ones = {"ln_f.weight": np.ones(WIDTH)}
    shapes["ln_f.bias"] = (WIDTH,)
    for layer in range(LAYERS):
        own = {
            "ln_1.bias": (WIDTH,),
            "attn.c_attn.weight": (WIDTH, 3 * WIDTH),
            "attn.c_attn.bias": (3 * WIDTH,),
            "attn.c_proj.weight": (WIDTH, WIDTH),
            "attn.c_proj.bias": (WIDTH,),
            "ln_2.bias": (WIDTH,),
            "mlp.c_fc.weight": (WIDTH, 4 * WIDTH),
            "mlp.c_fc.bias": (4 * WIDTH,),
            "mlp.c_proj.weight": (4 * WIDTH, WIDTH),
            "mlp.c_proj.bias": (WIDTH,),
        }
        shapes |= {f"h.{layer}.{name}": shape for name, shape in own.items()}
        ones |= {f"h.{layer}.ln_{number}.weight": np.ones(WIDTH) for number in (1, 2)}
        mask = np.tril(np.ones((CONTEXT, CONTEXT)))
        ones[f"h.{layer}.attn.bias"] = mask.reshape(1, 1, CONTEXT, CONTEXT)
    arrays = ones | {name: chance.normal(0.0, 0.3, shape) for name, shape in shapes.items()}
    return {name: array.astype(np.float32) for name, array in arrays.items()}
