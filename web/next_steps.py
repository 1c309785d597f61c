"""What to do next: a pure function from facts to an ordered list of suggestions."""

import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote

from genrebase.counts import counted

MAX_ELSEWHERE: Final = 0.4
"""From this share of its sightings on that count for other genres, a genre's query looks wrong."""
MAX_GROWTH: Final = 0.2
"""From this growth of the labelled tracks on, a champion is old."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What the suggestions follow from."""

    failed_job: str | None = None
    """The job whose last run failed, and its error."""
    error: str | None = None
    blocked_source: str | None = None
    blocked_until: str | None = None
    blocked_reason: str | None = None
    wrong_queries: Sequence[tuple[str, float]] = ()
    """Genres with the share of their sightings that count for other genres."""
    disputes: int = 0
    verdicts: int = 0
    tracks: int = 0
    without_features: int = 0
    champion: int | None = None
    growth: float = 0.0
    """Labelled tracks since the champion's training, as a share of those then."""
    has_learning_curve: bool = False
    missing: int = 0
    """Tracks missing to the targets of genres whose searches are all read."""
    exhausted: Sequence[tuple[str, int]] = ()
    """Those genres, with their tracks."""


@dataclass(frozen=True, slots=True)
class Suggestion:
    """One thing to do, why, and where."""

    title: str
    reason: str
    link: str = ""
    command: str = ""


def next_steps(facts: Facts) -> list[Suggestion]:
    """Return what to do, the most urgent first; one suggestion if there is nothing."""
    steps = list(_steps(facts))
    return steps or [Suggestion("Nothing to do", "All is well.")]


def _steps(facts: Facts) -> Iterator[Suggestion]:
    yield from _what_failed(facts)
    if facts.tracks:
        yield from _about_labels(facts)
        yield from _about_models(facts)
        yield from _about_targets(facts)
    else:
        yield Suggestion(
            "Add genres, and harvest them",
            "The database has no tracks. Tables can be imported, too: `collector import FILE`.",
            command='collector genres add "rock" --target 1000',
        )


def _what_failed(facts: Facts) -> Iterator[Suggestion]:
    if facts.failed_job:
        yield Suggestion(
            f"See why {facts.failed_job} failed", facts.error or "It gave no reason.", "/jobs"
        )
    if facts.blocked_source:
        reason = f" ({facts.blocked_reason})" if facts.blocked_reason else ""
        yield Suggestion(
            f"Wait: {facts.blocked_source} blocks requests",
            f"Until {facts.blocked_until}{reason}. The harvest continues by itself.",
            "/jobs",
        )


def _about_labels(facts: Facts) -> Iterator[Suggestion]:
    for genre, share in facts.wrong_queries[:1]:
        yield Suggestion(
            f"Check the query of {genre}",
            f"{share:.0%} of its sightings count for other genres.",
            f"/genres/{quote(genre, safe='')}",
        )
    if facts.disputes:
        given = "" if facts.verdicts else " Nobody has labelled a track yet."
        yield Suggestion(
            f"Settle {counted(facts.disputes, 'disputed label')}",
            f"The champion predicts another genre, with at least 50 %.{given}",
            "/disputes",
        )
    if facts.without_features:
        yield Suggestion(
            "Fetch audio features",
            f"{counted(facts.without_features, 'track')} have none, and not all were requested.",
            command="collector enrich",
        )


def _about_models(facts: Facts) -> Iterator[Suggestion]:
    if facts.champion is None:
        yield Suggestion(
            "Train a first model", "No model predicts yet.", command="classifier train"
        )
    elif facts.growth >= MAX_GROWTH:
        yield Suggestion(
            "Train again",
            f"There are {facts.growth:.0%} more labelled tracks than at the last training.",
            command="classifier train",
        )
    if facts.champion is not None and not facts.has_learning_curve:
        yield Suggestion(
            "Find out which genres would gain from more tracks",
            "No learning curve was computed yet.",
            command="classifier learning-curve",
        )


def _about_targets(facts: Facts) -> Iterator[Suggestion]:
    if facts.missing:
        genre, tracks = facts.exhausted[0]
        yield Suggestion(
            f"Look for {counted(facts.missing, 'track')} elsewhere",
            f"All searches of {counted(len(facts.exhausted), 'genre')} are read. Add a source or "
            "a playlist, or lower the target.",
            command=f"collector genres target {shlex.quote(genre)} {tracks}",
        )
