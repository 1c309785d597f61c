"""Genres that may be one. A look-up: it imports no numerical library."""

from collections.abc import Iterable

from genrebase import digests
from genrebase.store import Engine, merge_proposals
from genrebase.store.engine import read_transaction
from genrebase.store.merge_proposals import MergeProposal


def proposals(
    database: Engine, overlaps: Iterable[tuple[str, str, int]] | None = None
) -> list[MergeProposal]:
    """Return the genres that may be one, from pairs of genres with their common tracks.

    Without `overlaps` the stored digest of `genre_overlaps` is used: the pairs with most tracks.
    """
    with read_transaction(database) as connection:
        if overlaps is None:
            stored = digests.read(connection, "genre_overlaps")
            rows = [] if stored is None else stored.as_dicts()
            overlaps = [(one["genre"], one["other_genre"], one["tracks"]) for one in rows]
        return merge_proposals.from_overlaps(connection, overlaps)
