"""The tracks that are served: from a file or generated; search and playlists."""
