"""Which models are in memory, how much of it they may have, and who makes way."""
