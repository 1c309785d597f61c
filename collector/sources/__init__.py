"""Sources of tracks, one plug-in per file; pyproject.toml registers them (`collector.sources`)."""
