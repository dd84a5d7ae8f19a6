"""Ensembles: one request answered by several models, and one answer out of theirs."""

from llm_runner_router.ensemble.running import Ensemble

__all__ = ["Ensemble"]
