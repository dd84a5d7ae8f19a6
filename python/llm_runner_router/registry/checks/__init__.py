"""The limits of what a registry keeps, one noun a file."""
