"""Prompts, models and chains that LangChain has written, as templates and records of ours.

Files are read as plain JSON and nothing in them is ever made or run: ``node.py`` tells what stands
where, ``prompts.py`` and ``models.py`` read it, ``migrated.py`` puts it together.
"""
