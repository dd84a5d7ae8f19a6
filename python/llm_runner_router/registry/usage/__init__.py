"""What callers used of models, and what they spent."""
