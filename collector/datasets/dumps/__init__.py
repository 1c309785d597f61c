"""Dumps of whole databases: tar archives of tables, read as a stream."""
