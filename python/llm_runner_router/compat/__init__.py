"""The faces of other libraries and older versions, over LLMRouter.

``compat.transformers``, ``compat.langchain`` and ``compat.v1_0`` are imported one by one: each
needs what the others do not.
"""
