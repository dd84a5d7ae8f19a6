"""Checkpoints of Hugging Face Transformers, and GGUF files made of them.

``Checkpoint`` is what a folder holds, checked; ``conversion.py`` writes it as GGUF. Everything in a
checkpoint is hostile: sizes, offsets, shapes, names and JSON are checked before they are used, and
nothing is ever unpickled.
"""
