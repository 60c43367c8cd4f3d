"""The figures of a table."""
