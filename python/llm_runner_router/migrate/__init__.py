"""What users of LLM Runner Router 0.x to 1.2, Ollama, Transformers and LangChain bring along.

Transformations are pure: they read old content and tell what becomes of every leaf of it (see
``fields.py``). ``plan.py`` is what is to be done to a folder; ``transaction.py`` does it wholly or
not at all, with a backup that ``rollback.py`` goes back to.
"""
