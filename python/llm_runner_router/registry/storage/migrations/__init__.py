"""Alembic's folder: what made each revision of the registry's tables out of the one before."""
