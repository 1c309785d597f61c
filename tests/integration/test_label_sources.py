"""Labels of several sources: each has its own row, and no order of arrival changes anything."""

import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, delete, select, text

from collector.catalogue import import_sightings, imported_files, track_merging, tracks
from collector.records import ArtistCredit, Level, Provenance, SourceTrack, TrackObservation
from genrebase.store import connect, tables, views
from genrebase.store.engine import read_transaction, transaction
from tests.consistency import assert_consistent
from tests.fakes import NOON

ORIGINS = ("spotify", "musicbrainz", "csv:a.csv")
GENRES = ("blues", "metal")
SourceObservation = tuple[str, TrackObservation]
"""An origin and what it returned."""


def track(title: str, source: str = "spotify", licence: str | None = None) -> SourceTrack:
    own = f"{source} {title}"
    return SourceTrack(source, own, title, (ArtistCredit("Artist"),), licence=licence)


def record(engine: Engine, origin: str, *seen: TrackObservation) -> None:
    with transaction(engine) as connection:
        tracks.record(connection, seen, Provenance(origin, None), NOON)
        assert_consistent(connection)


def query(engine: Engine, view: Any, *names: str) -> list[tuple]:
    with read_transaction(engine) as connection:
        rows = connection.execute(select(*(view.c[name] for name in names)))
        return sorted(map(tuple, rows), key=repr)


votes = st.integers(1, 3)
levels = st.sampled_from(Level)
observations = st.builds(
    lambda title, origin, genre, rank, voted, licence, playlist: (
        origin,
        TrackObservation(
            track(title, origin, licence),
            genre,
            rank,
            votes=voted[0],
            level=voted[1],
            playlist=playlist,
        ),
    ),
    st.sampled_from(("One", "Two")),
    st.sampled_from(ORIGINS[:2]),
    st.sampled_from((*GENRES, None)),
    st.integers(0, 2),
    st.one_of(st.just((None, None)), st.tuples(votes, levels)),
    st.sampled_from((None, "cc0", "cc-by-nc-4.0", "cc-by-nc-nd-4.0", "none of ours")),
    st.sampled_from((None, "Blue Notes", "Late Night")),
)


@st.composite
def two_orders(
    draw: st.DrawFn,
) -> tuple[list[list[SourceObservation]], list[list[SourceObservation]]]:
    """Draw the same observations in two orders, each in batches of one origin."""
    observed = draw(st.lists(observations, max_size=16))
    return _batches(draw, observed), _batches(draw, draw(st.permutations(observed)))


def _batches(
    draw: st.DrawFn, observed: Sequence[SourceObservation]
) -> list[list[SourceObservation]]:
    batches: list[list[SourceObservation]] = []
    for origin, seen in observed:
        if batches and batches[-1][0][0] == origin and draw(st.booleans()):
            batches[-1].append((origin, seen))
        else:
            batches.append([(origin, seen)])
    return batches


def recorded(
    engine: Engine, batches: Sequence[Sequence[SourceObservation]]
) -> dict[str, list[tuple]]:
    """Return what an empty database holds after these batches."""
    with transaction(engine) as connection:
        for table in (tables.track, tables.artist, tables.genre, tables.data_source):
            connection.execute(delete(table))
    for batch in batches:
        record(engine, batch[0][0], *(seen for _, seen in batch))
    track_, genre, sighting = tables.track, tables.genre, tables.sighting
    claims = select(track_.c.identity, genre.c.name, track_.c.claim_tied, track_.c.side)
    labels = select(
        track_.c.identity,
        genre.c.name,
        *(sighting.c[name] for name in ("source", "best_rank", "times")),
        *(sighting.c[name] for name in ("votes", "level", "licence", "playlist")),
    ).select_from(sighting.join(track_).join(genre, genre.c.id == sighting.c.genre_id))
    with read_transaction(engine) as connection:
        return {
            "claims": _sorted(connection.execute(claims.outerjoin(genre))),
            "labels": _sorted(connection.execute(labels)),
            "genres": _sorted(connection.execute(select(genre.c.name, genre.c.sightings))),
        }


def _sorted(rows: Any) -> list[tuple]:
    return sorted(map(tuple, rows), key=repr)


@pytest.fixture(scope="module")
def emptied_sqlite(
    migrated_sqlite: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Engine]:
    """A database that every example empties."""
    path = tmp_path_factory.mktemp("sources") / "one.db"
    shutil.copy(migrated_sqlite, path)
    engine = connect(f"sqlite:///{path}")
    yield engine
    engine.dispose()


@given(two_orders())
@settings(max_examples=60)
def test_no_order_of_sources_changes_tracks_labels_or_claims(
    emptied_sqlite: Engine,
    orders: tuple[list[list[SourceObservation]], list[list[SourceObservation]]],
) -> None:
    """Ranks, votes, levels and licences of several sources, in any order and batches."""
    one, other = orders
    assert recorded(emptied_sqlite, one) == recorded(emptied_sqlite, other)


def test_postgresql_stores_the_same_labels(
    emptied_sqlite: Engine, postgres_engine: Engine
) -> None:
    """One fixed sequence, both ways round, on both engines."""
    observed = [
        (ORIGINS[number % 3], TrackObservation(track(f"T {number % 7}", ORIGINS[number % 3],
         ("cc0", None, "cc-by-nc-4.0")[number % 3]), GENRES[number % 2], number % 5,
         votes=number % 4 + 1, level=Level(number % 3)))
        for number in range(40)
    ]  # fmt: skip
    batches = [[one] for one in observed]
    expected = recorded(emptied_sqlite, batches)
    assert recorded(postgres_engine, batches) == expected
    assert recorded(postgres_engine, batches[::-1]) == expected
    many = [[one for one in observed if one[0] == origin] for origin in ORIGINS]
    assert recorded(postgres_engine, many) == expected


def test_sources_are_counted_in_one_pass(postgres_engine: Engine) -> None:
    """PostgreSQL would read all sightings for each source: 7 seconds for 100 sources."""
    with read_transaction(postgres_engine) as connection:
        plan = "\n".join(connection.scalars(text("EXPLAIN SELECT * FROM data_sources")))
    for name in ("track", "sighting", "audio_features"):
        assert f"CTE Scan on {name}_rows" in plan


def test_a_track_of_two_sources_has_one_row_in_every_view(engine: Engine) -> None:
    """Views that read sightings count a track and genre once, whatever the number of sources."""
    song = track("Song")
    record(engine, "spotify", TrackObservation(song, "blues", 4))
    voted = TrackObservation(song, "blues", 0, votes=3, level=Level.RELEASE)
    record(engine, "musicbrainz", voted, TrackObservation(song, "metal", 1, votes=1, level=0))
    record(engine, "musicbrainz", TrackObservation(song, "blues", 2, votes=5, level=2))
    names = ("genre", "best_rank", "votes", "level", "times", "sources", "is_claim")
    assert query(engine, views.track_genres, *names) == [
        ("blues", 0, 5, 1, 3, 2, True),
        ("metal", 1, 1, 0, 1, 1, False),
    ]
    names = ("genre", "source", "rank", "votes", "level", "times", "licence", "licence_class")
    assert query(engine, views.track_genre_sources, *names) == [
        ("blues", "musicbrainz", 0, 5, 1, 2, "cc-by-nc-sa-3.0", "noncommercial"),
        ("blues", "spotify", 4, None, None, 1, "terms", "restricted"),
        ("metal", "musicbrainz", 1, 1, 0, 1, "cc-by-nc-sa-3.0", "noncommercial"),
    ]
    for view in (views.tracks, views.training_tracks, views.scoring_tracks):
        assert query(engine, view, "title", "genres_sighted") == [("Song", 2)]
    assert query(engine, views.genre_progress, "genre", "tracks", "sightings") == [
        ("blues", 1, 1),
        ("metal", 0, 1),
    ]
    names = ("genre", "other_genre", "tracks", "share", "other_share")
    assert query(engine, views.genre_overlaps, *names) == [("blues", "metal", 1, 1.0, 1.0)]
    names = ("name", "licence", "licence_class", "tracks", "labels", "features")
    assert query(engine, views.data_sources, *names) == [
        ("musicbrainz", "cc-by-nc-sa-3.0", "noncommercial", 0, 2, 0),
        ("spotify", "terms", "restricted", 1, 1, 0),
    ]


def test_merged_tracks_keep_the_labels_of_each_source(engine: Engine) -> None:
    """Equal sources are merged: best rank, most votes, lowest level, the stricter licence."""
    older, younger = track("Old", licence="cc0"), track("Young", licence="cc-by-nc-4.0")
    older_seen = TrackObservation(older, "blues", 4, votes=1, level=1, playlist="Blue Notes")
    record(engine, "spotify", older_seen)
    younger_seen = TrackObservation(younger, "blues", 2, votes=7, level=2, playlist="Late Night")
    record(engine, "spotify", younger_seen)
    record(engine, "musicbrainz", TrackObservation(younger, "blues", 1))
    with transaction(engine) as connection:
        older_id, younger_id = connection.scalars(select(tables.track.c.id).order_by("id"))
        track_merging.merge_pairs(connection, [(older_id, younger_id)], "spotify", NOON)
        assert_consistent(connection)
    names = ("source", "rank", "votes", "level", "times", "licence", "playlist")
    assert query(engine, views.track_genre_sources, *names) == [
        ("musicbrainz", 1, None, None, 1, "cc-by-nc-4.0", None),
        ("spotify", 2, 7, 1, 2, "cc-by-nc-4.0", "Late Night"),
    ]


def test_the_labels_of_merged_imports_are_those_of_the_last_one(engine: Engine) -> None:
    """Of two versions of a file the last one counts; without it, the first; harvests stay."""
    described = {"name": "a.csv", "origin": "csv:a.csv", "options": {}}
    ids = []
    for sha256, title, rank in (("a", "Old", 5), ("b", "Young", 7)):
        with transaction(engine) as connection:
            ids.append(imported_files.start(connection, NOON, sha256=sha256, **described))
            seen = TrackObservation(track(title, "csv:a.csv"), "blues", rank)
            delivery = Provenance("csv:a.csv", None, ids[-1])
            tracks.record(connection, [seen, seen], delivery, NOON)
    record(engine, "spotify", TrackObservation(track("Young"), "blues", 9))
    with transaction(engine) as connection:
        older, younger = connection.scalars(select(tables.track.c.id).order_by(tables.track.c.id))
        track_merging.merge_pairs(connection, [(older, younger)], "spotify", NOON)
        assert_consistent(connection)
    names = ("source", "rank", "times")
    spotify = ("spotify", 9, 1)
    assert query(engine, views.track_genre_sources, *names) == [("csv:a.csv", 7, 2), spotify]
    with transaction(engine) as connection:
        parts = import_sightings.load(connection, [older])
        first = [part for part in parts if part.import_id == ids[0]]
        assert not +import_sightings.rewrite(connection, parts, first, NOON)
    assert query(engine, views.track_genre_sources, *names) == [("csv:a.csv", 5, 2), spotify]
    with transaction(engine) as connection:
        assert not +import_sightings.rewrite(connection, first, [], NOON)
    assert query(engine, views.track_genre_sources, *names) == [spotify]
