"""Synthetic audio analyses in bulk, for `benchmarks.views`."""

import random
from collections.abc import Iterator
from operator import attrgetter
from typing import Any

import numpy as np
from sqlalchemy import Table

from genrebase.audio import segment_timbre
from genrebase.audio.analysis import TrackAnalysis, build_analysis
from genrebase.audio.harmony import DetectedSection, TrackKey
from genrebase.store import tables

N_DISTINCT = 2_000
"""Distinct analyses, which are repeated over the tracks."""
KEYS = (0, 0, 0, 7, 7, 5, 5, 9, 2, 10, 3, 8)
"""Degrees; common ones are repeated."""
STEPS = 300


def rows_of(
    numbers: random.Random, tracks: int, moment: Any
) -> Iterator[tuple[Table, tuple[str, ...], Any]]:
    """Yield (table, columns, rows): about ten sections a track, and a short matrix."""
    analyses = [invented(numbers) for _ in range(N_DISTINCT)]
    ids = [(number, "spotify") for number in range(1, tracks + 1)]
    for table, parts in (
        (tables.section, attrgetter("sections")),
        (tables.progression, attrgetter("progressions")),
        (tables.sound_matrix, attrgetter("matrices")),
    ):
        columns = tuple(one.name for one in table.columns if one.name != "file_sha256")
        values = attrgetter(*columns[2:])
        rows = [[values(part) for part in parts(analysis)] for analysis in analyses]
        yield (
            table,
            columns,
            ((*key, *row) for number, key in enumerate(ids) for row in rows[number % N_DISTINCT]),
        )
    summaries = [summary(analysis) for analysis in analyses]
    yield (
        tables.sound_summary,
        tuple(tables.sound_summary.columns.keys()),
        ((*key, *summaries[number % N_DISTINCT], moment) for number, key in enumerate(ids)),
    )


def invented(numbers: random.Random) -> TrackAnalysis:
    """Return an analysis of a track in C with six to fourteen sections."""
    sections = [
        DetectedSection(20.0 * place, 20.0, 1.0, numbers.choice(KEYS), int(numbers.random() < 0.7),
              numbers.random(), 0.5, 120.0, 0.5, -8.0)
        for place in range(numbers.randint(6, 14))
    ]  # fmt: skip
    segment_array = np.random.default_rng(numbers.randint(0, 10**9)).random(
        (STEPS, segment_timbre.N_CHANNELS)
    )
    return build_analysis(TrackKey(0, 1, 0.8, 0.8, 120.0), sections, segment_array)


def summary(analysis: TrackAnalysis) -> tuple[Any, ...]:
    """Return the columns of `sound_summary` without its keys and its timestamp."""
    harmony, timbre = analysis.harmony, analysis.timbre
    assert harmony.shares is not None
    assert timbre is not None
    return (
        0, 1, 0.8, 0.8, harmony.sections, *harmony.shares, harmony.minor_share,
        harmony.repeated_share, harmony.single_share, harmony.degrees, harmony.degree_changes,
        harmony.numerals, timbre.segments, *timbre.timbre_means, *timbre.timbre_deviations,
        *timbre.pitch_means, *timbre.pitch_deviations,
    )  # fmt: skip
