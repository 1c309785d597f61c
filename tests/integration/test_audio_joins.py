"""Audio features of tracks are joined to the training data if a model uses them."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import Engine, insert

from classifier.data import audio_joins, dataset, rows_to_predict
from classifier.data.training_data import split_dataset
from classifier.errors import BadTrainingConfig
from classifier.findings import clusters
from classifier.serving import batch_predict
from classifier.training import snapshots, train
from classifier.training.fingerprint import data_fingerprint
from classifier.training_config import DEFAULT_FEATURE_GROUPS, TrainingConfig
from genrebase.audio import packed_vectors
from genrebase.progress import no_progress
from genrebase.store import tables
from genrebase.store.engine import transaction
from tests.audio_analyses import add_analysis
from tests.fakes import NOON, FakeClock
from tests.synthetic_music import Music

WIDE = TrainingConfig(auto_features=True)
MINE = ("loud", "bright")


def analyse(engine: Engine, tracks: Sequence[int]) -> None:
    with transaction(engine) as connection:
        for track in tracks:
            add_analysis(connection, track)


def describe(
    engine: Engine,
    values: dict[int, tuple[float, float]],
    *,
    schema: str = "mine",
    provider: str = "audio",
) -> None:
    with transaction(engine) as connection:
        connection.execute(
            insert(tables.descriptor_schema).values(name=schema, columns=list(MINE))
        )
        connection.execute(
            insert(tables.descriptor),
            [
                {
                    "track_id": track,
                    "provider": provider,
                    "schema": schema,
                    "data": packed_vectors.pack(row),
                    "fetched_at": NOON,
                }
                for track, row in values.items()
            ],
        )


def test_harmony_and_timbre_are_joined_on_request(engine: Engine) -> None:
    """As further columns, missing for tracks without an analysis; else nothing is read."""
    Music().fill(engine)
    analyse(engine, [2, 5])
    plain = dataset.load_dataset(engine)
    assert "degree_0" not in plain.tracks
    result = dataset.load_dataset(engine, TrainingConfig(features=("harmony", "timbre")))
    tracks = result.tracks.set_index("track_id")
    assert tracks["degree_0"].notna().sum() == 2
    assert tracks.loc[2, "degree_0"] == 0.5
    assert tracks.loc[5, "degree_7"] == 0.25
    assert tracks["timbre_mean_11"].dropna().tolist() == [0.5, 0.5]
    assert result.tracks[plain.tracks.columns].equals(plain.tracks)
    rows = rows_to_predict.scoring_rows(
        engine, np.array([2, 3]), TrainingConfig(features=("harmony",))
    )
    assert rows["degree_0"].isna().tolist() == [False, True]
    assert "timbre_mean_0" not in rows


def test_descriptors_come_from_one_schema(engine: Engine) -> None:
    """The schema that most labelled tracks have, unless another is named; never two mixed."""
    Music().fill(engine)
    describe(engine, {1: (1.0, 2.0), 2: (3.0, float("nan"))})
    describe(engine, {1: (9.0, 9.0)}, schema="another")
    choice = audio_joins.resolve_features(engine, TrainingConfig(features=("descriptors",)))
    assert choice.descriptors == "mine"
    tracks = dataset.load_dataset(engine, choice).tracks.set_index("track_id")
    names = [name for name in tracks if str(name).startswith("descriptor:")]
    assert names == ["descriptor:mine:loud", "descriptor:mine:bright"]
    assert tracks.loc[1, names].tolist() == [1.0, 2.0]
    assert tracks.loc[2, names[0]] == 3.0
    assert tracks[names].notna().sum().tolist() == [2, 1]
    named = audio_joins.resolve_features(
        engine, TrainingConfig(features=("descriptors",), descriptors="another")
    )
    other = dataset.load_dataset(engine, named).tracks
    assert other["descriptor:another:loud"].dropna().tolist() == [9.0]
    with pytest.raises(BadTrainingConfig, match=r"no descriptor set 'third'.*another, mine"):
        dataset.load_dataset(
            engine, TrainingConfig(features=("descriptors",), descriptors="third")
        )


def test_features_of_a_tenth_of_the_tracks_are_used(engine: Engine) -> None:
    """Rarer features are ignored unless requested; the configuration lists those used."""
    music = Music(artists=20, songs_each=5)
    music.fill(engine)
    assert audio_joins.resolve_features(engine, WIDE).features == DEFAULT_FEATURE_GROUPS
    analyse(engine, range(1, 10))
    assert audio_joins.resolve_features(engine, WIDE).features == DEFAULT_FEATURE_GROUPS
    analyse(engine, [10])
    settled = audio_joins.resolve_features(engine, WIDE)
    assert settled.features == (*DEFAULT_FEATURE_GROUPS, "harmony", "timbre")
    assert (settled.auto_features, settled.descriptors) == (False, None)
    describe(engine, dict.fromkeys(range(1, 20), (1.0, 2.0)))
    settled = audio_joins.resolve_features(engine, WIDE)
    assert settled.features[-1] == "descriptors"
    assert settled.as_json()["descriptors"] == "mine"
    assert audio_joins.resolve_features(engine, TrainingConfig()) == TrainingConfig()


def test_numbers_of_acousticbrainz_are_a_group_of_their_own(engine: Engine) -> None:
    """The key is a position on the circle of fifths; nothing is mixed with other features."""
    music = Music(artists=20, songs_each=5)
    music.fill(engine)
    row = {"provider": "acousticbrainz", "recording_id": "x", "origin": "acousticbrainz"}
    rows = [
        {**row, "track_id": track, "bpm": 100.0 + track, "danceability": 1.5, "key": 3, "mode": 0}
        | {"fetched_at": NOON}
        for track in range(1, 11)
    ]
    with transaction(engine) as connection:
        connection.execute(insert(tables.acousticbrainz_recording), rows)
    settled = audio_joins.resolve_features(engine, WIDE)
    assert settled.features == (*DEFAULT_FEATURE_GROUPS, "acousticbrainz")
    frame = rows_to_predict.scoring_rows(engine, np.array([10, 11]), settled)
    first, second = frame.to_dict("records")
    assert first["acousticbrainz_bpm"] == 110.0
    assert first["acousticbrainz_danceability"] == 1.5 != first["danceability"]
    assert (first["acousticbrainz_mode"], first["acousticbrainz_fifths_sin"]) == (0, -1.0)
    assert first["acousticbrainz_fifths_cos"] == pytest.approx(0.0, abs=1e-12)
    assert np.isnan(second["acousticbrainz_bpm"])
    config = TrainingConfig(estimator="tree", features=("acousticbrainz",), min_tracks=5)
    labels = split_dataset(dataset.load_dataset(engine, config), config)
    assert labels.tracks["acousticbrainz_bpm"].notna().sum() == 10


def test_an_unknown_descriptor_set_is_refused(sqlite_engine: Engine) -> None:
    """Also where the data decide on the feature groups; the sets there are, are listed."""
    Music().fill(sqlite_engine)
    describe(sqlite_engine, {2: (0.1, 0.2)})
    with pytest.raises(BadTrainingConfig, match=r"no descriptor set 'foo' here\. Known: mine\."):
        audio_joins.resolve_features(
            sqlite_engine, TrainingConfig(auto_features=True, descriptors="foo")
        )


def test_features_that_no_track_has_are_refused(sqlite_engine: Engine) -> None:
    """The message names the command that computes them."""
    Music().fill(sqlite_engine)
    for group in ("harmony", "timbre", "acousticbrainz", "descriptors"):
        choice = TrainingConfig(features=("audio", group), estimator="tree")
        with pytest.raises(BadTrainingConfig, match=f"No labelled track has {group}: `collector"):
            train.run(sqlite_engine, choice, FakeClock(), log=lambda _: None)


def test_a_new_analysis_makes_a_prediction_pending(
    engine: Engine,
) -> None:
    """An analysis stored after the prediction makes it out of date."""
    music = Music(artists=30, songs_each=6)
    music.fill(engine)
    half = [song.id for song in music.songs if song.genre == 0]
    analyse(engine, half)
    clock = FakeClock()
    choice = TrainingConfig(estimator="tree", features=("audio", "harmony"), min_tracks=5)
    done = train.run(engine, choice, clock, log=lambda _: None)
    assert done.model.status == "champion"
    assert done.model.training_config["features"] == ["audio", "harmony"]
    assert "degree_11" in done.model.feature_schema["columns"]
    clock.advance(60)
    batch_predict.run(engine, clock, progress=no_progress)
    assert len(rows_to_predict.tracks_to_predict(engine, done.model)) == 0
    requested = split_dataset(dataset.load_dataset(engine, choice), choice)
    learned = set(requested.train_ids.tolist())
    unheard = [song.id for song in music.songs if song.genre and song.id not in learned]
    analyse(engine, unheard[:2])
    with transaction(engine) as connection:
        summary = tables.sound_summary
        connection.execute(
            summary.update().where(summary.c.track_id == unheard[0]).values(fetched_at=clock.now())
        )
    clock.advance(60)
    assert rows_to_predict.tracks_to_predict(engine, done.model).tolist() == []
    with transaction(engine) as connection:
        connection.execute(
            summary.update().where(summary.c.track_id == unheard[0]).values(fetched_at=clock.now())
        )
    assert rows_to_predict.tracks_to_predict(engine, done.model).tolist() == unheard[:1]
    again = split_dataset(dataset.load_dataset(engine, choice), choice)
    assert data_fingerprint(again) != data_fingerprint(requested)


def test_clusters_of_descriptors_are_compared_with_the_genres(sqlite_engine: Engine) -> None:
    """Over their principal components; tracks without descriptors are left out."""
    music = Music(artists=30, songs_each=4)
    music.fill(sqlite_engine)
    random = np.random.default_rng(0)
    described = music.songs[:-10]
    place = {0: (0.0, 0.0), 1: (9.0, 0.0), 2: (0.0, 9.0)}
    values = {song.id: tuple(place[song.genre] + random.normal(size=2)) for song in described}
    describe(sqlite_engine, values)
    done = clusters.run(
        sqlite_engine,
        TrainingConfig(min_tracks=5, auto_features=True),
        FakeClock(),
        clusters.ClusteringSettings(clusters.resolve_columns(["descriptors"])),
    )
    assert done.tracks == len(described)
    assert done.scores.ari > 0.95
    assert done.params == {"k": 3, "components": 2}
    assert done.features == ("descriptors",)
    with pytest.raises(BadTrainingConfig, match="No labelled track has timbre"):
        clusters.run(
            sqlite_engine,
            TrainingConfig(min_tracks=5),
            FakeClock(),
            clusters.ClusteringSettings(["timbre_mean_0"]),
        )


def test_a_snapshot_holds_audio_features(sqlite_engine: Engine, tmp_path: Path) -> None:
    """A snapshot reproduces the metrics of a model that uses descriptors and harmony."""
    music = Music(artists=40, songs_each=5)
    music.fill(sqlite_engine)
    analyse(sqlite_engine, [song.id for song in music.songs if song.id % 3])
    random = np.random.default_rng(0)
    describe(sqlite_engine, {song.id: (song.genre, random.normal()) for song in music.songs[5:]})
    wide = TrainingConfig(estimator="logistic", min_tracks=5, auto_features=True)
    snapshots.create(sqlite_engine, wide, tmp_path / "frozen", FakeClock())
    frozen = snapshots.read(tmp_path / "frozen")
    assert frozen.config.features == (*DEFAULT_FEATURE_GROUPS, "harmony", "timbre", "descriptors")
    assert frozen.config.descriptors == "mine"
    here = train.run(sqlite_engine, wide, FakeClock(), log=lambda _: None).model
    again = train.run(
        sqlite_engine, frozen.config, FakeClock(), log=lambda _: None, snapshot=frozen
    ).model
    assert again.metrics == here.metrics
    assert again.data_fingerprint == here.data_fingerprint
    assert "descriptor:mine:loud" in again.feature_schema["columns"]
