"""Checkpoints of Hugging Face (safetensors, config.json, tokenizer.json), and GGUF made of them."""
