"""Changes of a registry: numbered, durable, and heard by every process."""
