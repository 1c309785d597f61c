"""The training data do not depend on the order in which the tracks were crawled."""

import random
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from sqlalchemy import Engine

from classifier.data import dataset
from classifier.data.training_data import split_dataset
from classifier.training_config import TrainingConfig
from collector.catalogue import tracks
from collector.records import ArtistCredit, Provenance, SourceTrack, TrackObservation
from genrebase.store import connect
from genrebase.store.engine import transaction
from tests.fakes import NOON

GENRES = ("blues", "metal", "techno")
PAGE = 25


def pages() -> list[list[TrackObservation]]:
    """Return the search results of three genres; every other track is in two of them."""
    drawn = random.Random(4)
    source_tracks = [
        SourceTrack(
            "spotify", f"id {number}", f"Song {number}", (ArtistCredit(f"A {number % 90}"),)
        )
        for number in range(300)
    ]
    page_rows = []
    for place, genre in enumerate(GENRES):
        own = [
            one
            for number, one in enumerate(source_tracks)
            if number % 3 == place or drawn.random() < 0.3
        ]
        drawn.shuffle(own)
        ranked = [
            TrackObservation(one, genre, rank // 2) for rank, one in enumerate(own)
        ]  # ties among them
        page_rows += [ranked[start : start + PAGE] for start in range(0, len(ranked), PAGE)]
    return page_rows


def crawled(
    engine: Engine, page_rows: Sequence[Sequence[TrackObservation]]
) -> dict[str, tuple[str, str, bool]]:
    """Record page by page; return label, split and training membership per title."""
    for page in page_rows:
        with transaction(engine) as connection:
            tracks.record(connection, list(page), Provenance("spotify", None), NOON)
    selection = split_dataset(dataset.load_dataset(engine), TrainingConfig())
    rows = zip(
        selection.tracks["title"],
        selection.labels,
        selection.sides,
        selection.train_mask,
        strict=True,
    )
    return {title: (label, side, learned) for title, label, side, learned in rows}


def first_come(page_rows: Sequence[Sequence[TrackObservation]]) -> dict[str, str | None]:
    """Return the labels that the first sighting of each track would give."""
    came: dict[str, str | None] = {}
    for page in page_rows:
        for seen in page:
            came.setdefault(seen.track.title, seen.genre)
    return came


@pytest.fixture
def engines(migrated_sqlite: Path, tmp_path: Path) -> Iterator[list[Engine]]:
    made = []
    for name in ("one.db", "other.db"):
        shutil.copy(migrated_sqlite, tmp_path / name)
        made.append(connect(f"sqlite:///{tmp_path / name}"))
    yield made
    for engine in made:
        engine.dispose()


def test_the_crawl_order_does_not_change_training_labels(engines: list[Engine]) -> None:
    """Labels and training tracks are equal; "first come" would change one label in ten."""
    page_rows = pages()
    again = list(page_rows)
    random.Random(9).shuffle(again)
    one, other = crawled(engines[0], page_rows), crawled(engines[1], again)
    assert one == other
    assert {label for label, _, _ in one.values()} == set(GENRES)
    first, second = first_come(page_rows), first_come(again)
    assert sum(genre != second[title] for title, genre in first.items()) > len(first) / 10
