"""Measurements and the training of the demo model; nothing here ships in the package."""
