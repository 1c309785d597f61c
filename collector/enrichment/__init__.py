"""Audio features and audio analyses for tracks that have none."""
