"""LLM Runner Router: run GGUF models and route requests to them."""
