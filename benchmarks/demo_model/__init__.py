"""The demo model: its corpus, its tokenizer, its training and its export to GGUF."""
