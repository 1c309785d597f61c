"""The classifier's datasets, on both databases."""

import pandas as pd
import pytest
from sqlalchemy import Engine, insert, select, update
from sqlalchemy.types import NullType

from classifier.data import dataset
from classifier.errors import BadTrainingConfig
from classifier.serving import batch_predict, predict_track
from classifier.training import train
from classifier.training_config import TrainingConfig
from genrebase.progress import no_progress
from genrebase.store import tables, views
from genrebase.store.engine import transaction
from genrebase.store.find import UnknownTrack
from tests.fakes import NOON, FakeClock
from tests.synthetic_music import Music, spotify_id


@pytest.fixture
def filled(engine: Engine) -> Engine:
    Music().fill(engine)
    with transaction(engine) as connection:
        first = tables.track.c.id == 1
        connection.execute(
            update(tables.track)
            .where(first)
            .values(title="NA", album="null", release_year=None, explicit=None, popularity=None)
        )
    return engine


def test_a_view_comes_with_the_dtypes_of_its_columns(filled: Engine) -> None:
    """Nullable whole numbers and booleans, text without NaN, moments in UTC."""
    frame = dataset.read_view("training_tracks", filled)
    kinds = {name: str(kind) for name, kind in frame.dtypes.items()}
    assert kinds["track_id"] == kinds["key"] == kinds["release_year"] == "Int64"
    assert kinds["explicit"] == "boolean"
    assert kinds["energy"] == "float64"
    assert kinds["title"] == kinds["verdict"] == "string"
    assert kinds["changed_at"] == "datetime64[us, UTC]"
    first = frame[frame["track_id"] == 1].iloc[0]
    assert (first["title"], first["album"]) == ("NA", "null")
    assert first["release_year"] is first["explicit"] is first["verdict"] is pd.NA
    assert first["changed_at"] == pd.Timestamp(NOON)


def test_artists_of_one_name_are_one_artist(filled: Engine) -> None:
    """An artist has an id of each source; a model that saw one of them has seen the artist."""
    before = dataset.track_credits(filled).set_index(["track_id", "position"])["artist_id"]
    track_id, artist_id = int(before.index[0][0]), int(before.iloc[0])
    artist = tables.artist
    with transaction(filled) as connection:
        stored = connection.execute(select(artist).where(artist.c.id == artist_id)).one()
        other = {"id": 10**6, "source": "musicbrainz", "source_id": "an MBID"}
        connection.execute(insert(artist).values({**stored._mapping, **other}))
        credit = tables.track_artist.c
        connection.execute(
            update(tables.track_artist)
            .where(credit.track_id == track_id, credit.artist_id == artist_id)
            .values(artist_id=10**6)
        )
    after = dataset.track_credits(filled).set_index(["track_id", "position"])["artist_id"]
    assert after.equals(before)


def test_every_view_can_be_read(filled: Engine) -> None:
    """With its columns in order, full or empty, numbers as numbers, and bytes as they are."""
    train.run(filled, TrainingConfig(estimator="logistic"), FakeClock(), log=lambda _: None)
    for name, view in views.ALL.items():
        frame = dataset.read_view(name, filled)
        assert list(frame.columns) == list(view.columns)
        kinds = {str(kind) for kind in frame.dtypes}
        assert kinds <= {"Int64", "boolean", "float64", "string", "datetime64[us, UTC]", "object"}
        assert ("object" in kinds) == ("data" in view.columns)
    spread = dataset.read_view("genre_profiles", filled)["standard_deviation"]
    assert spread.dtype == "float64"


def test_columns_and_rows_can_be_chosen(filled: Engine) -> None:
    """Columns come in the requested order."""
    frame = dataset.read_view("tracks", filled, columns=["title", "track_id"], limit=3)
    assert list(frame.columns) == ["title", "track_id"]
    assert len(frame) == 3


def test_an_empty_view_keeps_its_columns_and_dtypes(engine: Engine) -> None:
    """No rows is no error."""
    frame = dataset.read_view("scoring_tracks", engine)
    assert len(frame) == 0
    assert str(frame["track_id"].dtype) == "Int64"
    assert str(frame["title"].dtype) == "string"
    assert str(frame["changed_at"].dtype) == "datetime64[us, UTC]"


@pytest.mark.parametrize("view", ["genre_profiles", "genre_trends", "genre_popularity"])
def test_means_and_deviations_are_numbers_without_a_row(sqlite_engine: Engine, view: str) -> None:
    """Column types come from the view's definition, not from its values."""
    table = views.ALL[view].table
    assert [name for name in table.c if isinstance(name.type, NullType)] == []
    figures = {"standard_deviation", *tables.ALL_FEATURES} & set(table.c.keys())
    frame = dataset.read_view(view, sqlite_engine)
    assert {str(frame[name].dtype) for name in figures} == {"float64"}


def test_an_unknown_view_or_column_is_refused(sqlite_engine: Engine) -> None:
    """The message lists the valid ones; no query is run."""
    with pytest.raises(BadTrainingConfig, match=r"no view 'track'.*training_tracks"):
        dataset.read_view("track", sqlite_engine)
    with pytest.raises(BadTrainingConfig, match=r"no column 'mood'.*track_id"):
        dataset.read_view("tracks", sqlite_engine, columns=["mood"])


def test_a_url_is_accepted_instead_of_an_engine(sqlite_url: str) -> None:
    """For notebooks."""
    assert len(dataset.read_view("tracks", sqlite_url)) == 0


def test_a_track_is_looked_up_by_any_of_its_ids(filled: Engine) -> None:
    """A source id, a URL with or without a query, a URI and the track id are accepted."""
    wanted = spotify_id(7)
    for text in (
        wanted,
        f"https://open.spotify.com/track/{wanted}?si=abc",
        f"https://open.spotify.com/intl-de/track/{wanted}",
        f"spotify:track:{wanted}",
        " 7 ",
    ):
        assert dataset.find_track(filled, text) == 7
    for text in ("", "x", "-7", "99999999", "9" * 30, "spotify:track:short"):
        assert dataset.find_track(filled, text) is None


def test_a_bare_number_is_a_track_id(filled: Engine) -> None:
    """Another track's source id 7 is matched by `shop:7` only."""
    with transaction(filled) as connection:
        connection.execute(
            insert(tables.track_alias).values(source="shop", source_id="7", track_id=3)
        )
    assert dataset.find_track(filled, "7") == 7
    assert dataset.find_track(filled, "shop:7") == 3


def test_a_prediction_is_stored_or_computed(filled: Engine) -> None:
    """A training track gets its marked out-of-fold prediction; for others both ways agree."""
    train.run(filled, TrainingConfig(estimator="logistic"), FakeClock(), log=lambda _: None)
    before = {number: predict_track.predict_track(filled, str(number)) for number in range(1, 40)}
    batch_predict.run(filled, FakeClock(), progress=no_progress)
    after = {number: predict_track.predict_track(filled, str(number)) for number in range(1, 40)}
    assert {response.in_training for response in after.values()} == {True, False}
    assert {response.regime for response in after.values()} == {"seen_artist", "new_artist"}
    for number, response in after.items():
        other = before[number]
        assert (response.regime, response.in_training) == (other.regime, other.in_training)
        assert [genre for genre, _ in response.top] == [genre for genre, _ in other.top]
        assert [share for _, share in response.top] == pytest.approx(
            [share for _, share in other.top], abs=1e-6
        )
        displayed = response.as_json()
        assert displayed["genre"] == displayed["top"][0]["genre"]
        assert displayed["probability"] == max(one["probability"] for one in displayed["top"])
    with pytest.raises(UnknownTrack, match="no track 'nobody'"):
        predict_track.predict_track(filled, "nobody")
