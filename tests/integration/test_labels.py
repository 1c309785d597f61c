"""Verdicts of people on tracks, on both databases."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from collector.catalogue import tracks
from collector.curation import genres, verdicts
from collector.datasets.column_roles.columns import ColumnsMissing
from collector.records import ArtistCredit, Provenance, SourceTrack, TrackObservation
from genrebase.errors import NothingToDo, UserError
from genrebase.store import find, tables
from genrebase.store.engine import make_engine, read_transaction, transaction
from tests.fakes import NOON, FakeClock

ID = "6f807x0ima9a1j3VPbc7VN"


def fill(engine):
    """Two tracks under rock, one of them without an id, and a genre pop."""
    for name in ("rock", "pop"):
        genres.add(engine, FakeClock(), name, 10)
    seen = [
        TrackObservation(
            SourceTrack(source, source_id, title, (ArtistCredit("Artist"),)), "rock", rank
        )
        for rank, (source, source_id, title) in enumerate(
            [("spotify", ID, "Song, the"), ("name", "", "Nameless"), ("csv:x.csv", "a7", "Other")]
        )
    ]
    with transaction(engine) as connection:
        tracks.record(connection, seen, Provenance("csv:x.csv", None), NOON)


@pytest.fixture
def filled(engine):
    fill(engine)
    return engine


@pytest.fixture
def filled_sqlite(sqlite_engine):
    fill(sqlite_engine)
    return sqlite_engine


def give(engine, track=ID, genre="pop", by="ann", note=None, clock=None):
    return verdicts.add(engine, clock or FakeClock(), track, genre, by, note).stored


def stored(engine):
    with read_transaction(engine) as connection:
        return [
            (label.source_id, label.genre, label.by, label.note)
            for label in verdicts.verdicts.list_verdicts(connection)
        ]


def test_a_note_has_only_what_every_database_stores(filled):
    """PostgreSQL stores no NUL; a note of nothing else is none."""
    assert give(filled, note="a\0b ").note == "ab"
    assert give(filled, note="\0").note is None


def test_names_of_people_and_notes_have_a_longest_length(filled):
    """A longer one is refused, and the sentence says what to do; the longest is stored."""
    with pytest.raises(UserError, match=r"at most 100 characters.*101: shorten it"):
        give(filled, by="é" * 101)
    with pytest.raises(UserError, match=r"at most 2,000 characters.*2,001: shorten it"):
        give(filled, note="n" * 2_001)
    for separator in ("\n", "\x1b", "\u2028"):
        with pytest.raises(UserError, match="has control characters or line breaks"):
            give(filled, by=f"Ann{separator}Bo")
    assert stored(filled) == []
    give(filled, by="é" * 100, note="n" * 2_000)
    assert stored(filled) == [(ID, "pop", "é" * 100, "n" * 2_000)]


def test_a_label_does_not_change_the_claim(filled):
    """The claim comes from the sources, the verdict from a person."""
    given = give(filled, note="obviously")
    assert (given.title, given.genre, given.by, given.note) == (
        "Song, the",
        "pop",
        "ann",
        "obviously",
    )
    with read_transaction(filled) as connection:
        claim = select(tables.genre.c.name).join(
            tables.track, tables.track.c.genre_id == tables.genre.c.id
        )
        assert set(connection.scalars(claim)) == {"rock"}


@pytest.mark.parametrize("text", ["", "0", "999999", "9" * 30, "x", "0" * 22, "²"])
def test_a_track_that_is_not_there(filled_sqlite, text):
    """Is refused with a message."""
    with pytest.raises(find.UnknownTrack, match="no track"):
        give(filled_sqlite, track=text)


def test_an_unknown_genre_names_the_nearest(filled_sqlite):
    """A typing error is no new class."""
    with pytest.raises(UserError, match="'pop'"):
        give(filled_sqlite, genre="popp")
    with pytest.raises(UserError, match="name of the person"):
        give(filled_sqlite, by=" ")


def test_one_label_per_person(filled):
    """A later label of the same person replaces the first; two people may disagree."""
    give(filled)
    give(filled, genre="rock")
    give(filled, by="bob")
    assert sorted(stored(filled)) == [(ID, "pop", "bob", None), (ID, "rock", "ann", None)]


def test_a_label_is_removed(filled):
    """With labels of several people the person must be named."""
    give(filled)
    give(filled, by="bob")
    with pytest.raises(UserError, match="ann, bob"):
        verdicts.remove(filled, ID)
    assert [label.by for label in verdicts.remove(filled, ID, "ann")] == ["ann"]
    assert [label.by for label in verdicts.remove(filled, ID)] == ["bob"]
    with pytest.raises(NothingToDo):
        verdicts.remove(filled, ID)


def test_labels_survive_another_database(filled, migrated_sqlite, tmp_path):
    """Exported, imported into a database with other numbers, exported again: the same file."""
    give(filled, note='says "so", really\nyes')
    with read_transaction(filled) as connection:
        nameless = connection.scalar(
            select(tables.track.c.id).where(tables.track.c.title == "Nameless")
        )
    give(filled, track=str(nameless), by="bob")
    verdicts.add(filled, FakeClock(), "a7", "pop", "bob", blind=True)
    assert verdicts.export_labels(filled, tmp_path / "labels.csv") == 3
    (tmp_path / "other.db").write_bytes(migrated_sqlite.read_bytes())
    other = make_engine(f"sqlite:///{tmp_path / 'other.db'}")
    with transaction(other) as connection:
        one = SourceTrack("spotify", "0" * 22, "Before", (ArtistCredit("X"),))
        tracks.record(
            connection, [TrackObservation(one, None, 0)], Provenance("spotify", None), NOON
        )
    fill(other)
    taken = verdicts.import_labels(other, FakeClock(), tmp_path / "labels.csv")
    assert (taken.rows, taken.labelled, taken.rejected) == (3, 3, 0)
    verdicts.export_labels(other, tmp_path / "again.csv")
    other.dispose()
    assert (tmp_path / "again.csv").read_bytes() == (tmp_path / "labels.csv").read_bytes()
    blind = [line.endswith(",yes") for line in (tmp_path / "again.csv").read_text().splitlines()]
    assert sum(blind) == 1


def test_a_blind_label_is_blind_until_it_changes(filled):
    """Repeating it changes nothing; another label given with the answer in view is not blind."""
    for genre, blind, is_blind in (
        ("pop", True, True),
        ("pop", False, True),
        ("rock", False, False),
        ("rock", True, True),
    ):
        change = verdicts.add(filled, FakeClock(), ID, genre, "ann", blind=blind)
        assert change.stored.blind is is_blind
    verdicts.undo(filled, change)
    with read_transaction(filled) as connection:
        (label,) = verdicts.verdicts.list_verdicts(connection)
    assert (label.genre, label.blind) == ("rock", False)


def test_bad_rows_are_counted_and_stop_nothing(filled, tmp_path):
    """Each with its reason; importing again changes nothing."""
    path = tmp_path / "labels.csv"
    path.write_text(
        "track,genre,by,at,note\n"
        f"{ID},pop,ann,2020-01-01T00:00:00,\n"
        "nowhere,pop,ann,,\n"
        f"{ID},popp,ann,,\n"
        f"{ID},pop,,,\n"
        f"{ID},pop,bob,yesterday,\n"
        "short,row\n"
        f"{ID},pop,{'a' * 101},,\n"
        f"{ID},pop,ann,,{'n' * 2_001}\n"
    )
    taken = verdicts.import_labels(filled, FakeClock(), path)
    assert (taken.rows, taken.labelled, taken.unchanged, taken.rejected) == (8, 1, 0, 7)
    assert taken.reasons == {
        "labelled by nobody": 1,
        "not a moment": 1,
        "note over 2,000 characters": 1,
        "the labeller's name is too long, or has control characters": 1,
        "unknown genre": 1,
        "unknown track": 1,
        "wrong number of columns": 1,
    }
    again = verdicts.import_labels(filled, FakeClock(), path)
    assert (again.labelled, again.unchanged) == (0, 1)


def test_an_older_file_does_not_undo_a_newer_label(filled, tmp_path):
    """The later word of the same person stands."""
    give(filled, genre="rock", clock=FakeClock(NOON + timedelta(days=1)))
    path = tmp_path / "labels.csv"
    path.write_text(f"track,genre,by,at\n{ID},pop,ann,{NOON.isoformat()}\n")
    assert verdicts.import_labels(filled, FakeClock(), path).unchanged == 1
    assert stored(filled) == [(ID, "rock", "ann", None)]


def test_a_file_without_names_needs_one(filled_sqlite, tmp_path):
    """`--by` says who labelled it."""
    path = tmp_path / "labels.csv"
    path.write_text(f"track,genre\n{ID},pop\n")
    with pytest.raises(ColumnsMissing, match="by"):
        verdicts.import_labels(filled_sqlite, FakeClock(), path)
    for wrong in (" ", "e" * 101):
        with pytest.raises(UserError, match="person"):
            verdicts.import_labels(filled_sqlite, FakeClock(), path, by=wrong)
    assert verdicts.import_labels(filled_sqlite, FakeClock(), path, by=" eve ").labelled == 1
    assert stored(filled_sqlite) == [(ID, "pop", "eve", None)]


def test_an_export_overwrites_nothing(filled_sqlite, tmp_path):
    """An existing file, such as a database, is unchanged."""
    path = tmp_path / "other.db"
    path.write_bytes(b"precious")
    with pytest.raises(UserError, match="exists already"):
        verdicts.export_labels(filled_sqlite, path)
    assert path.read_bytes() == b"precious"


def test_an_export_for_spreadsheets(filled_sqlite, tmp_path):
    """Names and notes of strangers are texts there; without the option they are exact."""
    give(filled_sqlite, by="=cmd", note="-1+1")
    for name, option in (("exact.csv", False), ("shown.csv", True)):
        verdicts.export_labels(filled_sqlite, tmp_path / name, for_spreadsheets=option)
    assert ",=cmd,2" in (tmp_path / "exact.csv").read_text()
    assert ",-1+1,Song" in (tmp_path / "exact.csv").read_text().replace('"', "")
    escaped = (tmp_path / "shown.csv").read_text().replace('"', "")
    assert ",'=cmd,2" in escaped
    assert ",'-1+1,Song" in escaped
