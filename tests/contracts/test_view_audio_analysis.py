"""The views of audio analyses, in edge cases, on both engines."""

from types import SimpleNamespace

import pytest
from sqlalchemy import Engine, select

from genrebase.audio import packed_matrices, packed_vectors
from genrebase.store import tables, views
from genrebase.store.engine import read_transaction, transaction
from tests import factories as make
from tests.audio_analyses import add_analysis
from tests.fakes import NOON


@pytest.fixture
def filled(engine: Engine) -> SimpleNamespace:
    """Tracks of two genres, with analyses by no provider, by one and by two."""
    with transaction(engine) as connection:
        rock, jazz = make.add_genre(connection, "rock"), make.add_genre(connection, "jazz")
        database = SimpleNamespace(engine=engine, rock=rock, jazz=jazz)
        database.plain = make.add_track(connection, "Plain", genres=[rock])
        add_analysis(connection, database.plain, (0, 0, 7, None, 5, 9))
        database.both = make.add_track(connection, "Both", genres=[rock])
        add_analysis(connection, database.both, (2, 9), tonic=2, provider="audio")
        add_analysis(connection, database.both, (2, 4), tonic=2)
        database.unsure = make.add_track(connection, "Unsure", genres=[rock])
        add_analysis(connection, database.unsure, (0, 2, 0), sure=0.25)
        database.judged = make.add_track(connection, "Judged", genres=[rock])
        make.add_verdict(connection, database.judged, jazz)
        add_analysis(connection, database.judged, (0, 7), mode=0)
        database.unlabelled = make.add_track(connection, "Unlabelled")
        add_analysis(connection, database.unlabelled, (0, 7), tonic=None)
        database.halves = make.add_track(connection, "Halves", genres=[jazz])
        add_analysis(connection, database.halves, ())
        database.without_segments = make.add_track(connection, "Without segments", genres=[jazz])
        add_analysis(connection, database.without_segments, (0,), steps=0)
        database.nothing = make.add_track(connection, "Nothing", genres=[jazz])
    return database


def fetch(database: SimpleNamespace, query):
    with read_transaction(database.engine) as connection:
        return connection.execute(query).mappings().all()


def harmony(database: SimpleNamespace):
    return {row["track_id"]: row for row in fetch(database, select(views.harmony))}


def test_harmony_has_a_row_per_track_with_sections(filled: SimpleNamespace):
    """A track without an analysis, or without sections, has no row."""
    assert harmony(filled).keys() == {
        filled.plain, filled.both, filled.unsure, filled.judged, filled.unlabelled,
        filled.without_segments,
    }  # fmt: skip


def test_harmony_is_relative_to_the_tonic(filled: SimpleNamespace):
    """Degrees are counted from the track's key; a section without a key counts for no degree."""
    rows = harmony(filled)
    plain = rows[filled.plain]
    shares = {name: plain[name] for name in tables.DEGREE_COLUMNS if plain[name]}
    assert shares == {"degree_0": 0.4, "degree_5": 0.2, "degree_7": 0.2, "degree_9": 0.2}
    assert (plain["repeated_share"], plain["single_share"]) == (0.4, pytest.approx(0.6))
    assert (plain["degrees"], plain["degree_changes"], plain["sections"]) == (4, 2, 6)
    assert plain["numerals"] == "I V ? IV VI"
    assert (plain["key"], plain["mode"], plain["key_confidence"]) == (0, 1, 1.0)
    assert plain["fetched_at"] == NOON
    assert rows[filled.judged]["minor_share"] == 1.0


def test_a_track_without_a_key_has_no_shares(filled: SimpleNamespace):
    """Unknown values are NULL, not zero."""
    row = harmony(filled)[filled.unlabelled]
    assert {row[name] for name in (*tables.DEGREE_COLUMNS, "repeated_share", "key")} == {None}
    assert (row["degrees"], row["numerals"]) == (0, "?")


def test_the_preferred_provider_is_used(filled: SimpleNamespace):
    """Of two analyses of a track the views use the first in the feature order."""
    both = harmony(filled)[filled.both]
    assert (both["provider"], both["numerals"]) == ("spotify", "I II")
    timbres = fetch(filled, select(views.timbres).where(views.timbres.c.track_id == filled.both))
    assert [row["provider"] for row in timbres] == ["spotify"]


def test_sections_and_matrices_of_every_provider(filled: SimpleNamespace):
    """Each provider has its own rows."""
    mine = views.sections.c.track_id == filled.both
    rows_by_key = fetch(
        filled,
        select(views.sections)
        .where(mine)
        .order_by(views.sections.c.provider, views.sections.c.position),
    )
    assert [(row["provider"], row["numeral"]) for row in rows_by_key] == [
        ("audio", "I"), ("audio", "V"), ("spotify", "I"), ("spotify", "II"),
    ]  # fmt: skip
    packed = fetch(
        filled, select(views.sound_matrices).where(views.sound_matrices.c.track_id == filled.both)
    )
    for row in packed:
        assert packed_matrices.unpack(row["data"], row["steps"], row["channels"]).shape == (3, 26)
    assert {row["provider"] for row in packed} == {"audio", "spotify"}


def test_timbres_need_segments(filled: SimpleNamespace):
    """Sections alone have no timbre, segments alone have."""
    rows = {row["track_id"]: row for row in fetch(filled, select(views.timbres))}
    assert filled.halves in rows
    assert filled.without_segments not in rows
    row = rows[filled.plain]
    assert {row[f"timbre_mean_{number}"] for number in range(12)} == {0.5}
    assert {row[f"pitch_deviation_{number}"] for number in range(12)} == {0.0}
    assert row["segments"] == 3


def test_progressions_are_counted_by_label(filled: SimpleNamespace):
    """The verdict overrides the claim; an unlabelled track counts for no genre."""
    rows = fetch(filled, select(views.genre_progressions))
    rows_by_key = {(row["genre"], row["progression"]): row for row in rows}
    assert {genre for genre, _ in rows_by_key} == {"rock", "jazz"}
    assert ("rock", "i v") not in rows_by_key
    jazz = rows_by_key["jazz", "i v"]
    assert (jazz["tracks"], jazz["rank"], jazz["length"]) == (1, 1, 2)
    assert jazz["share"] == 0.5  # of two tracks with sections
    assert (rows_by_key["rock", "I II"]["tracks"], rows_by_key["rock", "I II"]["share"]) == (
        2,
        2 / 3,
    )


def test_progressions_are_weighted_by_confidence(filled: SimpleNamespace):
    """Progressions are ranked by weight, within a genre and a length."""
    view = views.genre_progressions
    rows = fetch(
        filled,
        select(view).where(view.c.genre == "rock", view.c.length == 2).order_by(view.c.rank),
    )
    assert [(row["progression"], row["weight"]) for row in rows] == [
        ("I II", 1.25), ("I V", 1.0), ("IV VI", 1.0), ("II I", 0.25),
    ]  # fmt: skip
    assert [row["rank"] for row in rows] == [1, 2, 3, 4]
    longer = fetch(filled, select(view).where(view.c.genre == "rock", view.c.length > 2))
    assert [(row["progression"], row["rank"]) for row in longer] == [("I II I", 1)]


def test_descriptors_of_every_provider_and_schema(engine: Engine):
    """Packed values are unpacked by their schema, NaN included; a track may have two schemas."""
    nothing = float("nan")
    with transaction(engine) as connection:
        track = make.add_track(connection, "Described")
        make.add_descriptor(connection, track, {"a_mean": 1.5, "b_skew": nothing})
        make.add_descriptor(connection, track, {"a_mean": -2.0}, provider="fma", schema="less")
    database = SimpleNamespace(engine=engine)
    sets = {
        row["schema"]: row["columns"] for row in fetch(database, select(views.descriptor_schemas))
    }
    assert sets == {"genrebase-1": ["a_mean", "b_skew"], "less": ["a_mean"]}
    rows_by_key = {
        (row["track_id"], row["provider"], row["schema"]): packed_vectors.unpack(
            row["data"], len(sets[row["schema"]])
        ).tolist()
        for row in fetch(database, select(views.track_descriptors))
    }
    assert rows_by_key == {
        (track, "audio", "genrebase-1"): [1.5, pytest.approx(nothing, nan_ok=True)],
        (track, "fma", "less"): [-2.0],
    }
