"""Managing genres, on both databases."""

import pytest
from sqlalchemy import func, insert, select

from collector.catalogue import tracks
from collector.curation import genres
from collector.datasets.column_roles.columns import ColumnsMissing
from collector.records import ArtistCredit, Provenance, SourceTrack, TrackObservation
from genrebase.errors import NothingToDo, UserError
from genrebase.store import tables
from genrebase.store.engine import read_transaction, transaction
from tests.fakes import NOON, FakeClock

CLOCK = FakeClock()
PLAYLIST = "37i9dQZF1DXcZDD7cfEKhW"


def add(engine, *names, target=10):
    for name in names:
        genres.add(engine, CLOCK, name, target)


def see(engine, *seen):
    """Record (title, genre, rank)."""
    items = [
        TrackObservation(
            SourceTrack("spotify", title, title, (ArtistCredit("Artist"),)), genre, rank
        )
        for title, genre, rank in seen
    ]
    with transaction(engine) as connection:
        tracks.record(connection, items, Provenance("spotify", None), NOON)


def claims(engine):
    with read_transaction(engine) as connection:
        track, genre = tables.track, tables.genre
        query = select(track.c.title, genre.c.name).outerjoin(
            genre, genre.c.id == track.c.genre_id
        )
        return dict(connection.execute(query).all())


def seen_under(engine, genre):
    with read_transaction(engine) as connection:
        sighting, track = tables.sighting, tables.track
        query = (
            select(track.c.title, sighting.c.best_rank, sighting.c.times)
            .join(track, track.c.id == sighting.c.track_id)
            .join(tables.genre, tables.genre.c.id == sighting.c.genre_id)
            .where(tables.genre.c.name == genre)
        )
        return {title: (rank, times) for title, rank, times in connection.execute(query)}


def names(engine):
    return [genre.name for genre in genres.list_genres(engine)]


def label(engine, title, genre, by="ann"):
    with transaction(engine) as connection:
        track_id = connection.scalar(
            select(tables.track.c.id).where(tables.track.c.title == title)
        )
        connection.execute(
            insert(tables.verdict).values(
                track_id=track_id,
                genre_id=genres.genres.ids_by_name(connection)[genre],
                labelled_by=by,
                labelled_at=NOON,
            )
        )
    return track_id


def add_model(engine):
    row = {
        "created_at": NOON,
        "estimator": "dummy",
        "data_fingerprint": "x",
        "trained_rows": 1,
        "seconds": 1.0,
    }
    documents = (
        "params",
        "training_config",
        "feature_schema",
        "metrics",
        "versions",
        "golden_rows",
    )
    with transaction(engine) as connection:
        made = connection.execute(
            insert(tables.model).values(row | {key: {} for key in documents})
        )
        return made.inserted_primary_key[0]


def predict(engine, model_id, title, *results):
    with transaction(engine) as connection:
        existing = genres.genres.ids_by_name(connection)
        track_id = connection.scalar(
            select(tables.track.c.id).where(tables.track.c.title == title)
        )
        connection.execute(
            insert(tables.prediction),
            [
                {
                    "model_id": model_id,
                    "track_id": track_id,
                    "rank": rank,
                    "genre_id": existing[genre],
                    "probability": 0.5,
                    "regime": "new_artist",
                    "in_training": False,
                    "predicted_at": NOON,
                }
                for rank, genre in enumerate(results, 1)
            ],
        )


@pytest.mark.parametrize("name", ["r&b", "drum & bass", "50's", "J-ポップ", "dj's \\ %x;--"])
def test_a_genre_is_stored_byte_for_byte(engine, name):
    """Only surrounding blanks are removed."""
    added = genres.add(engine, CLOCK, f" {name} ", 7)
    assert (added.name, added.target) == (name, 7)
    assert names(engine) == [name]


@pytest.mark.parametrize("name", ["", " ", "nan", "NaN", "none", 'the "best"', "a\nb", "x" * 300])
def test_an_invalid_genre_is_refused(sqlite_engine, name):
    """The error has a message; nothing is written."""
    with pytest.raises(UserError, match=r"no genre|cannot be searched for"):
        genres.add(sqlite_engine, CLOCK, name, 7)
    assert names(sqlite_engine) == []


def test_adding_again_changes_the_target(engine):
    """One genre, the last target."""
    add(engine, "rock", target=5)
    assert genres.add(engine, CLOCK, "rock", 9).target == 9
    assert names(engine) == ["rock"]


def test_playlists_are_bound_once(sqlite_engine):
    """They are given by id, URI or URL; an invalid one is refused before anything is written."""
    url = f"https://open.spotify.com/playlist/{PLAYLIST}?si=1"
    genres.add(sqlite_engine, CLOCK, "50's", 10, [PLAYLIST, url])
    again = genres.add(sqlite_engine, CLOCK, "50's", 10, [f"spotify:playlist:{PLAYLIST}"])
    assert again.playlists == (PLAYLIST,)
    with pytest.raises(UserError, match="no playlist"):
        genres.add(sqlite_engine, CLOCK, "60's", 10, ["what"])
    assert names(sqlite_engine) == ["50's"]


def test_an_unknown_genre_names_the_nearest(sqlite_engine):
    """In every command that takes one."""
    add(sqlite_engine, "rock", "metal")
    for attempt in (
        lambda: genres.set_target(sqlite_engine, "rokc", 5),
        lambda: genres.set_paused(sqlite_engine, "rokc"),
        lambda: genres.rename(sqlite_engine, "rokc", "x"),
        lambda: genres.merge(sqlite_engine, "rokc", "rock"),
        lambda: genres.merge(sqlite_engine, "rock", "rokc"),
        lambda: genres.remove(sqlite_engine, "rokc"),
    ):
        with pytest.raises(UserError, match="Did you mean 'rock'") as refused:
            attempt()
        assert refused.value.exit_code == 2


def test_target_and_pause(engine):
    """Both can be changed and taken back."""
    add(engine, "rock")
    assert genres.set_target(engine, "rock", 50).target == 50
    assert genres.set_target(engine, "rock", None).target is None
    assert genres.set_paused(engine, "rock").paused is True
    assert genres.set_paused(engine, "rock", paused=False).paused is False


def test_renaming_keeps_tracks_and_restarts_the_search(engine):
    """Shards of the old name are removed; sightings and claims stay."""
    add(engine, "metl")
    see(engine, ("a", "metl", 0))
    with transaction(engine) as connection:
        connection.execute(
            insert(tables.shard).values(
                genre_id=genres.genres.ids_by_name(connection)["metl"],
                source="spotify",
                query="metl",
                year_from=0,
                year_to=9999,
                created_at=NOON,
            )
        )
        connection.execute(
            insert(tables.genre_mapping).values(mapping="m", fine="metl", broad="rock")
        )
    genres.rename(engine, "metl", "metal")
    assert claims(engine) == {"a": "metal"}
    with read_transaction(engine) as connection:
        assert connection.scalar(select(func.count()).select_from(tables.shard)) == 0
        assert set(connection.scalars(select(tables.genre_mapping.c.fine))) == {"metl", "metal"}


def test_renaming_onto_another_is_refused(sqlite_engine):
    """Two genres become one by merging only."""
    add(sqlite_engine, "rock", "metal")
    with pytest.raises(UserError, match="genres merge"):
        genres.rename(sqlite_engine, "metal", "rock")
    with pytest.raises(NothingToDo):
        genres.rename(sqlite_engine, "rock", "rock")


def test_renaming_recomputes_ties(engine):
    """A tie goes to the first name, so a new name may change it."""
    add(engine, "a", "b")
    see(engine, ("tied", "a", 0), ("tied", "b", 0))
    assert claims(engine) == {"tied": "a"}
    genres.rename(engine, "a", "z")
    assert claims(engine) == {"tied": "b"}


def test_merging_unites_everything(engine):
    """Best rank, times added up, labels and predictions moved, claims settled, counters right."""
    add(engine, "hiphop", "hip-hop", "pop")
    see(
        engine,
        ("both", "hiphop", 1),
        ("both", "hip-hop", 4),
        ("both", "pop", 2),
        ("one", "hiphop", 9),
        ("other", "pop", 0),
    )
    label(engine, "other", "hiphop")
    predict(engine, add_model(engine), "one", "hiphop", "pop")
    merged = genres.merge(engine, "hiphop", "hip-hop")
    assert (merged.merged, merged.into.name, merged.shared_sightings) == ("hiphop", "hip-hop", 1)
    assert seen_under(engine, "hip-hop") == {"both": (1, 2), "one": (9, 1)}
    assert claims(engine) == {"both": "hip-hop", "one": "hip-hop", "other": "pop"}
    assert merged.into.sightings == 2
    with read_transaction(engine) as connection:
        into = genres.genres.ids_by_name(connection)["hip-hop"]
        assert connection.scalars(select(tables.verdict.c.genre_id)).all() == [into]
        predictions = select(tables.prediction.c.genre_id).order_by(tables.prediction.c.rank)
        assert connection.scalars(predictions).first() == into
    assert names(engine) == ["hip-hop", "pop"]


def test_a_genre_is_not_merged_into_itself(sqlite_engine):
    """That would be a removal."""
    add(sqlite_engine, "rock")
    with pytest.raises(UserError):
        genres.merge(sqlite_engine, "rock", "rock")


def test_removing_leaves_the_tracks_to_others(engine):
    """Tracks stay: claimed by the next best sighting, or by none."""
    add(engine, "rock", "pop")
    see(engine, ("both", "rock", 0), ("both", "pop", 5), ("one", "rock", 1))
    removed = genres.remove(engine, "rock")
    assert removed.tracks_left == 2
    assert claims(engine) == {"both": "pop", "one": None}


def test_labels_forbid_removing(engine):
    """Verdicts are never deleted, not even with --force."""
    add(engine, "rock")
    see(engine, ("a", "rock", 0))
    label(engine, "a", "rock")
    for force in (False, True):
        with pytest.raises(UserError, match="1 label"):
            genres.remove(engine, "rock", force=force)
    assert names(engine) == ["rock"]


def test_removing_predictions_needs_force(engine):
    """Predictions are deleted only with --force."""
    add(engine, "rock")
    see(engine, ("a", "rock", 0))
    predict(engine, add_model(engine), "a", "rock")
    with pytest.raises(UserError, match="--force"):
        genres.remove(engine, "rock")
    assert genres.remove(engine, "rock", force=True).references.predictions == 1
    assert names(engine) == []


def import_names(engine, path, target, genre_column=None):
    """Store the genres of a file, as `collector genres import` does."""
    return genres.set_targets(engine, CLOCK, genres.read_names(path, genre_column), target)


def test_genres_of_a_dataset_are_imported(sqlite_engine, tmp_path):
    """All that its column names; no genre is no genre."""
    path = tmp_path / "data.csv"
    path.write_text("track_id,track_genre\n1,r&b\n2,nan\n3,50's\n4,r&b\n5,\n")
    assert import_names(sqlite_engine, path, 100) == ["r&b", "50's"]
    assert [(genre.name, genre.target) for genre in genres.list_genres(sqlite_engine)] == [
        ("50's", 100),
        ("r&b", 100),
    ]


def test_a_plain_list_is_imported(sqlite_engine, tmp_path):
    """Each line is one name, whatever characters it contains."""
    path = tmp_path / "list.txt"
    path.write_text("rock\n\n drum & bass \nrock, and roll\nrock\n", encoding="utf-8")
    assert import_names(sqlite_engine, path, 5) == [
        "rock",
        "drum & bass",
        "rock, and roll",
    ]


def test_a_table_without_genres_is_refused_as_a_list(sqlite_engine, tmp_path):
    """Its rows are no genres; the message names the option for the genre column."""
    path = tmp_path / "wrong.csv"
    path.write_text("a,b,c\n1,2,3\n")
    with pytest.raises(ColumnsMissing, match="--genre-column"):
        import_names(sqlite_engine, path, 5)
    assert names(sqlite_engine) == []


@pytest.mark.parametrize("line", ["nan", 'the "best"'])
def test_all_or_nothing(sqlite_engine, tmp_path, line):
    """One name that cannot be used, and none is added."""
    path = tmp_path / "list.txt"
    path.write_text(f"rock\n{line}\npop\n")
    with pytest.raises(UserError, match=r"no genre|cannot be searched for"):
        import_names(sqlite_engine, path, 5)
    assert names(sqlite_engine) == []


def test_a_dataset_without_genres_is_refused(sqlite_engine, tmp_path):
    """It is not read as a list of names either."""
    path = tmp_path / "data.csv"
    path.write_text("track_id,track_name,mood\n1,Song,pop\n")
    with pytest.raises(ColumnsMissing, match="--genre-column"):
        import_names(sqlite_engine, path, 5)
    assert import_names(sqlite_engine, path, 5, "mood") == ["pop"]
