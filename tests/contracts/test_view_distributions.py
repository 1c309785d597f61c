"""Histograms and trends of genres, on both engines."""

from collections import Counter

import pytest
from sqlalchemy import Engine, select

from genrebase.store import tables, views
from genrebase.store.engine import read_transaction, transaction
from genrebase.store.views.histograms import BINS
from tests import factories as make


def query(engine: Engine, view) -> list:
    with read_transaction(engine) as connection:
        return list(connection.execute(select(view)).mappings())


def add(connection, number: int, genres, **features):
    track = make.add_track(connection, f"Song {number}", genres=genres)
    make.add_features(connection, track, **features)
    return track


def test_bins_cover_the_range_of_a_feature():
    """Every range begins in bin 0 and ends with the last bin; widths are as documented."""
    for feature, bins in BINS.items():
        low, high = tables.FEATURE_RANGES[feature.removeprefix("own_")]
        assert bins.low <= low
        assert bins.low + bins.span == high
        width = bins.span / bins.count
        assert width == pytest.approx(
            {"loudness": 2, "tempo": 10}.get(feature.removeprefix("own_"), 0.05)
        )


def test_a_value_on_a_bound_is_in_the_bin_above(engine: Engine):
    """Each bin includes its lower bound; the last bin includes the maximum."""
    values = [number / 20 for number in range(21)] + [0.149999, 0.150001]
    with transaction(engine) as connection:
        rock = make.add_genre(connection, "rock")
        for number, value in enumerate(values):
            add(connection, number, [rock], energy=value, valence=None)
    rows = query(engine, views.genre_histograms)
    energy = {row["bin"]: row for row in rows if row["feature"] == "energy"}
    assert sorted(energy) == list(range(20))
    counted = {number: row["tracks"] for number, row in energy.items()}
    assert counted == {**dict.fromkeys(range(20), 1), 2: 2, 3: 2, 19: 2}
    assert all(
        (row["low"], row["high"]) == (pytest.approx(number / 20), pytest.approx((number + 1) / 20))
        for number, row in energy.items()
    )
    assert sum(row["share"] for row in energy.values()) == pytest.approx(1)
    assert not [row for row in rows if row["feature"] == "valence"]


@pytest.mark.parametrize(
    ("feature", "value", "expected"),
    [
        ("loudness", -7.5, (46, -8.0, -6.0)),
        ("loudness", -100.0, (0, -100.0, -98.0)),
        ("loudness", 20.0, (59, 18.0, 20.0)),
        ("tempo", 120.0, (12, 120.0, 130.0)),
        ("tempo", 1.0, (0, 0.0, 10.0)),
        ("tempo", 400.0, (39, 390.0, 400.0)),
        ("key", 11, (11, 11.0, 11.0)),
        ("mode", 0, (0, 0.0, 0.0)),
        ("time_signature", 4, (4, 4.0, 4.0)),
    ],
)
def test_a_feature_has_its_own_bins(engine: Engine, feature, value, expected):
    """Bins are in the feature's unit; a categorical feature has one for each value."""
    with transaction(engine) as connection:
        add(connection, 1, [make.add_genre(connection, "rock")], **{feature: value})
    (row,) = [row for row in query(engine, views.genre_histograms) if row["feature"] == feature]
    assert (row["bin"], row["low"], row["high"]) == expected
    assert (row["genre"], row["tracks"], row["share"]) == ("rock", 1, 1.0)


def test_histograms_are_by_label(engine: Engine):
    """A verdict moves a track to another genre's bins; an unlabelled track is in none."""
    with transaction(engine) as connection:
        rock, jazz = make.add_genre(connection, "rock"), make.add_genre(connection, "jazz")
        add(connection, 1, [rock])
        judged = add(connection, 2, [rock])
        make.add_verdict(connection, judged, jazz)
        add(connection, 3, [])
    rows = query(engine, views.genre_histograms)
    tracks = Counter()
    for row in rows:
        tracks[row["genre"]] += row["tracks"]
    assert tracks == dict.fromkeys(("rock", "jazz"), len(tables.FEATURES))


@pytest.fixture
def mixed(engine: Engine) -> Engine:
    """Return a database with genres of both scales, of files only, and of a catalogue only."""
    both = (("csv", 0.2), ("csv", 0.4), ("audio", 0.9))
    held = {"both": both, "files": both[2:], "catalogue": both[:2]}
    with transaction(engine) as connection:
        for genre, tracks in held.items():
            number = make.add_genre(connection, genre)
            for place, (provider, energy) in enumerate(tracks):
                track = make.add_track(
                    connection,
                    f"{genre} {place}",
                    genres=[number],
                    release_year=1999,
                    popularity=50,
                )
                make.add_features(connection, track, provider, energy=energy, tempo=100.0)
        twice = make.add_track(connection, "Both", genres=[number], release_year=1999)
        make.add_features(connection, twice, "csv", energy=0.3, tempo=100.0)
        make.add_features(connection, twice, "audio", energy=0.9, tempo=100.0)
    return engine


def test_profiles_never_mix_scales(mixed: Engine):
    """The energy of audio files has rows of its own; tempo is on one scale.

    A track with features of both counts with those of the preferred provider.
    """
    rows = {
        (row["genre"], row["feature"]): (row["n"], pytest.approx(row["mean"]))
        for row in query(mixed, views.genre_profiles)
        if row["feature"] in {"energy", "own_energy", "tempo"}
    }
    assert rows == {
        ("both", "energy"): (2, 0.3),
        ("both", "own_energy"): (1, 0.9),
        ("both", "tempo"): (3, 100.0),
        ("files", "own_energy"): (1, 0.9),
        ("files", "tempo"): (1, 100.0),
        ("catalogue", "energy"): (3, 0.3),
        ("catalogue", "tempo"): (3, 100.0),
    }


def test_histograms_never_mix_scales(mixed: Engine):
    """Shares are of the tracks on the same scale."""
    rows = [row for row in query(mixed, views.genre_histograms) if row["genre"] == "both"]
    bins = {
        (row["feature"], row["bin"]): (row["tracks"], row["share"])
        for row in rows
        if row["feature"].endswith("energy")
    }
    assert bins == {("energy", 4): (1, 0.5), ("energy", 8): (1, 0.5), ("own_energy", 18): (1, 1)}


@pytest.mark.parametrize("view", [views.genre_trends, views.genre_popularity])
def test_trends_never_mix_scales(mixed: Engine, view):
    """The last columns are the means of audio files and the number of their tracks."""
    rows = {row["genre"]: row for row in query(mixed, view)}
    both, files, catalogue = (rows[genre] for genre in ("both", "files", "catalogue"))
    assert (both["with_features"], both["from_files"], both["tempo"]) == (3, 1, 100.0)
    assert (both["energy"], both["own_energy"]) == (pytest.approx(0.3), 0.9)
    assert (files["with_features"], files["from_files"], files["energy"]) == (1, 1, None)
    assert files["own_energy"] == 0.9
    assert (catalogue["from_files"], catalogue["own_energy"]) == (0, None)
    assert catalogue["energy"] == pytest.approx(0.3)


def test_trends_are_by_label_and_year(engine: Engine):
    """One row per genre and year, with its decade; tracks without a year are left out."""
    with transaction(engine) as connection:
        rock, jazz = make.add_genre(connection, "rock"), make.add_genre(connection, "jazz")
        years = [(1999, 10), (1999, None), (2000, 50), (None, 90)]
        tracks = [
            make.add_track(
                connection,
                f"Song {number}",
                genres=[rock],
                release_year=year,
                popularity=popularity,
            )
            for number, (year, popularity) in enumerate(years)
        ]
        make.add_features(connection, tracks[0], energy=0.2, key=None)
        judged = make.add_track(connection, "Judged", genres=[rock], release_year=1999)
        make.add_verdict(connection, judged, jazz)
        make.add_features(connection, judged, energy=0.4)
        make.add_track(connection, "Unlabelled", release_year=1999)
    rows = {(row["genre"], row["release_year"]): row for row in query(engine, views.genre_trends)}
    assert rows.keys() == {("rock", 1999), ("rock", 2000), ("jazz", 1999)}
    first = rows["rock", 1999]
    assert (first["decade"], first["tracks"], first["with_features"]) == (1990, 2, 1)
    assert (first["popularity"], first["energy"], first["key"]) == (10.0, 0.2, None)
    later = rows["rock", 2000]
    assert (later["decade"], later["tracks"], later["with_features"]) == (2000, 1, 0)
    assert (later["popularity"], later["energy"]) == (50.0, None)
    assert rows["jazz", 1999]["energy"] == 0.4


def test_popularity_is_in_bands_of_ten(engine: Engine):
    """0 to 9, 10 to 19 and so on, the last including 100; unknown popularity is left out."""
    with transaction(engine) as connection:
        rock = make.add_genre(connection, "rock")
        tracks = [(0, 1990), (9, 2000), (10, None), (99, 2010), (100, 2020), (None, 2030)]
        for number, (popularity, year) in enumerate(tracks):
            track = make.add_track(
                connection,
                f"Song {number}",
                genres=[rock],
                popularity=popularity,
                release_year=year,
            )
            if number < 2:
                make.add_features(connection, track, energy=number / 2)
    rows = {row["popularity"]: row for row in query(engine, views.genre_popularity)}
    assert {band: row["tracks"] for band, row in rows.items()} == {0: 2, 10: 1, 90: 2}
    assert (rows[0]["with_features"], rows[0]["energy"]) == (2, 0.25)
    assert (rows[90]["release_year"], rows[90]["energy"]) == (2015, None)
    assert rows[10]["release_year"] is None
