"""Training and scoring rows are read by ranges, as Arrow batches: the same as all at once."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sqlalchemy import Engine, select, update

from classifier.data import (
    artist_sample,
    dataframes,
    dataset,
    regimes,
    rows_to_predict,
    training_data,
)
from classifier.data.raw_dataset import RawDataset
from classifier.registry import stored_models
from classifier.serving import batch_predict
from classifier.training import train
from classifier.training.fingerprint import data_fingerprint
from classifier.training_config import TrainingConfig
from genrebase.store import tables, views
from genrebase.store.engine import read_transaction, transaction
from tests.fakes import FakeClock
from tests.filled_database import fill
from tests.synthetic_music import Music

LIMIT = 40
LIMITED = TrainingConfig(estimator="logistic", min_tracks=20, tracks_per_genre=LIMIT)


@pytest.fixture
def music(engine: Engine) -> Engine:
    Music(artists=90, guests=0.3).fill(engine)
    return engine


@pytest.fixture
def small_ranges(monkeypatch: pytest.MonkeyPatch) -> None:
    """Read in ranges and lists so small that there are many."""
    monkeypatch.setattr(dataframes, "RANGE_SIZE", 37)
    monkeypatch.setattr(dataframes, "LIST_SIZE", 7)


def assert_equal(one: RawDataset, other: RawDataset) -> None:
    for name in ("tracks", "credits", "sightings"):
        pd.testing.assert_frame_equal(getattr(one, name), getattr(other, name), check_exact=True)
    assert (one.genre_ids, one.origin, one.mappings) == (
        other.genre_ids,
        other.origin,
        other.mappings,
    )


def predictions(engine: Engine) -> list[tuple[Any, ...]]:
    row = tables.prediction.c
    columns = (row.track_id, row.rank, row.genre_id, row.probability, row.regime, row.in_training)
    with read_transaction(engine) as connection:
        query = select(*columns).order_by(row.track_id, row.rank)
        return [tuple(values) for values in connection.execute(query)]


@pytest.mark.parametrize("view", ["training_tracks", "scoring_tracks", "track_genre_sources"])
def test_both_readers_give_equal_frames(engine: Engine, view: str) -> None:
    """Values, missing values and dtypes: text, times, integers, booleans."""
    fill(engine)
    table = views.ALL[view].table
    query = select(*table.c).order_by(*list(table.c)[:4])
    with dataframes.few_rows(engine) as source:
        expected = source.frame(query)
    with dataframes.many_rows(engine) as source:
        pd.testing.assert_frame_equal(source.frame(query), expected, check_exact=True)
    assert len(expected) > 0


def test_ranges_give_the_same_as_one_read(music: Engine, request: pytest.FixtureRequest) -> None:
    """In the same order, numbered through."""
    whole = dataset.load_dataset(music)
    request.getfixturevalue("small_ranges")
    assert_equal(dataset.load_dataset(music), whole)


def test_an_empty_database_gives_empty_frames(engine: Engine) -> None:
    """With and without a limit."""
    for config in (TrainingConfig(), LIMITED):
        raw = dataset.load_dataset(engine, config)
        assert [len(raw.tracks), len(raw.credits), len(raw.sightings)] == [0, 0, 0]
        assert "title" in raw.tracks.columns


def test_only_the_chosen_tracks_are_read(music: Engine, small_ranges: None) -> None:
    """With their credits and sightings; the split is that of choosing among all rows."""
    whole, chosen = dataset.load_dataset(music), dataset.load_dataset(music, LIMITED)
    keys = artist_sample.TrackKeys.of(whole.tracks, {})
    ids = keys.track_ids[artist_sample.choose(keys, LIMIT)]
    assert regimes.ids_of(chosen.tracks).tolist() == ids.tolist()
    assert len(ids) < len(whole.tracks)
    for frame in (chosen.credits, chosen.sightings):
        assert set(frame["track_id"]) == set(ids.tolist())
    split = training_data.split_dataset(chosen, LIMITED)
    of_whole = training_data.split_dataset(whole, LIMITED)
    assert data_fingerprint(split) == data_fingerprint(of_whole)
    counts = pd.Series(split.labels[split.train_mask]).value_counts()
    assert counts.to_dict() == dict.fromkeys(split.classes, LIMIT)


def test_tracks_that_are_named_are_read_as_well(music: Engine) -> None:
    """A model is promoted with the tracks it was trained on, whatever is chosen by now."""
    chosen = set(regimes.ids_of(dataset.load_dataset(music, LIMITED).tracks).tolist())
    left_out = next(number for number in range(1, 700) if number not in chosen)
    raw = dataset.load_dataset(music, LIMITED, also=np.array([left_out]))
    assert set(regimes.ids_of(raw.tracks).tolist()) == {*chosen, left_out}


def test_the_limit_belongs_to_the_model(music: Engine) -> None:
    """It is stored only where it is set; the same training again is nothing new."""
    model = train.run(music, LIMITED, FakeClock(), log=lambda _: None, cores=1).model
    assert model.training_config["tracks_per_genre"] == LIMIT
    assert model.trained_rows == 3 * LIMIT
    assert TrainingConfig.from_model(model) == LIMITED
    assert "tracks_per_genre" not in TrainingConfig().as_json()
    assert train.run(music, LIMITED, FakeClock(), log=lambda _: None, cores=1).nothing_new


def test_predictions_do_not_depend_on_the_ranges(
    music: Engine, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor on the reader; whether an artist is seen is what all credits say."""
    train.run(music, LIMITED, FakeClock(), log=lambda _: None, cores=1)
    of_training = [one for one in predictions(music) if one[-1]]
    batch_predict.run(music, FakeClock(), progress=lambda *_: None)
    expected = predictions(music)
    model = stored_models.champion(music, "main")
    assert len(rows_to_predict.tracks_to_predict(music, model)) == 0

    with transaction(music) as connection:
        row = tables.prediction
        connection.execute(row.delete().where(row.c.in_training.is_(False)))
    assert predictions(music) == of_training
    request.getfixturevalue("small_ranges")
    monkeypatch.setattr(dataframes, "_MANY_ROWS", 0)
    assert (
        len(rows_to_predict.tracks_to_predict(music, model))
        == (len(expected) - len(of_training)) // 3
    )
    batch_predict.run(music, FakeClock(), progress=lambda *_: None)
    assert_same(predictions(music), expected)

    train_ids = np.array(sorted({one[0] for one in of_training}))
    ids = np.array(sorted({one[0] for one in expected}))
    seen = regimes.has_seen_artist(ids, dataset.track_credits(music), train_ids)
    by_track = {one[0]: one[4] for one in expected}
    assert [by_track[number] == "seen_artist" for number in ids.tolist()] == seen.tolist()


def assert_same(rows: Sequence[Sequence[Any]], expected: Sequence[Sequence[Any]]) -> None:
    """The same predictions; probabilities up to the rounding of batches of other sizes."""
    assert [(*row[:3], *row[4:]) for row in rows] == [(*row[:3], *row[4:]) for row in expected]
    assert [row[3] for row in rows] == pytest.approx([row[3] for row in expected], abs=1e-7)


@pytest.mark.parametrize("n_rows", [1, 10**6])
def test_nobody_waits_for_a_reader_between_two_states(music: Engine, n_rows: int) -> None:
    """What is committed in between is seen by the next state."""
    title = select(tables.track.c.title).where(tables.track.c.id == 1)
    with dataframes.state_reader(music, n_rows) as open_state:
        for text in ("First", "Second"):
            with transaction(music) as connection:
                connection.execute(
                    update(tables.track).where(tables.track.c.id == 1).values(title=text)
                )
            with open_state() as source:
                assert source.frame(title)["title"].tolist() == [text]
