"""The trained model as a GGUF file: Q8_0 matrices, F32 norms, tokenizer and chat template."""

import json
from pathlib import Path

import gguf
import numpy as np
from tokenizers import Tokenizer

from benchmarks.demo_model.chat import CHAT_TEMPLATE, CONTROL_TOKENS, END_ID
from benchmarks.demo_model.model import Hyperparameters, Model

_NAME = "LLM Runner Router demo"
_DESCRIPTION = "Answers questions about LLM Runner Router; trained from its own corpus."
_BLOCK_TENSORS = {
    "attention_norm": "attn_norm",
    "attention.query": "attn_q",
    "attention.key": "attn_k",
    "attention.value": "attn_v",
    "attention.output": "attn_output",
    "feed_forward_norm": "ffn_norm",
    "feed_forward.gate": "ffn_gate",
    "feed_forward.up": "ffn_up",
    "feed_forward.down": "ffn_down",
}
_TENSORS = {"embedding": "token_embd", "norm": "output_norm"}


def export(model: Model, tokenizer: Tokenizer, path: Path) -> None:
    """Write the file; the output matrix is left out because it is the embedding."""
    path.parent.mkdir(parents=True, exist_ok=True)
    writer = gguf.GGUFWriter(path, "llama")
    _add_description(writer)
    _add_sizes(writer, model.sizes)
    _add_tokenizer(writer, tokenizer)
    for name, weight in model.state_dict().items():
        _add_tensor(writer, gguf_name(name), weight.detach().float().numpy())
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def gguf_name(name: str) -> str:
    """``blocks.0.attention.query.weight`` is ``blk.0.attn_q.weight``."""
    stem = name.removesuffix(".weight")
    if stem in _TENSORS:
        return f"{_TENSORS[stem]}.weight"
    _, layer, part = stem.split(".", 2)
    return f"blk.{layer}.{_BLOCK_TENSORS[part]}.weight"


def _add_description(writer: gguf.GGUFWriter) -> None:
    writer.add_name(_NAME)
    writer.add_description(_DESCRIPTION)
    writer.add_license("mit")
    writer.add_languages(["en"])
    writer.add_file_type(gguf.LlamaFileType.MOSTLY_Q8_0)
    writer.add_quantization_version(gguf.GGML_QUANT_VERSION)


def _add_sizes(writer: gguf.GGUFWriter, sizes: Hyperparameters) -> None:
    writer.add_vocab_size(sizes.vocabulary)
    writer.add_context_length(sizes.context)
    writer.add_embedding_length(sizes.width)
    writer.add_block_count(sizes.layers)
    writer.add_feed_forward_length(sizes.feed_forward)
    writer.add_head_count(sizes.heads)
    writer.add_head_count_kv(sizes.kv_heads)
    writer.add_rope_dimension_count(sizes.head_width)
    writer.add_rope_freq_base(sizes.rope_theta)
    writer.add_layer_norm_rms_eps(sizes.norm_epsilon)


def _add_tokenizer(writer: gguf.GGUFWriter, tokenizer: Tokenizer) -> None:
    vocabulary = sorted(tokenizer.get_vocab().items(), key=lambda item: item[1])
    tokens = [token for token, _ in vocabulary]
    merges = json.loads(tokenizer.to_str())["model"]["merges"]
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("gpt-2")
    writer.add_token_list(tokens)
    writer.add_token_types([_token_type(token) for token in tokens])
    writer.add_token_merges([" ".join(pair) for pair in merges])
    writer.add_bos_token_id(END_ID)
    writer.add_eos_token_id(END_ID)
    writer.add_eot_token_id(END_ID)
    writer.add_add_bos_token(value=False)
    writer.add_add_eos_token(value=False)
    writer.add_chat_template(CHAT_TEMPLATE)


def _token_type(token: str) -> gguf.TokenType:
    return gguf.TokenType.CONTROL if token in CONTROL_TOKENS else gguf.TokenType.NORMAL


def _add_tensor(writer: gguf.GGUFWriter, name: str, values: np.ndarray) -> None:
    if values.ndim == 1:
        writer.add_tensor(name, values)
        return
    kind = gguf.GGMLQuantizationType.Q8_0
    writer.add_tensor(name, gguf.quantize(values, kind), raw_dtype=kind)
