"""Infer the notation, unit and scale of a column of numbers from all its cells."""
