"""Sources of tracks, one plug-in per file."""
