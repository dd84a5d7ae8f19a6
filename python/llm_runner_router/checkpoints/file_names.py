"""The files of a checkpoint by their names, and how large they may be. Imports nothing.

Who only looks for checkpoints takes the names from here, and waits for nothing that converts.
"""

from __future__ import annotations

CONFIG = "config.json"
GENERATION = "generation_config.json"
TOKENIZER = "tokenizer.json"
SETTINGS = "tokenizer_config.json"
SPECIAL = "special_tokens_map.json"
JINJA = "chat_template.jinja"
JSON = "chat_template.json"
SMALL_FILES = (CONFIG, GENERATION, TOKENIZER, SETTINGS, SPECIAL, JINJA, JSON)
"""All that is read beside the weights; only the first and the tokenizer have to be there."""

MAX_TEXT_BYTES = 64 << 20
"""Of each of them: the largest tokenizer.json of today's models has about 33 MB."""

SINGLE = "model.safetensors"
INDEX = "model.safetensors.index.json"
PICKLED = ("pytorch_model.bin", "pytorch_model.bin.index.json", "model.pt", "consolidated.00.pth")
MAX_FILES = 1024
"""Of weights."""
