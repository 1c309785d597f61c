"""Datasets as people have them: read as text, their columns found by the usual names."""
