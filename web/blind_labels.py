"""Labels on tracks that are drawn at random and shown without their answers.

Disputed labels are the suspicious ones: what share of them is wrong says nothing about the others.
Of tracks drawn at random it does.
"""

import math
from random import Random
from typing import Any, Final

from sqlalchemy import Connection, func, select

from genrebase.store import tables
from web.page_sections import Section, query

MAX_CHOICES: Final = 6
"""Genres that a blind label can be given by key."""
_DRAWS: Final = 100
"""Ids that are tried at once: some are of deleted tracks, or of tracks without a claim."""
_RATES: Final = """
SELECT c.name AS claim, count(*) AS tracks,
       sum(CASE WHEN v.genre_id <> t.genre_id THEN 1 ELSE 0 END) AS wrong
FROM verdict v JOIN track t ON t.id = v.track_id JOIN genre c ON c.id = t.genre_id
WHERE v.blind GROUP BY c.name ORDER BY count(*) DESC, c.name
"""
_Z: Final = 1.959963984540054
"""The normal distribution's quantile of 97.5%: the interval has 95%."""
_COLUMNS: Final = ("claim", "tracks", "wrong", "rate", "low", "high")


def draw(connection: Connection, random: Random) -> int | None:
    """Return a track with a claim, each with the same probability; None if hardly any has one.

    Ids are drawn until one is of such a track, so nothing is counted or read in order.
    """
    track = tables.track.c
    highest = connection.execute(select(func.max(track.id))).scalar()
    if highest is None:
        return None
    ids = [random.randint(1, highest) for _ in range(_DRAWS)]
    query_of_ids = select(track.id).where(track.id.in_(ids), track.genre_id.is_not(None))
    existing = set(connection.scalars(query_of_ids))
    return next((one for one in ids if one in existing), None)


def choices(names: list[str], likely: list[str], track_id: int) -> list[str]:
    """Return the genres to choose from, by name: the likely ones among others.

    `likely` are the claim and the predictions; the others are drawn by the track's id.
    """
    others = [name for name in names if name not in likely]
    missing = min(MAX_CHOICES - len(likely), len(others))
    return sorted({*likely, *Random(track_id).sample(others, max(missing, 0))})


def wrong_label_rates(connection: Connection) -> Section:
    """Return the rate of wrong claims among blind labels, over all genres and per claim.

    The first row is that of all genres, with NULL as its claim.
    """
    counts = query(connection, "wrong_labels", _RATES)
    rows: list[tuple[Any, ...]] = [
        (row["claim"], int(row["tracks"]), int(row["wrong"])) for row in counts.records
    ]
    if rows:
        rows.insert(0, (None, sum(row[1] for row in rows), sum(row[2] for row in rows)))
    return Section(
        "wrong_labels",
        _COLUMNS,
        tuple((*row, row[2] / row[1], *wilson_interval(row[2], row[1])) for row in rows),
        counts.sql,
    )


def wilson_interval(successes: int, trials: int) -> tuple[float, float]:
    """Return Wilson's interval (1927) of 95% for a share, 0 to 1, of `trials` (at least 1)."""
    share = successes / trials
    weight = _Z**2 / trials
    center = share + weight / 2
    half = _Z * math.sqrt((share * (1 - share) + weight / 4) / trials)
    low, high = (center - half) / (1 + weight), (center + half) / (1 + weight)
    return max(low, 0.0), min(high, 1.0)
