"""The rank of a genre with votes: its place among the genres of its item. Pure."""

from collections.abc import Sequence

from collector.records import GenreVote
from genrebase.store import names


def ranked(genres: Sequence[GenreVote]) -> list[tuple[GenreVote, int]]:
    """Return each genre once, as it is supported best, with its rank among them, from 0.

    The rank is the number of genres at a closer level, or at the same level with more votes; equal
    support gives equal ranks.
    """
    best: dict[str, GenreVote] = {}
    for vote in genres:
        name = names.normalise(vote.name)
        stored = best.get(name)
        if stored is None or _support(vote) < _support(stored):
            best[name] = vote
    supports = sorted(map(_support, best.values()))
    return [(vote, supports.index(_support(vote))) for vote in best.values()]


def _support(vote: GenreVote) -> tuple[int, int]:
    """Return the sort key of a vote: the strongest support first."""
    return vote.level, -vote.votes
