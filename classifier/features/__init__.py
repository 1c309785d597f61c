"""Feature extraction: one transformer per file, from the views' columns to model inputs."""
