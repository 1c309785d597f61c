"""Providers of audio features, one plug-in per file."""
