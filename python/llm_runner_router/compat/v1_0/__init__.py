"""The API of LLM Runner Router 1.0, for programs that are not rewritten yet.

``LLMRouter`` here has the methods, the fields and the answers of v1.0, and does not warn::

    async with LLMRouter({"maxConcurrentRequests": 4}) as router:
        await router.add_model({"name": "m", "path": "./m.gguf", "type": "gguf"})
        answer = await router.generate({"input": "Hello", "max_tokens": 50})
        print(answer["text"], answer["usage"]["total_tokens"])

``old_response`` and ``old_events`` give answers of the present LLMRouter the old shape.
"""

from llm_runner_router.compat.v1_0.answers import (
    OldEnd,
    OldEvent,
    OldResponse,
    OldToken,
    OldUsage,
    old_response,
)
from llm_runner_router.compat.v1_0.events import old_events
from llm_runner_router.compat.v1_0.router import LLMRouter

__all__ = (
    "LLMRouter",
    "OldEnd",
    "OldEvent",
    "OldResponse",
    "OldToken",
    "OldUsage",
    "old_events",
    "old_response",
)
