"""Lists of models: filtered, ordered, in pages."""
