"""Answers that are kept, and equal requests that are computed once."""
