"""Models of Ollama: from its local store, or by its protocol."""
