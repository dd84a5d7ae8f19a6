"""Checkpoints of Transformers, converted once."""
