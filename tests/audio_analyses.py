"""Audio analyses of tracks, section by section, for tests."""

from collections.abc import Sequence

import numpy as np
from sqlalchemy import Connection

from collector.catalogue import analysis_queue
from genrebase.audio import segment_timbre
from genrebase.audio.analysis import TrackAnalysis, build_analysis
from genrebase.audio.harmony import DetectedSection, TrackKey
from tests.fakes import NOON


def analysis(
    keys: Sequence[int | None] = (0, 7, 0, 5),
    *,
    tonic: int | None = 0,
    mode: int = 1,
    sure: float = 1.0,
    steps: int = 3,
) -> TrackAnalysis:
    """Sections of 10 s in these keys, all as sure; segments of one second that are all alike."""
    analysed = [
        DetectedSection(10.0 * number, 10.0, 1.0, key, mode, sure, 1.0, 120.0, 1.0, -8.0)
        for number, key in enumerate(keys)
    ]
    sounds = np.full((steps, segment_timbre.N_CHANNELS), 0.5)
    sounds[:, segment_timbre.DURATION] = 1.0
    return build_analysis(TrackKey(tonic, mode, 1.0, 1.0, 120.0), analysed, sounds)


def add_analysis(
    connection: Connection,
    track_id: int,
    keys: Sequence[int | None] = (0, 7, 0, 5),
    *,
    provider: str = "spotify",
    tonic: int | None = 0,
    mode: int = 1,
    sure: float = 1.0,
    steps: int = 3,
) -> None:
    """Store such an analysis."""
    made = analysis(keys, tonic=tonic, mode=mode, sure=sure, steps=steps)
    analysis_queue.store_analysis(connection, track_id, provider, made, NOON)
