"""Names and settings of LLM Runner Router 0.x to 1.1: they still work, and tell their new ones."""
