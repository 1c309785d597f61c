"""The genres of a page's items, and the rank of each. Pure.

A source without votes (Spotify) returns items for the requested genre: the rank is the position
in the results. A source with votes names all genres of an item: the rank of a genre is its place
among them. It depends on the item alone, so claims do not depend on the order of the crawl.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace

from collector.records import Page, TrackObservation
from collector.sources.genre_ranks import ranked
from collector.sources.item_fields import RejectReason
from collector.sources.subject_genres import match_subjects
from genrebase.store import names


def without_other_genres(page: Page, genre: str) -> Page:
    """Return the page without items that lack the requested genre, each with a reject reason.

    The search matched words of a name.
    """
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
        reject_reasons=page.reject_reasons + (RejectReason.OTHER_GENRE.value,) * n_others,
    )


def observations(
    page: Page,
    genre: str,
    first_rank: int,
    collected: Mapping[str, str],
    playlist: str | None = None,
) -> Iterator[TrackObservation]:
    """Yield the sightings of a page of the requested genre.

    `collected` has the genres of the database, by their normalised names: an item with votes
    counts for each of its genres among them. Positions start at `first_rank`. `playlist`: what
    the page is of; None: a search.
    """
    by_name = {**collected, names.normalise(genre): genre}
    for item in page.items:
        if item.genres is None:
            rank = first_rank + item.position
            yield TrackObservation(item.track, genre, rank, playlist=playlist)
            continue
        for vote, rank in ranked(item.genres):
            name = by_name.get(names.normalise(vote.name))
            if name is not None:
                yield TrackObservation(item.track, name, rank, votes=vote.votes, level=vote.level)
