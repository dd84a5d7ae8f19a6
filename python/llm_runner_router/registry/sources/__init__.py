"""Where a model's weights come from: one file a kind of source."""
