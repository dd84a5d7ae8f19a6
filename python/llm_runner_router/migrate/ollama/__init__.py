"""Models of Ollama, taken over without copying them.

``stored_models.py`` and ``served_models.py`` find what Ollama has, in its folder and at its server;
``registration.py`` tells what of that the registry lacks, and registers it.
"""
