"""Who produces answers."""
