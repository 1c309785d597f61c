"""Decide what each column of a table holds, by its name and its content."""
