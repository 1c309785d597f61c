"""`classifier predict --pool-siblings`: unseen artists, with their other tracks."""

from datetime import timedelta
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sqlalchemy import Engine, delete, update

from classifier.data import dataset, sibling_tracks
from classifier.registry import stored_models
from classifier.serving import batch_predict, champion, predict_track
from classifier.serving.predict_track import TrackDescription
from classifier.training import train
from classifier.training_config import TrainingConfig
from genrebase.progress import no_progress
from genrebase.runtime.clock import SystemClock
from genrebase.store import tables
from genrebase.store.engine import transaction
from tests.classifier_cli import refusal, run_json, run_text
from tests.synthetic_music import Music

MUSIC = Music(artists=90, silent=0.4, guests=0.1)


@pytest.fixture
def trained(engine: Engine) -> Engine:
    MUSIC.fill(engine)
    config = TrainingConfig(estimator="logistic", features=("audio",))
    train.run(engine, config, SystemClock(), log=lambda _: None, cores=1)
    return engine


def predict_all(engine: Engine, *, pooled: bool) -> batch_predict.ScoringResult:
    return batch_predict.run(
        engine, SystemClock(), progress=no_progress, cores=1, pool_siblings=pooled
    )


def predictions(engine: Engine) -> pd.DataFrame:
    return dataset.read_view("predictions", engine).set_index("track_id").sort_index()


def expected_siblings(engine: Engine) -> dict[int, int]:
    """Return the other tracks by the first artist, from the songs that are in the database."""
    ids = set(dataset.read_view("tracks", engine, columns=["track_id"])["track_id"])
    first = {song.id: song.artists[0] for song in MUSIC.songs if song.id in ids}
    sizes = pd.Series(list(first.values())).value_counts()
    return {track: int(sizes[artist]) - 1 for track, artist in first.items()}


def test_each_prediction_names_its_siblings(trained: Engine) -> None:
    """Of unseen artists all others of the first artist; tracks of seen artists stay alone."""
    alone = predict_all(trained, pooled=False)
    before = predictions(trained)
    assert alone.pooled == 0
    assert before["siblings"].isna().all()
    done = predict_all(trained, pooled=True)
    after, expected = predictions(trained), expected_siblings(trained)
    new = after["regime"] == "new_artist"
    assert {track: int(n) for track, n in after.loc[new, "siblings"].items()} == {
        track: expected[track] for track in after.index[new]
    }
    assert done.pooled == done.scored == int(new.sum()) > 0
    assert after.loc[~new].equals(before.loc[~new])
    labels = after["claim"]
    right = [(one.loc[new, "genre"] == labels[new]).mean() for one in (before, after)]
    assert right[1] > right[0]
    assert predict_all(trained, pooled=True).scored == 0  # nothing is new
    assert predict_all(trained, pooled=False).scored == done.pooled
    again = predictions(trained)
    assert again["siblings"].isna().all()
    assert np.allclose(again["probability"], before["probability"], atol=1e-12)


def test_predictions_are_made_again_when_siblings_change(trained: Engine) -> None:
    """Of that artist only; a run that begins anew stores the same."""
    predict_all(trained, pooled=True)
    stored = predictions(trained)
    new = stored.index[(stored["regime"] == "new_artist") & (stored["siblings"] > 0)]
    first = {song.id: song.artists[0] for song in MUSIC.songs}
    artist = first[int(new[0])]
    of_artist = [int(track) for track in new if first[int(track)] == artist]
    later = SystemClock().now() + timedelta(seconds=5)
    with transaction(trained) as connection:
        connection.execute(
            update(tables.track).where(tables.track.c.id == of_artist[0]).values(updated_at=later)
        )
    assert predict_all(trained, pooled=True).scored == len(of_artist)
    with transaction(trained) as connection:
        connection.execute(delete(tables.track).where(tables.track.c.id == of_artist[0]))
    assert predict_all(trained, pooled=True).pooled >= len(of_artist) - 1
    changed = predictions(trained)
    assert set(changed.loc[of_artist[1:], "siblings"]) == {
        int(stored.loc[of_artist[1], "siblings"]) - 1
    }
    others = changed.index.difference(of_artist)
    assert changed.loc[others, "probability"].equals(stored.loc[others, "probability"])
    with transaction(trained) as connection:
        connection.execute(delete(tables.prediction).where(~tables.prediction.c.in_training))
    predict_all(trained, pooled=True)
    rebuilt = predictions(trained)
    assert np.allclose(rebuilt["probability"], changed["probability"], atol=1e-6)
    assert rebuilt["siblings"].fillna(0).equals(changed["siblings"].fillna(0))


def test_one_track_is_pooled_like_all(trained: Engine) -> None:
    """Stored or computed, with the number of its siblings; without the option it is alone."""
    state = _state(trained)
    track = int(state.tracks[state.siblings > 0][0])
    computed = predict_track.predict_track(trained, str(track), pool_siblings=True)
    alone = predict_track.predict_track(trained, str(track))
    assert (computed.siblings, alone.siblings) == (expected_siblings(trained)[track], 0)
    assert computed.top != alone.top
    predict_all(trained, pooled=True)
    stored = predict_track.predict_track(trained, str(track), pool_siblings=True)
    assert dict(stored.top) == pytest.approx(dict(computed.top), abs=1e-6)
    assert stored.siblings == computed.siblings
    again = predict_track.predict_track(trained, str(track))
    assert dict(again.top) == pytest.approx(dict(alone.top))
    assert again.siblings == 0


def test_a_described_track_is_pooled_with_the_stored_tracks_of_its_artist(trained: Engine) -> None:
    """An unknown artist has none."""
    state = _state(trained)
    track = int(state.tracks[state.siblings > 0][0])
    song = next(one for one in MUSIC.songs if one.id == track)
    description = TrackDescription("A new song", (MUSIC.name(song.artists[0]),))
    pooled = predict_track.DescriptionPredictor(trained, pool_siblings=True).predict(description)
    assert pooled.siblings == expected_siblings(trained)[track] + 1
    assert pooled.top != predict_track.DescriptionPredictor(trained).predict(description).top
    unknown = TrackDescription("A new song", ("Nobody",))
    assert (
        predict_track.DescriptionPredictor(trained, pool_siblings=True).predict(unknown).siblings
        == 0
    )


def test_the_command_reports_what_was_pooled(database: Engine) -> None:
    """And refuses what cannot be pooled."""
    run_json("train", "--estimator", "logistic", "--min-tracks", "20")
    done = run_json("predict", "--pool-siblings")
    assert done["pooled"] > 0
    rows: Any = dataset.read_view("predictions", database)
    assert int(rows["siblings"].notna().sum()) == done["pooled"]
    track = str(rows.loc[rows["siblings"].notna(), "track_id"].iloc[0])
    assert "of the artist" in run_text("predict", "--track", track, "--pool-siblings")
    assert run_json("predict", "--track", track)["siblings"] == 0
    assert "pooled with" in " ".join(
        run_text("predict", "--search", "song", "--pool-siblings").split()
    )
    assert "pooled with" not in run_text("predict", "--search", "song")
    assert refusal("predict", "--pool-siblings", "--on", "local:1")[0] == 2


def _state(engine: Engine) -> sibling_tracks.SiblingState:
    model = stored_models.champion(engine, "main")
    loaded = champion.load(engine, model)
    trained_artists = batch_predict.TrackScorer(
        engine, loaded, SystemClock().now()
    ).trained_artists
    return sibling_tracks.read_state(engine, model, trained_artists)
