"""Search for recordings as MusicBrainz' search server does it: tokenised tags, unstable ties."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from sandbox import ids
from sandbox.tracks.lucene import (
    Condition,
    Group,
    LuceneSyntaxError,
    Occurrence,
    Range,
    Term,
    parse,
)
from sandbox.tracks.recordings import RecordingCatalogue, SandboxRecording

Mask = NDArray[np.bool_]
Numbers = NDArray[np.intp]

QUERY_CACHE_SIZE: Final = 512
_WORD: Final = re.compile(r"\w+")
_DATE: Final = re.compile(r"(\d{4})(?:-(\d{1,2})(?:-(\d{1,2}))?)?", re.ASCII)
_MAX_SCORE: Final = 100
_SCORE_STEP: Final = 7
"""A recording with more tags has a lower score."""
_WOBBLE: Final = 100
"""The count is wrong by up to one in so many."""


@dataclass(frozen=True, slots=True)
class SearchHits:
    """A page of a search."""

    count: int
    """Of all hits, as the server gives it: about right."""
    recordings: Sequence[tuple[SandboxRecording, int]]
    """Recordings and their scores, 0 to 100."""


class RecordingSearch:
    """Finds recordings by Lucene queries."""

    def __init__(self, catalogue: RecordingCatalogue, tie_shift: int) -> None:
        """Move a hit by up to `tie_shift` places among those of its score, on every page anew."""
        self._catalogue, self._tie_shift = catalogue, tie_shift
        self._hits = lru_cache(maxsize=QUERY_CACHE_SIZE)(self._find_hits)
        self._named = lru_cache(maxsize=QUERY_CACHE_SIZE)(self._find_tagged)

    def page(self, query: str, offset: int, limit: int) -> SearchHits:
        """Return a page; equal requests get equal responses. Raise `LuceneSyntaxError`."""
        hits = self._hits(query)
        draws = ids.draws_from_text(f"{offset} {query}", 8)
        random = np.random.default_rng(int.from_bytes(draws, "big"))
        places = np.arange(len(hits), dtype=float)
        if self._tie_shift:
            places += random.uniform(-self._tie_shift, self._tie_shift, len(hits))
        order = np.lexsort((places, -self._scores[hits]))
        numbers = hits[order][offset : offset + limit]
        wobble = -(-len(hits) // _WOBBLE)
        count = len(hits) + int(random.integers(-wobble, wobble + 1)) if len(hits) else 0
        recordings = self._catalogue.recordings
        return SearchHits(
            max(0, count), [(recordings[at], int(self._scores[at])) for at in numbers]
        )

    @property
    def _n(self) -> int:
        return len(self._catalogue.recordings)

    @cached_property
    def _scores(self) -> NDArray[np.int64]:
        n_tags = [len(recording.tags) for recording in self._catalogue.recordings]
        return _MAX_SCORE - _SCORE_STEP * np.clip(np.array(n_tags, dtype=np.int64) - 1, 0, 10)

    @cached_property
    def _by_tag(self) -> Mapping[str, Sequence[int]]:
        by_tag: dict[str, list[int]] = {}
        for number, recording in enumerate(self._catalogue.recordings):
            for name, _ in recording.tags:
                by_tag.setdefault(name, []).append(number)
        return by_tag

    @cached_property
    def _dates(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """First and last day of each recording's date, as YYYYMMDD; 0 where it has none."""
        days = [_days(recording.date) or (0, 0) for recording in self._catalogue.recordings]
        first, last = np.array(days, dtype=np.int64).reshape(-1, 2).T
        return first, last

    @cached_property
    def _videos(self) -> Mask:
        return np.array([recording.is_video for recording in self._catalogue.recordings], bool)

    def _find_hits(self, query: str) -> Numbers:
        group = parse(query)
        is_negative = all(c.occurrence is Occurrence.MUST_NOT for c in group.clauses)
        hits = ~self._any(group) if is_negative else self._evaluate(group)
        return np.flatnonzero(hits)

    def _any(self, group: Group) -> Mask:
        masks = [self._evaluate(clause.condition) for clause in group.clauses]
        hits: Mask = np.any(masks, axis=0)
        return hits

    def _evaluate(self, condition: Condition) -> Mask:
        if isinstance(condition, Term):
            return self._term(condition)
        if isinstance(condition, Range):
            return self._range(condition)
        masks: dict[Occurrence, list[Mask]] = {occurrence: [] for occurrence in Occurrence}
        for clause in condition.clauses:
            masks[clause.occurrence].append(self._evaluate(clause.condition))
        required, possible = masks[Occurrence.MUST], masks[Occurrence.SHOULD]
        # Conditions that only exclude find nothing, except as a whole query.
        hits = np.zeros(self._n, bool)
        if required:
            hits = np.all(required, axis=0)
        elif possible:
            hits = np.any(possible, axis=0)
        for excluded in masks[Occurrence.MUST_NOT]:
            hits = hits & ~excluded
        return hits

    def _term(self, term: Term) -> Mask:
        match term.field:
            case "tag":
                return self._named(tuple(_words(term.text)), term.is_phrase)
            case "firstreleasedate":
                return self._range(Range(term.field, term.text, term.text))
            case "video" if term.text.lower() in {"true", "false"}:
                return self._videos if term.text.lower() == "true" else ~self._videos
            case "isrc":
                return self._mask(self._catalogue.by_isrc.get(term.text.upper(), ()))
            case "arid":
                return self._mask(self._catalogue.by_artist.get(term.text.lower(), ()))
        raise LuceneSyntaxError(f"{term.field}:{term.text} is outside of the subset")

    def _find_tagged(self, words: tuple[str, ...], is_phrase: bool) -> Mask:
        """Find recordings with a tag that has the words in a row, or any of them."""
        numbers: set[int] = set()
        for name, tagged in self._by_tag.items():
            name_words = tuple(_words(name))
            starts = range(len(name_words) - len(words) + 1)
            if (
                any(name_words[at : at + len(words)] == words for at in starts)
                if is_phrase
                else not {*words}.isdisjoint(name_words)
            ):
                numbers.update(tagged)
        return self._mask(sorted(numbers) if words else ())

    def _range(self, wanted: Range) -> Mask:
        if wanted.field != "firstreleasedate":
            raise LuceneSyntaxError(f"a range of {wanted.field} is outside of the subset")
        first, last = self._dates
        hits: Mask = first > 0
        if wanted.low is not None:
            hits = hits & (last >= _days_or_error(wanted.low)[0])
        if wanted.high is not None:
            hits = hits & (first <= _days_or_error(wanted.high)[1])
        return hits

    def _mask(self, numbers: Any) -> Mask:
        mask = np.zeros(self._n, bool)
        mask[np.array(numbers, dtype=np.intp)] = True
        return mask


def _words(text: str) -> list[str]:
    return _WORD.findall(text.lower().replace("_", " "))


def _days(text: str) -> tuple[int, int] | None:
    """Return first and last day of a date of any precision, as YYYYMMDD; None if it is none."""
    match = _DATE.fullmatch(text)
    if match is None:
        return None
    year, month, day = (int(part) if part else None for part in match.groups())
    if not 1 <= (month or 1) <= 12 or not 1 <= (day or 1) <= 31:
        return None
    start = (year or 0) * 10_000
    return start + (month or 1) * 100 + (day or 1), start + (month or 12) * 100 + (day or 31)


def _days_or_error(text: str) -> tuple[int, int]:
    days = _days(text)
    if days is None:
        raise LuceneSyntaxError(f"{text!r} is no date")
    return days
