"""Transformers' face over LLMRouter: ``pipeline("text-generation", model=…)``.

Transformers itself is neither needed nor imported.
"""

from llm_runner_router.compat.transformers.factory import pipeline
from llm_runner_router.compat.transformers.seeds import set_seed
from llm_runner_router.compat.transformers.text_generation import TextGenerationPipeline

__all__ = ["TextGenerationPipeline", "pipeline", "set_seed"]
