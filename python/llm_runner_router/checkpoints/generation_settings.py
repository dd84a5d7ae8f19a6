"""What a checkpoint says of generation: generation_config.json, else the same names of config.json.

Older checkpoints have no file for it. Transformers reads them in the same way
(``GenerationConfig.from_model_config``).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from llm_runner_router.checkpoints.file_names import CONFIG, GENERATION
from llm_runner_router.checkpoints.text_file import read_object

NAMES = frozenset(
    {
        *("assistant_confidence_threshold", "assistant_early_exit", "assistant_ensemble_weight"),
        *("assistant_lookbehind", "bad_words_ids", "begin_suppress_tokens", "bos_token_id"),
        *("cache_config", "cache_implementation", "compile_config", "constraints"),
        *("continuous_batching_config", "decoder_start_token_id", "disable_compile"),
        *("diversity_penalty", "do_sample", "dola_layers", "early_stopping"),
        *("encoder_no_repeat_ngram_size", "encoder_repetition_penalty", "eos_token_id"),
        *("epsilon_cutoff", "eta_cutoff", "exponential_decay_length_penalty", "force_words_ids"),
        *("forced_bos_token_id", "forced_eos_token_id", "guidance_scale", "is_assistant"),
        *("length_penalty", "low_memory", "max_cache_len", "max_length", "max_matching_ngram_size"),
        *("max_new_tokens", "max_time", "min_length", "min_new_tokens", "min_p"),
        *("no_repeat_ngram_size", "num_assistant_tokens", "num_assistant_tokens_schedule"),
        *("num_beam_groups", "num_beams", "num_return_sequences", "output_attentions"),
        *("output_hidden_states", "output_logits", "output_scores", "pad_token_id"),
        *("penalty_alpha", "prefill_chunk_size", "prompt_lookup_num_tokens"),
        *("remove_invalid_values", "renormalize_logits", "repetition_penalty"),
        *("return_dict_in_generate", "sequence_bias", "speculation_type", "stop_strings"),
        *("suppress_tokens", "target_lookbehind", "temperature", "token_healing", "top_h"),
        *("top_k", "top_p", "typical_p", "use_cache", "use_mtp", "watermarking_config"),
    }
)
"""The settings of a GenerationConfig in Transformers 5; all else is the network's."""


@dataclass(frozen=True, slots=True)
class GenerationSettings:
    """``values`` by Transformers' names; ``file`` is the one that says them."""

    file: str
    values: Mapping[str, Any]

    @classmethod
    def of(cls, folder: Path) -> GenerationSettings:
        """Of the checkpoint in ``folder``. Blocks; ModelFileError where a file is damaged."""
        if (folder / GENERATION).exists():
            return cls(GENERATION, read_object(folder / GENERATION))
        found = read_object(folder / CONFIG)
        said = {key: value for key, value in found.items() if key in NAMES and value is not None}
        return cls(CONFIG, said)
