"""Conversions between the messages of ``llm_runner_router.v1`` and the types of this package.

Each module converts one family in both directions. What comes from a peer is hostile: whatever
cannot be converted raises a RouterError that names the field.
"""
