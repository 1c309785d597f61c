"""Digests: stored rows of the views that aggregate whole tables."""

from genrebase.digests.definitions import DIGESTS, WHOLE, Digest
from genrebase.digests.store import StoredDigest, read

__all__ = ["DIGESTS", "WHOLE", "Digest", "StoredDigest", "read"]
