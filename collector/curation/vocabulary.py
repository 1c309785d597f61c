"""Vocabularies of genres: import one from a source or a file, and compare a name with it."""

from collections.abc import Iterable
from difflib import get_close_matches
from typing import Final

from collector.catalogue import vocabulary
from collector.datasets.parsing import genre_names
from genrebase.counts import agree, counted
from genrebase.errors import NothingToDo
from genrebase.store import source_ids
from genrebase.store.bulk import exclusive_transaction
from genrebase.store.engine import Engine, read_transaction

MAX_NAMES: Final = 100_000
"""Maximum names of a vocabulary: a longer list is none."""
_MAX_SUGGESTIONS: Final = 3


def replace(engine: Engine, source: str, listed: Iterable[str]) -> list[str]:
    """Replace a source's vocabulary; return its names, in small letters and in order.

    Raises `NothingToDo` if it names no genre, or too many to be a vocabulary.
    """
    names = sorted({name for name in map(genre_names.fold_name, listed) if name})
    if not 0 < len(names) <= MAX_NAMES:
        raise NothingToDo(
            f"{counted(len(names), 'genre')} {agree(len(names), 'is', 'are')} no vocabulary: it "
            f"has 1 to {counted(MAX_NAMES, 'name')}."
        )
    with exclusive_transaction(engine) as connection:
        vocabulary.replace(connection, source, names)
    return names


def hint(engine: Engine, name: str) -> str | None:
    """Return a sentence for a name that is not in MusicBrainz' list of genres, None if it is.

    A name outside of the list can be searched for: tags are free. None, too, without the list.
    """
    with read_transaction(engine) as connection:
        known = vocabulary.names(connection, source_ids.MUSICBRAINZ)
    folded = genre_names.fold_name(name)
    if not known or folded in known:
        return None
    key = genre_names.comparison_key(folded)
    near = [one for one in known if genre_names.comparison_key(one) == key]
    near = near or get_close_matches(folded, known, n=_MAX_SUGGESTIONS, cutoff=0.7)
    nearest = f" The nearest names in it: {', '.join(map(repr, near))}." if near else ""
    return (
        f"{name!r} is not in MusicBrainz' list of genres: a search there finds it only as a tag "
        f"that people made up.{nearest}"
    )
