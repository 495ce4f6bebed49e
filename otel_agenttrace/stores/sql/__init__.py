"""The SQL store: SQLite."""
