"""`cnn`: the order of events, from spectrograms and from segments."""

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from sqlalchemy import Engine, insert, select

import classifier
from classifier import estimators
from classifier.data import audio_joins, dataset, rows_to_predict
from classifier.data.raw_dataset import RawDataset
from classifier.data.training_data import SplitDataset
from classifier.data.training_data import split_dataset as selected
from classifier.errors import BadTrainingConfig
from classifier.features.audio import descriptor_column
from classifier.features.sequences import CHANNELS
from classifier.training import train
from classifier.training_config import DEFAULT_FEATURE_GROUPS, TrainingConfig
from genrebase.audio import packed_matrices
from genrebase.store import tables
from genrebase.store.engine import transaction
from tests.fakes import FakeClock
from tests.synthetic_music import Music

pytestmark = pytest.mark.deep

GENRES = ("falling", "rising")
QUICK: dict[str, Any] = {
    "n_networks": 1,
    "epochs": 12,
    "filters": [16, 16, 24],
    "fusion_units": 32,
}


def notes(genre: str, kind: str, random: np.random.Generator) -> NDArray[np.float64]:
    """Return triples of rising notes, each from any pitch; falling ones are the same reversed."""
    channels = CHANNELS[kind]
    displayed = []
    for _ in range(int(random.integers(8, 14))):
        lowest = int(random.integers(channels - 10))
        for step in range(3):
            note = np.zeros((4, channels))
            note[:, lowest + 3 * step] = 20.0
            displayed.append(note)
    rising = np.concatenate(displayed) - 60
    played = rising if genre == "rising" else rising[::-1]
    return played + random.normal(0, 2, played.shape)


def music(kind: str) -> RawDataset:
    """Return tracks of two genres with the same notes and loudness, in a different order."""
    snapshot = Music(genres=GENRES, artists=60, songs_each=8).snapshot()
    random = np.random.default_rng(1)
    analysed = [notes(genre, kind, random) for genre in snapshot.tracks["label"]]
    means = np.array([[one.mean(axis=0), one.std(axis=0)] for one in analysed])
    summaries = {
        descriptor_column("sum", f"{name}_{channel}"): means[:, place, channel]
        for place, name in enumerate(("mean", "deviation"))
        for channel in range(CHANNELS[kind])
    }
    packed = pd.Series([one.astype("<f2").tobytes() for one in analysed], dtype=object)
    licensed = {
        f"{part}_{column}": value
        for part in ("descriptors", kind)
        for column, value in (("provider", "audio"), ("licence", "cc0"))
    }
    tracks = pd.concat([snapshot.tracks, pd.DataFrame(summaries)], axis=1)
    tracks = tracks.assign(**{kind: packed}, **licensed)
    return replace(snapshot, tracks=tracks)


def accuracy(result: RawDataset, choice: TrainingConfig) -> float:
    selection = selected(result, choice)
    model = fitted(selection, choice)
    tested = selection.held_out("test")
    first = model.predict_proba(selection.tracks[tested]).argmax(axis=1)
    return float((model.classes_[first] == selection.labels[tested]).mean())


def fitted(selection: SplitDataset, choice: TrainingConfig) -> Any:
    learned = selection.train_mask
    model = estimators.build(choice, threads=1)
    return model.fit(selection.tracks[learned], selection.labels[learned], selection.validation())


@pytest.mark.parametrize("kind", CHANNELS)
def test_the_order_of_notes_is_classified(kind: str) -> None:
    """Summaries of a whole track are at chance; convolutions are not."""
    result = music(kind)
    summed = TrainingConfig(estimator="gradient_boosting", features=("descriptors",))
    assert accuracy(result, summed) < 0.65
    analysed = TrainingConfig(estimator="cnn", features=("matrices",), params=QUICK)
    assert accuracy(result, analysed) > 0.9


def test_a_track_without_a_matrix_is_predicted_by_its_numbers() -> None:
    """Half of the tracks have none."""
    result = music("logmel")
    odd = result.tracks["track_id"].to_numpy(dtype=np.int64) % 2 == 1
    tracks = result.tracks.assign(logmel=result.tracks["logmel"].where(odd, None))
    choice = TrainingConfig(estimator="cnn", features=("audio", "matrices"), params=QUICK)
    selection = selected(replace(result, tracks=tracks), choice)
    model = fitted(selection, choice)
    silent = selection.held_out("test") & selection.tracks["logmel"].isna().to_numpy()
    first = model.predict_proba(selection.tracks[silent]).argmax(axis=1)
    assert silent.sum() > 20
    assert (model.classes_[first] == selection.labels[silent]).mean() > 0.9


def store(engine: Engine) -> None:
    """Fill a database with tracks and the matrices that files of them would give."""
    Music(genres=GENRES, artists=30).fill(engine)
    random = np.random.default_rng(1)
    track, genre = tables.track, tables.genre
    with transaction(engine) as connection:
        query = select(track.c.id, genre.c.name).join(genre, genre.c.id == track.c.genre_id)
        packed = [
            (row.id, packed_matrices.pack("logmel", 1, notes(row.name, "logmel", random)))
            for row in connection.execute(query)
        ]
        rows = [
            {"track_id": number, "provider": "audio", "kind": one.kind, "version": one.version}
            | {"steps": one.steps, "channels": one.channels, "data": one.data}
            for number, one in packed
        ]
        connection.execute(insert(tables.sound_matrix), rows)


def test_the_cnn_uses_matrices_by_default(sqlite_engine: Engine, sqlite_url: str) -> None:
    """From the database, through the artifact; other estimators never read a matrix."""
    store(sqlite_engine)
    choice = audio_joins.resolve_features(
        sqlite_engine, TrainingConfig(estimator="cnn", params=QUICK, auto_features=True)
    )
    assert choice.features == (*DEFAULT_FEATURE_GROUPS, "matrices")
    other = audio_joins.resolve_features(
        sqlite_engine, TrainingConfig(estimator="mlp", auto_features=True)
    )
    assert "matrices" not in other.features
    assert "logmel" not in dataset.load_dataset(sqlite_engine, other).tracks.columns
    model = train.run(sqlite_engine, choice, FakeClock(), log=lambda _: None).model
    assert model.status == "champion"
    champion = classifier.champion(sqlite_url)
    rows = rows_to_predict.scoring_rows(sqlite_engine, np.arange(1, 9), choice)
    assert rows["logmel"].notna().all()
    shares = champion.predict_proba(rows)
    assert np.allclose(shares.sum(axis=1), 1)
    assert not np.allclose(shares, champion.predict_proba(rows.drop(columns="logmel")))


def test_missing_matrices_are_refused(sqlite_engine: Engine) -> None:
    """The message names what imports them, or an estimator that uses them."""
    Music(genres=GENRES, artists=30).fill(sqlite_engine)
    choice = TrainingConfig(estimator="cnn", features=("matrices",))
    with pytest.raises(BadTrainingConfig, match="import-audio"):
        train.run(sqlite_engine, choice, FakeClock(), log=lambda _: None)
    for name in ("blend", "logistic"):
        with pytest.raises(BadTrainingConfig, match="--features"):
            estimators.build(replace(choice, estimator=name), threads=1)
