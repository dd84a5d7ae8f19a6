"""The configuration: what may be set, where it is read, and what is wrong with it."""
