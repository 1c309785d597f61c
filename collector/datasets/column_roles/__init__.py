"""Infer which field each column of a table holds, from its name and its content."""
