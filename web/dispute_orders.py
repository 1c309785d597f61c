"""The orders in which disputed labels are listed and labelled. Pure."""

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, Final

Dispute = Mapping[str, Any]
"""A row of `label_disputes`."""

LEARNS_MOST: Final = "learns_most"
BY_ROW: Final[Mapping[str, Callable[[Dispute], Any]]] = {
    "surest": lambda row: (-row["probability"], row["track_id"]),
    "also_seen": lambda row: (not row["also_seen"], -row["probability"], row["track_id"]),
    "closest": lambda row: (row["margin"], row["track_id"]),
}
"""Orders in which a dispute's place follows from its own row."""
ORDERS: Final[Mapping[str, str]] = {
    "surest": "The highest probability of the prediction comes first.",
    LEARNS_MOST: "Each artist's best dispute comes first, those first whose claim is probably "
    "wrong and whose pair of claim and prediction is frequent.",
    "also_seen": "Tracks that a source also gave the predicted genre come first.",
    "closest": "The smallest margin comes first.",
}
"""All orders, and what each means."""


def learns_most(
    disputes: Sequence[Dispute],
    pair_tracks: Mapping[tuple[str, str], int],
    judged_artists: Collection[str],
) -> list[Dispute]:
    """Return the disputes whose labels teach the most first.

    A dispute's value is the probability that its claim is wrong, times the number of disputes with
    the same claim and prediction (`pair_tracks`): one label says something about all of them.
    Tracks of one artist resemble each other, so each artist's best dispute comes before any
    artist's second one, and an artist of `judged_artists` counts as having had a turn.
    """

    def value(row: Dispute) -> float:
        is_wrong = 1 - (row["claim_probability"] or 0.0)
        return float(is_wrong * pair_tracks.get((row["claim"], row["genre"]), 1))

    ordered = sorted(disputes, key=lambda row: (-value(row), row["track_id"]))
    turns: Counter[str] = Counter(dict.fromkeys(judged_artists, 1))
    places = []
    for row in ordered:
        artist = primary_artist(row)
        places.append((turns[artist], -value(row), row["track_id"]))
        turns[artist] += 1
    return [row for _place, row in sorted(zip(places, ordered, strict=True), key=lambda p: p[0])]


def primary_artist(row: Dispute) -> str:
    """Return the first of the row's artists."""
    return str(row["artists"] or "").partition("; ")[0]
