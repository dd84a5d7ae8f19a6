"""One file a revision. A revision that was released never changes."""
