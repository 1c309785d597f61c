"""The API under `/api/v1`: operations over the database and the champion, for programs."""
