"""Import tracks from datasets, audio files or Spotify ids."""
