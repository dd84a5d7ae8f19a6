"""LangChain's faces over LLMRouter: ``ChatLLMRouter`` and ``LLMRouterLLM``.

Needs langchain-core, which an extra installs. ``RouterThread`` is the router that several models
share; without one each has its own.
"""

from __future__ import annotations

try:
    import langchain_core  # noqa: F401 - whether it is there at all
except ImportError as missing:
    raise ImportError(
        "llm_runner_router.compat.langchain needs langchain-core: "
        "install llm-runner-router[langchain]",
        name="langchain_core",
    ) from missing

from llm_runner_router.compat.langchain.chat_model import ChatLLMRouter
from llm_runner_router.compat.langchain.llm import LLMRouterLLM
from llm_runner_router.compat.router_thread import RouterThread

__all__ = ["ChatLLMRouter", "LLMRouterLLM", "RouterThread"]
