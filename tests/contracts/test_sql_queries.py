"""The queries in docs/sql.md work on both engines."""

import pytest
from sqlalchemy import Engine, insert, text

from genrebase.store import tables
from genrebase.store.engine import read_transaction, transaction
from tests import factories as make
from tests.audio_analyses import add_analysis
from tests.fakes import NOON
from web import documents

QUESTIONS = {one.question: one.sql for one in documents.questions()}
EXPECTED = {
    "How far has each genre come?": [
        ("rock", 2, 10, 8, 1, 7, 1),
        ("r&b", 0, 5, 5, 0, 0, 0),
        ("jazz", 2, None, None, 1, 0, 0),
    ],
    "Which genres share tracks?": [("jazz", "rock", 1, 0.5, 1 / 3)],
    "How is a feature distributed within a genre?": [(0.0, 0.05, 1, 1.0)],
    "How has a genre's sound changed over the decades?": [(2000, 1, 0.6, 120.0)],
    "Which keys do sections move to in a genre?": [
        ("I IV", 1, 1.0, 1.0),
        ("I V", 1, 1.0, 1.0),
        ("V I", 1, 1.0, 1.0),
    ],
    "How often do the sections of a genre change key?": [
        ("rock", 1, 0.5, 3.0, 0.0),
        ("jazz", 1, 1.0, 0.0, 1.0),
    ],
    "How well do AcousticBrainz' submissions agree on a tempo?": [
        ("Loud", "Ann", 120.0, 60.0, 3, "differ"),
        ("Guesting", "Bob; Ann", 100.0, 2.0, 2, "agree"),
    ],
    "Which tracks are by an artist?": [
        ("Guesting", "Bob; Ann", 1990, "jazz"),
        ("Loud", "Ann", 2001, "rock"),
    ],
    "Which artists have the most tracks in a genre?": [("Ann", 1), ("Cid", 1)],
    "Which tracks have no features yet?": [("jazz", 2), (None, 1)],
    "Under which licences are the labels?": [("csv:test.csv", "unknown", "unknown", 5, 4)],
    "What does the champion predict?": [
        ("Loud", "Ann", "rock", 0.9, "rock", "seen_artist"),
        ("Other", "Cid", "rock", 0.7, "jazz", "seen_artist"),
        ("Judged", "Cid", "rock", 0.6, "rock", "new_artist"),
    ],
    "What do the champions of other tasks predict?": [("broad", "jazz", 1, 0.75)],
    "Which other metrics are stored?": [("new_artist", None, "accuracy", 0.4, None, None, 50)],
    "Which genres does the champion confuse?": [
        ("rock", "rock", 3, 0.75),
        ("rock", "jazz", 1, 0.25),
    ],
    "What changed with the new champion?": [("jazz", "rock", 2, 1, 1)],
    "Which labels does the champion dispute?": [
        (4, "Other", "Cid", "jazz", "rock", 0.7, 0.3, 0),
    ],
    "Which tracks might belong to a genre that is not their label?": [
        (1, "Loud", "Ann", "rock", 0.1),
    ],
    "Do new tracks drift away from the training data?": [
        ("2025-12-29", "rock", 3, 0.6, (0.9 + 0.6 + 0.7) / 3, 2 / 3),
        ("2025-12-29", None, 2, 0.4, None, 0.5),
    ],
    "Which files were imported?": [(1, "data.csv", "csv:data.csv", 5, 1, False)],
    "Which genres need more tracks?": [
        ("rock", 200, 0.5, 0.125, 1.0),
        ("rock", 100, 0.25, 0.125, 1.0),
    ],
    "Where do people disagree with the claim?": [("Judged", "Cid", "rock", "jazz")],
}


@pytest.fixture
def filled(engine: Engine) -> Engine:
    """A small database in which every query returns rows."""
    with transaction(engine) as connection:
        rock = make.add_genre(connection, "rock", target=10)
        jazz = make.add_genre(connection, "jazz")
        make.add_genre(connection, "r&b", target=5)
        loud = make.add_track(connection, "Loud", ["Ann"], genres=[rock], release_year=2001)
        guest = make.add_track(
            connection, "Guesting", ["Bob", "Ann"], genres=[jazz, rock], release_year=1990
        )
        judged = make.add_track(connection, "Judged", ["Cid"], genres=[rock])
        other = make.add_track(connection, "Other", ["Cid"], genres=[jazz])
        make.add_track(connection, "Nothing known", ["Dan"])
        make.add_features(connection, loud)
        make.add_features(connection, guest, tempo=180.0)
        add_analysis(connection, loud, (0, 7, 0, 5))
        add_analysis(connection, guest, (0,), mode=0)
        for track, count, bpm, spread in ((loud, 3, 120.0, 60.0), (guest, 2, 100.0, 2.0)):
            row = {"track_id": track, "provider": "acousticbrainz", "recording_id": "x"}
            numbers = {"rhythm_submissions": count, "bpm": bpm, "bpm_range": spread}
            where = {"origin": "acousticbrainz", "fetched_at": NOON}
            connection.execute(
                insert(tables.acousticbrainz_recording).values(row | numbers | where)
            )
        file = {"sha256": "x", "id": 1, "name": "data.csv", "origin": "csv:data.csv"}
        connection.execute(insert(tables.imported_file).values(**file, rows_done=5, tracks_new=1))
        delivery = {"track_id": loud, "import_id": 1, "created": True, "delivered": 0}
        connection.execute(insert(tables.import_track).values(delivery))
        make.add_verdict(connection, judged, jazz)
        make.add_shard(connection, rock, requests=7)
        schema = {"classes": ["jazz", "rock"]}
        previous = make.add_model(connection, "retired", promoted_at=NOON)
        champion = make.add_model(connection, promoted_at=NOON, feature_schema=schema)
        make.add_predictions(connection, champion, loud, [(rock, 0.9), (jazz, 0.1)])
        make.add_predictions(
            connection, champion, judged, [(rock, 0.6), (jazz, 0.4)], regime="new_artist"
        )
        make.add_predictions(connection, champion, other, [(rock, 0.7), (jazz, 0.3)])
        for track in (loud, other):
            make.add_predictions(connection, previous, track, [(jazz, 0.5)])
        broad = make.add_model(connection, task="broad", training_config={"level": "broad"})
        make.add_predictions(connection, broad, other, [(jazz, 0.75)])
        for predicted, tracks in ((rock, 3), (jazz, 1)):
            make.add_confusion(connection, champion, rock, predicted, tracks)
        make.add_metric(connection, champion, "new_artist", "accuracy", 0.4)
        _add_curve(connection)
        make.add_job_run(connection, "harvest", "blocked")
        make.add_budget(connection, blocked_until=NOON.timestamp(), blocked_reason="too many")
    return engine


def _add_curve(connection):
    """Add two learning curves; only the second one counts."""
    for gain in (0.9, 0.25):
        curve = make.add_experiment(connection, "learning_curve")
        for size in (100, 200):
            trial = make.add_trial(connection, curve, number=1, per_genre=size, key=str(size))
            for regime in ("all", "new_artist"):
                values = {"regime": regime, "genre": "rock", "low": gain / 2, "high": 1.0}
                make.add_trial_metric(connection, trial, "f1_gain", gain * size / 100, **values)


def test_there_are_enough_questions():
    """Every heading has a query, and every expected result belongs to a heading."""
    assert len(QUESTIONS) >= 20
    assert EXPECTED.keys() <= QUESTIONS.keys()


@pytest.mark.parametrize("question", QUESTIONS)
def test_a_query_returns_its_rows(filled: Engine, question: str):
    """The SQL of the page runs unchanged on both engines, with the same result."""
    with read_transaction(filled) as connection:
        rows = [tuple(row) for row in connection.execute(text(QUESTIONS[question]))]
    assert rows
    if question in EXPECTED:
        plain = [tuple(_plain(cell) for cell in row) for row in rows]
        assert plain == [tuple(_plain(cell) for cell in row) for row in EXPECTED[question]]


def _plain(cell):
    return cell if cell is None or isinstance(cell, str) else pytest.approx(float(cell))
