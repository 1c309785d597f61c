"""Recording: unique tracks, every sighting, and claims that do not depend on the order."""

from datetime import timedelta
from itertools import permutations

import pytest
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError

from collector.catalogue import tracks
from collector.records import (
    ArtistCredit,
    AudioFeatures,
    Provenance,
    RecordResult,
    SourceTrack,
    TrackObservation,
)
from genrebase.store import find, tables
from genrebase.store.engine import read_transaction, transaction
from tests.consistency import assert_consistent
from tests.fakes import NOON

HARVEST = Provenance("spotify", None)


def source_track(source_id, title="Song", artist="Artist", **facts):
    credits_ = tuple(
        ArtistCredit(name, f"id of {name}") if not name.endswith("?") else ArtistCredit(name[:-1])
        for name in artist.split("; ")
    )
    source = "name" if source_id is None else "spotify"
    return SourceTrack(source, source_id or "", title, credits_, **facts)


def record(engine, *seen, delivery=HARVEST, now=NOON):
    items = [
        item if isinstance(item, TrackObservation) else TrackObservation(*item) for item in seen
    ]
    with transaction(engine) as connection:
        recorded = tracks.record(connection, items, delivery, now)
        assert_consistent(connection)
    return recorded


def rows(engine, table, *columns, order=None):
    with read_transaction(engine) as connection:
        query = select(*(table.c[name] for name in columns)).order_by(*(order or columns))
        return [tuple(row) for row in connection.execute(query)]


def labels(engine):
    """Per source id the genre that claims its track."""
    alias, track, genre = tables.track_alias, tables.track, tables.genre
    query = (
        select(alias.c.source_id, genre.c.name)
        .join(track, track.c.id == alias.c.track_id)
        .outerjoin(genre, genre.c.id == track.c.genre_id)
    )
    with read_transaction(engine) as connection:
        return dict(connection.execute(query).all())


def count(engine, table):
    with read_transaction(engine) as connection:
        return connection.scalar(select(func.count()).select_from(table))


def test_a_rerelease_is_the_same_track(engine):
    """Another id, a remaster's title and a duration within two seconds: one track, two aliases."""
    recorded = record(
        engine,
        (source_track("a", "Song", duration_ms=200_000), "rock", 0),
        (source_track("b", "Song - Remastered 2011", duration_ms=201_000), "rock", 1),
    )
    assert recorded == RecordResult(tracks_new=1, duplicates=1)
    assert rows(engine, tables.track, "identity") == [("song|artist",)]
    assert rows(engine, tables.track_alias, "source", "source_id") == [
        ("spotify", "a"),
        ("spotify", "b"),
    ]


def test_another_recording_of_the_name_is_another_track(engine):
    """Three seconds apart is another recording: it gets the next ordinal of the name."""
    record(engine, (source_track("a", duration_ms=200_000), "rock", 0))
    record(engine, (source_track("b", duration_ms=203_000), "rock", 1))
    record(engine, (source_track("c", "Song - Live", duration_ms=200_000), "rock", 2))
    assert rows(engine, tables.track, "identity") == [
        ("song - live|artist",),
        ("song|artist",),
        ("song|artist|2",),
    ]


def test_recording_a_page_again_makes_no_second_row(engine):
    """A repeated page adds to `times` and nothing else."""
    page = [(source_track("a"), "rock", 0), (source_track("b", "Other"), "rock", 1)]
    record(engine, *page)
    assert record(engine, *page) == RecordResult(tracks_new=0, duplicates=2)
    assert rows(engine, tables.sighting, "best_rank", "times") == [(0, 2), (1, 2)]
    assert count(engine, tables.track) == 2


def test_a_row_counted_before_adds_nothing_to_times(engine):
    """An import begun again passes the rows it had counted already."""
    record(engine, (source_track("a"), "rock", 3))
    record(
        engine,
        TrackObservation(source_track("a"), "rock", 3, count_sighting=False),
        now=NOON + timedelta(days=1),
    )
    assert rows(engine, tables.sighting, "best_rank", "times") == [(3, 1)]


def test_the_best_rank_claims_the_track(engine):
    """A better rank under another genre takes the track over, whenever it arrives."""
    record(engine, (source_track("a"), "rock", 5))
    assert labels(engine) == {"a": "rock"}
    record(engine, (source_track("a"), "jazz", 2))
    assert labels(engine) == {"a": "jazz"}
    record(engine, (source_track("a"), "rock", 1), (source_track("a"), "blues", 1))
    assert labels(engine) == {"a": "blues"}, (
        "a tie goes to the genre with fewer sightings, by name"
    )


@pytest.mark.parametrize("order", [("rock", "jazz"), ("jazz", "rock")])
def test_ties_do_not_depend_on_the_order_of_the_crawl(engine, order):
    """When the genres change places by sightings, tied tracks are settled again."""
    pages = {
        "rock": [(source_track("shared"), "rock", 0), (source_track("r", "R"), "rock", 1)],
        "jazz": [
            (source_track("shared"), "jazz", 0),
            (source_track("j", "J"), "jazz", 1),
            (source_track("k", "K"), "jazz", 2),
        ],
    }
    for genre in order:
        for item in pages[genre]:
            record(engine, item)
    assert labels(engine)["shared"] == "rock"


def test_a_stored_id_never_moves_to_another_track(engine):
    """A changed title at the source does not change the track."""
    record(engine, (source_track("a", "Song"), "rock", 0))
    record(engine, (source_track("a", "Quite Another"), "rock", 0))
    assert rows(engine, tables.track, "title") == [("Song",)]


def test_a_later_isrc_merges_two_tracks(engine):
    """The older id stays; aliases, sightings and verdicts move; the younger track is deleted."""
    unnamed = {"duration_ms": 200_500, "match_by_name": False}
    record(engine, (source_track("a", duration_ms=200_000, isrc="X"), "rock", 0))
    record(engine, (source_track("b", **unnamed), "jazz", 0))
    with transaction(engine) as connection:
        ids = dict(connection.execute(select(tables.track_alias.c["source_id", "track_id"])).all())
        jazz = connection.scalar(select(tables.genre.c.id).where(tables.genre.c.name == "jazz"))
        verdict = {"track_id": ids["b"], "labelled_by": "eva", "genre_id": jazz}
        connection.execute(tables.verdict.insert().values(**verdict, labelled_at=NOON))
    record(engine, (source_track("b", isrc="X", **unnamed), "jazz", 0))
    oldest = ids["a"]
    assert rows(engine, tables.track, "id") == [(oldest,)]
    assert rows(engine, tables.merged_track, "track_id", "merged_into") == [(ids["b"], oldest)]
    with read_transaction(engine) as connection:
        assert find.find_track(connection, str(ids["b"])) == oldest
    assert rows(engine, tables.track_alias, "source_id", "track_id") == [
        ("a", oldest),
        ("b", oldest),
    ]
    assert rows(engine, tables.verdict, "track_id", "labelled_by") == [(oldest, "eva")]
    assert [times for (times,) in rows(engine, tables.sighting, "times")] == [1, 2]
    record(engine, (source_track("c", "Another"), "rock", 0))
    assert ids["b"] not in {track_id for (track_id,) in rows(engine, tables.track, "id")}


def test_a_later_isrc_counts_for_the_whole_range(engine):
    """203 seconds are near the longer of the durations that the other track has."""
    for duration_ms in (200_000, 201_500):
        record(engine, (source_track("a", duration_ms=duration_ms, isrc="X"), "rock", 0))
    unnamed = {"duration_ms": 203_000, "match_by_name": False}
    record(engine, (source_track("b", **unnamed), "rock", 0))
    record(engine, (source_track("b", isrc="X", **unnamed), "rock", 0))
    assert rows(engine, tables.track, "shortest_ms", "longest_ms") == [(200_000, 203_000)]


def test_an_isrc_does_not_merge_recordings_of_other_durations(engine):
    """Some catalogues give one ISRC to a song and to its extended version."""
    for duration_ms in (200_000, 260_000):
        named = source_track(str(duration_ms), duration_ms=duration_ms, isrc="X")
        record(engine, (named, "rock", 0), (named, "rock", 0))
    assert len(rows(engine, tables.track, "id")) == 2


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_another_duration_of_the_same_id_counts_in_every_order(engine, order):
    """Tables round durations: 201.5 seconds lie within two seconds of both others."""
    seen = (("a", 200_000), ("a", 201_500), ("b", 203_500))
    for place in order:
        source_id, duration_ms = seen[place]
        record(engine, (source_track(source_id, duration_ms=duration_ms), "rock", 0))
    assert rows(engine, tables.track, "shortest_ms", "longest_ms") == [(200_000, 203_500)]


def test_a_far_duration_of_the_same_id_does_not_count(engine):
    """It is the same track by its id, but no recording of three minutes and more."""
    for duration_ms in (200_000, 260_000):
        record(engine, (source_track("a", duration_ms=duration_ms), "rock", 0))
    assert rows(engine, tables.track, "shortest_ms", "longest_ms") == [(200_000, 200_000)]


def test_missing_values_are_filled_and_present_ones_kept(engine):
    """A later source completes a track and never overwrites it."""
    record(engine, (source_track("a", album="First", popularity=None), "rock", 0))
    record(engine, (source_track("a", album="Second", popularity=7, isrc="X"), "rock", 0))
    assert rows(engine, tables.track, "album", "popularity", "isrc") == [("First", 7, "X")]


def test_credits_are_the_union_of_the_aliases(engine):
    """A featured artist credited on the re-release only is credited."""
    record(engine, (source_track("a", "Song", "Artist"), "rock", 0))
    record(engine, (source_track("b", "Song (feat. Guest)", "Artist; Guest"), "rock", 1))
    assert rows(engine, tables.track, "artists") == [("Artist; Guest",)]


def test_a_named_artist_gets_its_id_later(engine):
    """There is one artist, in either order of the sources."""
    record(engine, (source_track("a", "One", "Björk?"), "rock", 0))
    assert rows(engine, tables.artist, "source", "source_id") == [("name", "björk")]
    record(engine, (source_track("b", "Two", "Björk"), "rock", 1))
    record(engine, (source_track("c", "Three", "BJÖRK?"), "rock", 2))
    assert rows(engine, tables.artist, "source", "source_id") == [("spotify", "id of Björk")]


def test_a_row_without_an_id_is_matched_by_name(engine):
    """The alias of a track without an id is a hash of its identity."""
    first = record(engine, (source_track(None, duration_ms=200_000), "rock", 0))
    again = record(engine, (source_track(None, duration_ms=200_900), "rock", 1))
    other = record(engine, (source_track(None, duration_ms=300_000), "rock", 2))
    assert (first.tracks_new, again.tracks_new, other.tracks_new) == (1, 0, 1)
    assert [source for (source, _) in rows(engine, tables.track_alias, "source", "source_id")] == [
        "name",
        "name",
    ]


def test_features_come_along_once_per_provider(engine):
    """The first features a delivery gave for a track are kept."""
    csv = Provenance("csv:a.csv", "csv")
    loud, quiet = AudioFeatures(loudness=-5.0, key=11), AudioFeatures(loudness=-50.0)
    record(engine, (source_track("a", features=loud), "rock", 0), delivery=csv)
    record(engine, (source_track("a", features=quiet), "rock", 0), delivery=csv)
    assert rows(engine, tables.audio_features, "provider", "loudness", "key") == [
        ("csv", -5.0, 11)
    ]


def test_a_track_without_a_genre_is_kept_unlabelled(engine):
    """No sighting, no claim; the track is there to be named."""
    record(engine, (source_track("a"), None, 0))
    assert rows(engine, tables.track, "genre_id") == [(None,)]
    assert count(engine, tables.sighting) == 0


def test_a_batch_that_fails_leaves_nothing(engine):
    """Half a batch is no batch."""
    half = TrackObservation(source_track("b", popularity=1_000), "rock", 1)
    with pytest.raises(IntegrityError):
        record(engine, (source_track("a"), "rock", 0), half)
    assert count(engine, tables.track) == 0
    assert count(engine, tables.genre) == 0
