"""A training uses no label and no feature whose licence or level is not allowed."""

from collections import Counter
from dataclasses import replace
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sqlalchemy import Engine, delete, select, update

from classifier.data import dataframes, dataset
from classifier.data.raw_dataset import SIGHTING_COLUMNS, RawDataset
from classifier.data.training_data import SplitDataset, split_dataset
from classifier.errors import TooFewTracks
from classifier.training import snapshots
from classifier.training.fingerprint import data_fingerprint
from classifier.training_config import LABEL_POLICIES, LICENCES, MIN_LEVELS, TrainingConfig
from collector.catalogue import genre_counters, track_claims
from genrebase.store import features_provider, tables, views
from genrebase.store.engine import read_transaction, transaction
from tests.database_states import once
from tests.fakes import FakeClock
from tests.mixed_sources import DESCRIPTOR_SET, GENRES, Mix, is_allowed

LEVELS = {"recording": 0, "release": 1, "artist": 2}
FEATURES = ("audio", "metadata", "text", "history", "acousticbrainz", "descriptors")
DESCRIPTOR = f"descriptor:{DESCRIPTOR_SET}:loud"

EACH_SEED = pytest.mark.parametrize(
    ("database_url", "seed"),
    [
        ("sqlite", 0),
        ("postgresql", 1),
        pytest.param("sqlite", 1, marks=pytest.mark.soak),
        pytest.param("postgresql", 0, marks=pytest.mark.soak),
    ],
    indirect=["database_url"],
)


def config(licence: str = "any", min_level: str = "artist", labels: str = "claim"):
    return TrainingConfig(
        licence=licence,
        min_level=min_level,
        labels=labels,
        min_tracks=6,
        features=FEATURES,
        descriptors=DESCRIPTOR_SET,
    )


def assert_allowed(mix: Mix, split: SplitDataset, chosen: TrainingConfig) -> None:
    """Compare everything that a model is fitted on or evaluated with to the oracle's."""
    policy, max_level = chosen.licence, LEVELS[chosen.min_level]
    allowed = {
        (one.track, one.genre): one.rank
        for one in sorted(
            mix.allowed_labels(policy, max_level), key=lambda one: one.rank, reverse=True
        )
    }
    expected = {**mix.claims(policy, max_level), **mix.verdicts}
    ids = split.ids.tolist()
    assert dict(zip(ids, split.labels.tolist(), strict=True)) == expected
    seen = {
        (track, genre): rank
        for track, genre, rank in split.sightings.itertuples(index=False, name=None)
    }
    assert seen == {pair: rank for pair, rank in allowed.items() if pair[0] in expected}
    for genre, tracks in split.tracks_by_genre.items():
        assert set(tracks) == {track for track, name in allowed if name == genre}
    counts = Counter(track for track, _ in allowed)
    assert split.tracks["genres_sighted"].tolist() == [counts[track] for track in ids]
    training_set = split.training_set()
    for track, genre in zip(training_set.frame["track_id"], training_set.labels, strict=True):
        assert (track, genre) in allowed or mix.verdicts.get(track) == genre
    if policy != "any":
        assert split.tracks["popularity"].isna().all()
    _assert_features(mix, split, policy)


def _assert_features(mix: Mix, split: SplitDataset, policy: str) -> None:
    chosen = mix.features_of(policy)
    by_name: dict[int, float] = {}
    for one in sorted(mix.features, key=lambda one: one.provider, reverse=True):
        if is_allowed(one.licence, policy):
            by_name[one.track] = one.energy
    for row in split.tracks.itertuples():
        features = chosen.get(row.track_id)
        if features is None:
            assert pd.isna(row.energy)
            assert pd.isna(row.provider)
        else:
            assert (row.provider, row.energy) == (features.provider, features.energy)
        tempo, licence = mix.documents.get(row.track_id, (np.nan, "cc0"))
        expected = tempo if is_allowed(licence, policy) else np.nan
        assert row.acousticbrainz_bpm == pytest.approx(expected, nan_ok=True)
        descriptor = split.tracks.loc[row.Index, DESCRIPTOR]
        expected = by_name.get(row.track_id, np.nan)
        assert descriptor == pytest.approx(expected, abs=1e-6, nan_ok=True)


def mixed(engine: Engine, seed: int) -> Mix:
    """Fill the database by this seed; only once, as it takes a statement for each row."""
    return once(engine, (mixed, seed), lambda: Mix(engine, seed))


@EACH_SEED
def test_nothing_without_an_allowed_licence_reaches_a_training(
    engine: Engine, tmp_path: Path, seed: int
) -> None:
    """Whatever sources, levels and licences are mixed; from a database and from a snapshot.

    Each of the two databases has every other combination of licence and level.
    """
    mix = mixed(engine, seed)
    combinations = list(product(LICENCES, MIN_LEVELS))[seed % 2 :: 2]
    for number, (licence, level) in enumerate(combinations):
        chosen = config(licence, level, LABEL_POLICIES[(number + seed) % len(LABEL_POLICIES)])
        split = split_dataset(dataset.load_dataset(engine, chosen), chosen)
        if chosen.labels != "exclusive":
            assert_allowed(mix, split, chosen)
        assert all(is_allowed(one.licence, chosen.licence) for one in _sourced(split))
        folder = tmp_path / str(number)
        snapshots.create(engine, chosen, folder, FakeClock())
        frozen = snapshots.read(folder)
        again = split_dataset(frozen.dataset, frozen.config)
        assert data_fingerprint(again) == data_fingerprint(split)
        assert again.sources == split.sources
        for name in ("tracks", "sighted"):
            stored = pd.read_parquet(folder / f"{name}.parquet")
            for column in [one for one in stored.columns if one.endswith("licence")]:
                found = stored[column].dropna().astype(str).unique()
                assert all(is_allowed(licence, chosen.licence) for licence in found)


def _sourced(split: SplitDataset) -> list:
    return [
        one for one in (*split.sources.labels, *split.sources.features) if one.source != "verdict"
    ]


@pytest.mark.parametrize("licence", ["noncommercial", "open"])
def test_a_snapshot_of_everything_is_narrowed(
    sqlite_engine: Engine, tmp_path: Path, licence: str
) -> None:
    """Its rows are restricted as those of a database are; other providers it does not have."""
    mix = mixed(sqlite_engine, 7)
    snapshots.create(sqlite_engine, config(), tmp_path / "all", FakeClock())
    frozen = snapshots.read(tmp_path / "all")
    chosen = config(licence)
    split = split_dataset(frozen.dataset, chosen)
    assert split.labels.tolist() == [
        {**mix.claims(licence, 2), **mix.verdicts}[track] for track in split.ids
    ]
    preferred = mix.features_of("any")
    for row in split.tracks.itertuples():
        features = preferred.get(row.track_id)
        if features is None or not is_allowed(features.licence, licence):
            assert pd.isna(row.energy)
        else:
            assert row.energy == features.energy


@EACH_SEED
def test_a_restricted_training_is_one_on_a_database_without_the_rest(
    engine: Engine, seed: int
) -> None:
    """The same tracks, labels and features as if what is not allowed had never been stored."""
    mix = mixed(engine, seed + 10)
    chosen = config("noncommercial", "release", "shared")
    restricted = split_dataset(dataset.load_dataset(engine, chosen), chosen)
    allowed = set(mix.allowed_labels("noncommercial", 1))
    with transaction(engine) as connection:
        for one in mix.labels:
            if one not in allowed:
                row = tables.sighting.c
                connection.execute(
                    delete(tables.sighting).where(
                        row.track_id == one.track,
                        row.genre_id == mix.genres[one.genre],
                        row.source == one.source,
                    )
                )
        for features in mix.features:
            if not is_allowed(features.licence, "noncommercial"):
                for table in (tables.audio_features, tables.descriptor):
                    connection.execute(
                        delete(table).where(
                            table.c.track_id == features.track,
                            table.c.provider == features.provider,
                        )
                    )
        document = tables.acousticbrainz_recording
        for track, (_tempo, licence) in mix.documents.items():
            if not is_allowed(licence, "noncommercial"):
                connection.execute(delete(document).where(document.c.track_id == track))
        connection.execute(update(tables.track).values(popularity=None))
        features_provider.choose_all(connection)
        genre_counters.recount(connection, mix.genres.values())
        tracks = connection.scalars(select(tables.track.c.id)).all()
        track_claims.recompute(connection, tracks)
    everything = config(labels="shared")
    rest = split_dataset(dataset.load_dataset(engine, everything), everything)
    assert data_fingerprint(rest) == data_fingerprint(restricted)
    assert restricted.sources.left_out.labels
    assert restricted.sources.left_out.below_level
    assert not rest.sources.left_out.labels


def test_any_licence_changes_nothing(engine: Engine) -> None:
    """With the defaults a training gets what the views say, as before sources were stored."""
    mixed(engine, 3)
    for labels in ("claim", "exclusive"):
        chosen = config(labels=labels)
        data = dataset.load_dataset(engine, chosen)
        with read_transaction(engine) as connection:
            seen = views.track_genres.c
            query = select(seen.track_id, seen.genre, seen.best_rank)
            sightings = dataframes.read_frame(
                connection, query.order_by(seen.track_id, seen.genre)
            )
            row = views.training_tracks.c
            names = [name for name in data.tracks.columns if name in row]
            tracks = dataframes.read_frame(
                connection, select(*(row[name] for name in names)).order_by(row.track_id)
            )
        pd.testing.assert_frame_equal(data.tracks[names], tracks)
        pd.testing.assert_frame_equal(data.track_genres(), sightings)
        before = split_dataset(_without_sources(data, sightings), chosen)
        after = split_dataset(data, chosen)
        assert after.labels.tolist() == before.labels.tolist()
        pd.testing.assert_frame_equal(after.tracks, before.tracks)
        pd.testing.assert_frame_equal(after.sightings, before.sightings)
        assert (after.train_mask == before.train_mask).all()
        assert after.sources.left_out == before.sources.left_out


def _without_sources(data: RawDataset, sightings: pd.DataFrame) -> RawDataset:
    return replace(data, sightings=sightings.reindex(columns=SIGHTING_COLUMNS))


def test_too_little_is_refused_by_name(sqlite_engine: Engine) -> None:
    """The message names sources and licences, and how an unknown licence is stated."""
    mixed(sqlite_engine, 1)
    with transaction(sqlite_engine) as connection:
        connection.execute(delete(tables.verdict))
        connection.execute(update(tables.data_source).values(licence="terms"))
        connection.execute(update(tables.sighting).values(licence=None))
    chosen = config("open")
    data = dataset.load_dataset(sqlite_engine, chosen)
    assert len(data.tracks) == 0
    with pytest.raises(TooFewTracks, match=r"--licence open: labels: .* from spotify \(terms\)"):
        split_dataset(data, chosen)
    with transaction(sqlite_engine) as connection:
        connection.execute(update(tables.data_source).values(licence="unknown"))
    with pytest.raises(TooFewTracks, match=r"discogs \(unknown\).*importing it again"):
        split_dataset(dataset.load_dataset(sqlite_engine, chosen), chosen)


def test_genres_of_the_mix_are_all_trained(sqlite_engine: Engine) -> None:
    """The mix has enough of everything for the tests above to mean something."""
    mix = mixed(sqlite_engine, 0)
    for licence in LICENCES:
        chosen = config(licence)
        split = split_dataset(dataset.load_dataset(sqlite_engine, chosen), chosen)
        assert split.classes == GENRES
        assert split.sources.features
    counts = Counter(one.source for one in mix.labels)
    assert min(counts.values()) > 50
