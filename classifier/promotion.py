"""Who becomes champion. Decided on validation tracks alone; the test sides are only reported."""

from collections.abc import Mapping
from typing import Final

from classifier.records import Comparison, Decision

TOLERANCE: Final = 0.005
"""A lower bound of the difference above minus this counts as "not worse"."""
GROWTH: Final = 1.05
"""Trained on so many times the rows, an equal model is still the better one to have."""

Comparisons = Mapping[str, Comparison | None]
"""Per regime; None where there were too few validation tracks to tell."""


def first(against_baseline: Comparisons) -> Decision:
    """Decide on a candidate that meets no champion: it must beat always naming one genre."""
    told = {regime: found for regime, found in against_baseline.items() if found is not None}
    if not told:
        return Decision("rejected", "There are too few validation tracks to tell what it can.")
    for regime, found in told.items():
        if found.interval.low > 0:
            return Decision(
                "champion",
                f"First of its task; beats the majority baseline for {_named(regime)} "
                f"({_signed(found)}).",
            )
    shown = "; ".join(f"{_named(regime)} {_signed(found)}" for regime, found in told.items())
    return Decision("rejected", f"Does not beat always naming the commonest genre: {shown}.")


def challenge(
    against_champion: Comparisons,
    *,
    champion_id: int,
    rows: int,
    champion_rows: int,
    new_genres: int,
) -> Decision:
    """Decide on a candidate against the champion, both on the same validation tracks.

    It must not be worse in either regime, and better in one, or know more: at least 5% more
    rows, or genres the champion has not.
    """
    told = {regime: found for regime, found in against_champion.items() if found is not None}
    if not told:
        return Decision("rejected", "There are too few validation tracks to compare it on.")
    for regime, found in told.items():
        if found.interval.low <= -TOLERANCE:
            return Decision(
                "rejected",
                f"May be worse than model {champion_id} for {_named(regime)}: {_signed(found)}.",
            )
    for regime, found in told.items():
        if found.interval.low > 0:
            return Decision(
                "champion",
                f"Better than model {champion_id} for {_named(regime)}: {_signed(found)}.",
            )
    if new_genres:
        return Decision(
            "champion", f"Not worse than model {champion_id}, and knows {new_genres} more genres."
        )
    if rows >= champion_rows * GROWTH:
        return Decision(
            "champion",
            f"Not worse than model {champion_id}, and learned from {rows:,} tracks "
            f"instead of {champion_rows:,}.",
        )
    return Decision(
        "rejected",
        f"Neither better than model {champion_id} nor trained on at least 5% more tracks.",
    )


def _named(regime: str) -> str:
    return {"seen_artist": "artists it knows", "new_artist": "new artists"}.get(regime, regime)


def _signed(found: Comparison) -> str:
    interval = found.interval
    return (
        f"{found.difference:+.3f} accuracy, 95% interval {interval.low:+.3f} to "
        f"{interval.high:+.3f} on {found.n:,} validation tracks"
    )
