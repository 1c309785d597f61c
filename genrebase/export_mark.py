"""The mark that exported Parquet files carry in their metadata."""

from typing import Final

METADATA: Final = {b"genrebase": b"exported from a Genrebase database; no dataset to import"}
"""Added to the metadata of the file's schema."""
