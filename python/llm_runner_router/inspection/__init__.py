"""What a GGUF file holds, told without loading it; and smaller files made of large ones."""
