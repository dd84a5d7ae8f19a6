"""Text to token ids and back, for the vocabulary that a GGUF file carries."""

from llm_runner_router.tokenizer.errors import TokenizerError
from llm_runner_router.tokenizer.tokenizer import Tokenizer

__all__ = ["Tokenizer", "TokenizerError"]
