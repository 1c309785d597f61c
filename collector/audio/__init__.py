"""Audio files as tracks: metadata from tags and file names, genres from folders, tags, tables."""
