"""The genres of a page's items: what an item counts for, and at which rank. Pure.

A source without votes (Spotify) returns items for the requested genre: the rank is the position
in the results. A source with votes names all genres of an item: the rank of a genre is its place
among them. It is a function of the item alone, so claims do not depend on the order of the crawl.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Final

from collector.records import GenreVote, Page, TrackObservation
from collector.sources.subjects import match_subjects
from genrebase.store import names

ANOTHER_GENRE: Final = "of another genre"
"""Why an item is set aside that lacks the requested genre: the search matched words of a name."""


def without_other_genres(page: Page, genre: str) -> Page:
    """Return the page without the items that lack the requested genre; each is a reject reason."""
    key = names.normalise(genre)
    kept = tuple(
        item
        for item in page.items
        if item.genres is None or any(names.normalise(one.name) == key for one in item.genres)
    )
    listed = tuple(item for item in page.listed if match_subjects(item.subjects, [genre]).genres)
    n_others = len(page.items) - len(kept) + len(page.listed) - len(listed)
    if not n_others:
        return page
    return replace(
        page,
        items=kept,
        listed=listed,
        reject_reasons=page.reject_reasons + (ANOTHER_GENRE,) * n_others,
    )


def observations(
    page: Page, genre: str, first_rank: int, collected: Mapping[str, str]
) -> Iterator[TrackObservation]:
    """Yield the sightings of a page of the requested genre.

    `collected` has the genres of the database, by their normalised names: an item with votes
    counts for each of its genres among them. Positions start at `first_rank`.
    """
    by_name = {**collected, names.normalise(genre): genre}
    for item in page.items:
        if item.genres is None:
            yield TrackObservation(item.track, genre, first_rank + item.position)
            continue
        for vote, rank in ranked(item.genres):
            name = by_name.get(names.normalise(vote.name))
            if name is not None:
                yield TrackObservation(item.track, name, rank, votes=vote.votes, level=vote.level)


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
