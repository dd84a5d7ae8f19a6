"""What pipelines of Transformers take from a checkpoint, and no field of a record holds.

``max_length`` counts prompt and answer, the tokens that end an answer belong to it, and programs
ask for special tokens by their names. A record keeps it as one label: so it is there wherever the
record is, also where the files are on another machine.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from llm_runner_router.checkpoints.fields import Fields
from llm_runner_router.checkpoints.file_names import CONFIG
from llm_runner_router.checkpoints.generation_settings import GenerationSettings
from llm_runner_router.checkpoints.special_tokens import SPECIAL_TOKENS, end_tokens, token_text
from llm_runner_router.checkpoints.text_file import json_object, read_object
from llm_runner_router.checkpoints.tokenizer_metadata import settings_of
from llm_runner_router.errors import ModelFileError

LABEL = "transformers"
MAX_LETTERS = 1024
"""Of the label, as the registry has it."""

KEPT = (
    *("max_length", "max_new_tokens", "temperature", "top_k", "top_p", "min_p"),
    *("repetition_penalty", "num_return_sequences", "num_beams", "stop_strings", "do_sample"),
)
"""The settings of generation that a pipeline knows, besides ``eos_token_id``."""


@dataclass(frozen=True, slots=True)
class PipelineSettings:
    """``generation`` by Transformers' names, unchecked; ``special_tokens`` such as ``bos_token``.

    ``eos_token_id`` of ``generation`` is a list of all tokens that end an answer.
    """

    generation: Mapping[str, Any] = field(default_factory=dict)
    special_tokens: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, folder: Path) -> PipelineSettings:
        """Of a checkpoint. Blocks; ModelFileError where a file of it is damaged."""
        settings = GenerationSettings.of(folder)
        ends = end_tokens(Fields(CONFIG, read_object(folder / CONFIG)), settings)
        said = {key: settings.values[key] for key in KEPT if settings.values.get(key) is not None}
        if ends:
            said["eos_token_id"] = list(ends)
        tokenizer = settings_of(folder)
        texts = {name: token_text(tokenizer, name) for name in SPECIAL_TOKENS}
        return cls(said, {name: text for name, text in texts.items() if text is not None})

    @classmethod
    def of_labels(cls, labels: Mapping[str, str]) -> PipelineSettings | None:
        """What a record keeps; ``None`` where it keeps nothing, or what is none of ours."""
        try:
            match json_object(LABEL, labels.get(LABEL, "").encode()):
                case {"generation": dict(generation), "special_tokens": dict(texts)}:
                    return cls(generation, {name: str(text) for name, text in texts.items()})
        except ModelFileError:
            return None
        return None

    def labels(self) -> Mapping[str, str]:
        """The label; none where it would be too long."""
        text = json.dumps({"generation": self.generation, "special_tokens": self.special_tokens})
        return {LABEL: text} if len(text) <= MAX_LETTERS else {}
