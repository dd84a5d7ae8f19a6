"""A Backend on the wire: gRPC services, health, reflection and an orderly end."""
