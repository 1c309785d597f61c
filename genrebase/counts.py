"""Numbers of things in messages."""


def counted(count: int, noun: str, plural: str | None = None) -> str:
    """Return a count with its noun: `1 track`, `2,000 tracks`; `plural` where it is irregular.

    A phrase with `with` has its noun before: `2 tracks with features`.
    """
    if plural is None:
        first, space, rest = noun.partition(" with ")
        plural = f"{first}s{space}{rest}"
    return f"{count:,} {noun if count == 1 else plural}"


def agree(count: int, singular: str, plural: str) -> str:
    """Return the form of a verb or pronoun that agrees with a count: `is` or `are`."""
    return singular if count == 1 else plural


def join_counts(*counts: tuple[int, str]) -> str:
    """Return counts with their nouns, without those that are zero; the first one if all are.

    `((5, "new track"), (0, "duplicate"))` becomes `5 new tracks`.
    """
    return ", ".join(counted(*one) for one in counts if one[0]) or counted(*counts[0])
