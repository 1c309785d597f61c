"""Disagreements of champion, labels and previous champion, in edge cases, on both engines."""

from collections.abc import Mapping
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import Engine, insert, select, text, update

from genrebase.store import tables, views
from genrebase.store.engine import read_transaction, transaction
from tests import factories as make
from tests.fakes import NOON

KNOWN = {"classes": ["jazz", "rock"]}


@pytest.fixture
def filled(engine: Engine) -> SimpleNamespace:
    """Three models, of which two were champions, and predictions of every kind."""
    with transaction(engine) as connection:
        rock, jazz, folk = (make.add_genre(connection, name) for name in ("rock", "jazz", "folk"))
        database = SimpleNamespace(engine=engine, rock=rock, jazz=jazz, folk=folk)

        def model(status: str, days: float | None, **values: Any) -> int:
            promoted = None if days is None else NOON + timedelta(days=days)
            return make.add_model(
                connection, status, promoted_at=promoted, feature_schema=KNOWN, **values
            )

        database.previous = model("retired", 3)  # promoted again after `later`
        database.later = model("retired", 2)
        database.rejected = model("rejected", None)
        database.champion = model("champion", 4)
        database.moods = model("champion", 5, task="moods")
        titles = ("right", "wrong", "unsure", "judged", "unknown", "bare", "seen", "third")
        claims = {"bare": [], "unknown": [folk], "seen": [rock, jazz], "third": [jazz]}
        for title in titles:
            genres = claims.get(title, [rock])
            setattr(database, title, make.add_track(connection, title, genres=genres))
        make.add_verdict(connection, database.judged, rock)
        predictions = {
            database.right: [(rock, 0.9), (jazz, 0.1)],
            database.wrong: [(jazz, 0.7), (rock, 0.2)],
            database.unsure: [(jazz, 0.4), (rock, 0.3)],
            database.judged: [(jazz, 0.9), (rock, 0.1)],
            database.unknown: [(rock, 0.95)],
            database.bare: [(jazz, 0.8), (rock, 0.2)],
            database.seen: [(jazz, 0.5)],
            database.third: [(jazz, 0.6), (folk, 0.3), (rock, 0.1)],
        }
        for track, probabilities in predictions.items():
            make.add_predictions(
                connection,
                database.champion,
                track,
                probabilities,
                in_training=track == database.wrong,
            )
            make.add_predictions(connection, database.moods, track, [(folk, 0.9)])
            make.add_predictions(connection, database.later, track, [(folk, 0.9)])
        make.add_predictions(connection, database.previous, database.right, [(rock, 0.6)])
        make.add_predictions(
            connection, database.previous, database.wrong, [(rock, 0.6), (jazz, 0.3)]
        )
        make.add_predictions(connection, database.previous, database.bare, [(rock, 0.7)])
        make.add_predictions(connection, database.previous, database.judged, [(folk, 0.7)])
    return database


def rows(database: SimpleNamespace, view: Any) -> list[Mapping[Any, Any]]:
    with read_transaction(database.engine) as connection:
        return list(connection.execute(select(view)).mappings())


def test_disputes_need_confidence_and_no_verdict(filled: SimpleNamespace) -> None:
    """A probability of at least 0.5, no verdict, and a claim among the champion's classes."""
    by_track = {row["track_id"]: row for row in rows(filled, views.label_disputes)}
    assert by_track.keys() == {filled.wrong, filled.seen}
    wrong, seen = by_track[filled.wrong], by_track[filled.seen]
    assert (wrong["claim"], wrong["genre"], wrong["in_training"]) == ("rock", "jazz", True)
    assert (wrong["probability"], wrong["claim_probability"]) == (0.7, 0.2)
    assert wrong["margin"] == pytest.approx(0.5)
    assert (wrong["also_seen"], seen["also_seen"]) == (False, True)
    assert (seen["claim_probability"], seen["margin"]) == (None, 0.5)
    assert {row["model_id"] for row in by_track.values()} == {filled.champion}


def test_a_verdict_ends_a_dispute(filled: SimpleNamespace) -> None:
    """Whether or not it agrees with the champion."""
    with transaction(filled.engine) as connection:
        make.add_verdict(connection, filled.wrong, filled.jazz, "Ada")
        make.add_verdict(connection, filled.seen, filled.rock, "Ada")
    assert rows(filled, views.label_disputes) == []


def test_candidates_are_ranked_per_genre(filled: SimpleNamespace) -> None:
    """First and second predictions, without tracks whose label is the genre already."""
    candidates: dict[str, list[tuple[Any, ...]]] = {}
    ordered = sorted(rows(filled, views.genre_candidates), key=lambda row: row["place"])
    for row in ordered:
        candidate = (row["place"], row["track_id"], row["label"], row["rank"], row["also_seen"])
        candidates.setdefault(row["genre"], []).append(candidate)
    assert candidates == {
        "jazz": [
            (1, filled.judged, "rock", 1, False),
            (2, filled.bare, None, 1, False),
            (3, filled.wrong, "rock", 1, False),
            (4, filled.seen, "rock", 1, True),
            (5, filled.unsure, "rock", 1, False),
            (6, filled.right, "rock", 2, False),
        ],
        "rock": [(1, filled.unknown, "folk", 1, False), (2, filled.bare, None, 2, False)],
        "folk": [(1, filled.third, "jazz", 2, False)],
    }


def test_a_genre_has_at_most_a_hundred_candidates(engine: Engine) -> None:
    """The most probable; of equal probabilities the track with the lowest id comes first."""
    with transaction(engine) as connection:
        rock = make.add_genre(connection, "rock")
        champion = make.add_model(connection)
        tracks = [make.add_track(connection, f"Song {number}") for number in range(103)]
        for place, track in enumerate(tracks):
            share = 0.1 if place < 2 else 0.5
            make.add_predictions(connection, champion, track, [(rock, share)])
    with read_transaction(engine) as connection:
        view = views.genre_candidates
        track_ids = connection.scalars(select(view.c.track_id).order_by(view.c.place)).all()
    assert track_ids == tracks[2:102]


def test_changes_compare_with_the_previous_champion(filled: SimpleNamespace) -> None:
    """That is the last one promoted, not the last one trained; equal predictions are left out."""
    by_track = {row["track_id"]: row for row in rows(filled, views.prediction_changes)}
    assert by_track.keys() == {filled.wrong, filled.bare, filled.judged}
    wrong = by_track[filled.wrong]
    assert (wrong["genre_before"], wrong["genre"], wrong["label"]) == ("rock", "jazz", "rock")
    assert (wrong["probability_before"], wrong["probability"]) == (0.6, 0.7)
    assert (wrong["correct_before"], wrong["correct"]) == (True, False)
    assert (wrong["model_before"], wrong["model_id"]) == (filled.previous, filled.champion)
    bare = by_track[filled.bare]
    assert (bare["label"], bare["correct_before"], bare["correct"]) == (None, None, None)
    assert by_track[filled.judged]["correct_before"] is False


def test_without_two_champions_nothing_changed(filled: SimpleNamespace) -> None:
    """There are no changes without a previous champion, or without a champion."""
    with transaction(filled.engine) as connection:
        retired = tables.model.c.status == "retired"
        connection.execute(update(tables.model).where(retired).values(promoted_at=None))
    assert rows(filled, views.prediction_changes) == []
    with transaction(filled.engine) as connection:
        connection.execute(update(tables.model).values(status="retired", promoted_at=NOON))
    for view in (views.prediction_changes, views.label_disputes, views.genre_candidates):
        assert rows(filled, view) == []


def test_confusions_are_shares_of_a_genre(filled: SimpleNamespace) -> None:
    """Per model and regime, including the right predictions."""
    cells = [
        (filled.champion, "new_artist", filled.rock, filled.rock, 3),
        (filled.champion, "new_artist", filled.rock, filled.jazz, 1),
        (filled.champion, "seen_artist", filled.rock, filled.jazz, 2),
        (filled.moods, "new_artist", filled.rock, filled.folk, 5),
    ]
    names = ("model_id", "regime", "genre_id", "predicted_id", "tracks")
    with transaction(filled.engine) as connection:
        connection.execute(
            insert(tables.confusion), [dict(zip(names, cell, strict=True)) for cell in cells]
        )
    shares = {
        (row["task"], row["regime"], row["predicted"]): (
            row["tracks"],
            row["share"],
            row["genre_tracks"],
        )
        for row in rows(filled, views.genre_confusions)
    }
    assert shares == {
        ("main", "new_artist", "rock"): (3, 0.75, 4),
        ("main", "new_artist", "jazz"): (1, 0.25, 4),
        ("main", "seen_artist", "jazz"): (2, 1.0, 2),
        ("moods", "new_artist", "folk"): (5, 1.0, 5),
    }


def test_the_index_serves_the_candidates(sqlite_engine: Engine) -> None:
    """SQLite finds first and second predictions by the partial index on them."""
    with read_transaction(sqlite_engine) as connection:
        plan = connection.execute(text("EXPLAIN QUERY PLAN SELECT * FROM genre_candidates"))
        assert any("ix_prediction_best" in str(row) for row in plan)
