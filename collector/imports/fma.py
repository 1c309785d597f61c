"""Import FMA's published tables: tracks with their genres and split, the genre tree, features."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Final, TypeVar

from collector.catalogue import audio_files, import_progress, mappings, tracks
from collector.datasets import fma, reader
from collector.datasets.fma import FmaTrack
from collector.datasets.rows import RowRejection
from collector.imports.dataset import ImportResult, refuse_synthetic_catalogue
from collector.records import Provenance, RecordResult, TrackObservation
from genrebase.audio import packed_vectors
from genrebase.errors import UserError
from genrebase.progress import ProgressCallback
from genrebase.runtime.clock import Clock
from genrebase.runtime.jobs import job_run
from genrebase.store.engine import Engine, transaction

JOB: Final = "import"
BATCH_ROWS: Final = 2_000
"""Rows of one transaction; each brings a handful of genres, or 518 values."""
PROVENANCE: Final = Provenance(origin=fma.SOURCE, provider=None)

_Item = TypeVar("_Item")


def import_fma(
    engine: Engine,
    folder: Path,
    clock: Clock,
    advance: ProgressCallback,
    *,
    subset: str = "full",
    stop_requested: Callable[[], bool] = lambda: False,
) -> ImportResult:
    """Import `tracks.csv`, `genres.csv` and, where it is there, `features.csv` of a folder.

    `subset` is `small`, `medium`, `large` or `full`. Raises `NotFma` or `UserError` before anything
    is written. Doing it again, or again after a kill, does no harm.
    """
    if subset not in fma.SUBSETS:
        raise UserError(f"There is no subset {subset!r} of FMA: {', '.join(fma.SUBSETS)}.")
    refuse_synthetic_catalogue(engine)
    known = fma.read_genre_tree(folder / fma.GENRES_FILE)
    path = folder / fma.FEATURES_FILE
    features = fma.FmaFeatures(path) if path.is_file() else None
    began = clock.monotonic()
    with job_run(engine, clock, JOB) as run:
        importing = _Importing(engine, clock, folder, subset, known, advance, stop_requested)
        found = importing.tracks()
        if features is not None and found.stopped == "done":
            found = importing.features(features, found)
        run.set_facts(file=str(folder), rows=found.rows, tracks_new=found.tracks_new)
        if found.stopped == "interrupted":
            run.set_outcome("interrupted")
    seconds = clock.monotonic() - began
    rate = round(found.rows / seconds, 1) if seconds > 0 else 0.0
    return replace(found, seconds=round(seconds, 3), rows_per_second=rate)


class _Importing:
    """One import under way."""

    def __init__(
        self,
        engine: Engine,
        clock: Clock,
        folder: Path,
        subset: str,
        known: fma.GenreTree,
        advance: ProgressCallback,
        stop_requested: Callable[[], bool],
    ) -> None:
        self._engine, self._clock, self._folder = engine, clock, folder
        self._subset, self._known = subset, known
        self._advance, self._stop_requested = advance, stop_requested
        digest = reader.file_digest(folder / fma.TRACKS_FILE)
        digest.update(b"\0" + subset.encode())
        self._sha256 = digest.hexdigest()

    def tracks(self) -> ImportResult:
        """Import the tracks, batch by batch."""
        rejected: Counter[str] = Counter()
        genres: set[str] = set()
        total, rows, unlabelled, stopped = RecordResult(), 0, 0, False
        year = self._clock.now().year + 1
        found = fma.read_tracks(self._folder / fma.TRACKS_FILE, self._known, year)
        for batch in _batches(self._wanted(found)):
            if stopped := self._stop_requested():
                break
            usable = [
                (rows + place, one)
                for place, one in enumerate(batch, 1)
                if isinstance(one, FmaTrack)
            ]
            total += self._record(usable, rows + len(batch))
            rows += len(batch)
            rejected.update(one for one in batch if isinstance(one, RowRejection))
            genres.update(name for _, one in usable for name in one.genres)
            unlabelled += sum(not one.genres for _, one in usable)
            self._advance(rows)
        if not stopped:
            with transaction(self._engine) as connection:
                import_progress.mark_finished(connection, self._sha256, self._clock.now())
        return ImportResult(
            rows=rows,
            tracks_new=total.tracks_new,
            duplicates=rows - rejected.total() - total.tracks_new,
            rejected=rejected.total(),
            reasons={str(reason): n for reason, n in sorted(rejected.items())},
            unlabelled=unlabelled,
            genres=len(genres),
            seconds=0.0,
            rows_per_second=0.0,
            unreadable={},
            claims_moved=0,
            similar_genres=[],
            stopped="interrupted" if stopped else "done",
        )

    def _wanted(
        self, found: Iterator[FmaTrack | RowRejection]
    ) -> Iterator[FmaTrack | RowRejection]:
        for one in found:
            if isinstance(one, RowRejection) or fma.is_in_subset(self._subset, one):
                yield one

    def _record(self, usable: Sequence[tuple[int, FmaTrack]], last: int) -> RecordResult:
        with transaction(self._engine) as connection:
            counted = import_progress.lock_rows_done(connection, self._sha256, fma.TRACKS_FILE)
            mappings.add_missing(connection, fma.SOURCE, self._known.broad_of)
            seen = [
                TrackObservation(one.track, genre, min(place, 1), row > counted)
                for row, one in usable
                for place, genre in enumerate(one.genres or [None])
            ]
            recorded = tracks.record(connection, seen, PROVENANCE, self._clock.now())
            import_progress.set_rows_done(connection, self._sha256, last)
        return recorded

    def features(self, features: fma.FmaFeatures, found: ImportResult) -> ImportResult:
        """Import the features of tracks that are there, batch by batch."""
        described = 0
        with transaction(self._engine) as connection:
            audio_files.register_schema(connection, features.schema, features.columns)
        for batch in _batches(features.rows()):
            if self._stop_requested():
                return replace(found, described=described, stopped="interrupted")
            packed = {track_id: packed_vectors.pack(values) for track_id, values in batch}
            with transaction(self._engine) as connection:
                ids = audio_files.track_ids(connection, fma.SOURCE, list(packed))
                rows = {ids[one]: data for one, data in packed.items() if one in ids}
                now = self._clock.now()
                audio_files.store_descriptors(connection, rows, fma.SOURCE, features.schema, now)
            described += sum(one in ids for one in packed)
            self._advance(found.rows, note=f"{described:,} with features")
        return replace(found, described=described)


def _batches(items: Iterator[_Item]) -> Iterator[list[_Item]]:
    while batch := list(islice(items, BATCH_ROWS)):
        yield batch
