"""Synthetic tracks: names, genres, audio features, analyses."""
