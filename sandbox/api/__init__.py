"""The HTTP APIs of Spotify and ReccoBeats: endpoints, JSON objects, tokens."""
