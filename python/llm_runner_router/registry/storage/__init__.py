"""Where a registry is kept: an SQLite file or a PostgreSQL, and its tables."""
