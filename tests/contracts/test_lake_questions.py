"""The questions of docs/sql.md have the same answers in a lake as in the database."""

import math
import re
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from sqlalchemy import Engine, text

from genrebase.lake.build import build_lake
from genrebase.lake.duckdb_views import open_duckdb
from genrebase.lake.reading import open_lake
from genrebase.lake.tables_to_arrow import arrow_reader
from genrebase.store import views
from genrebase.store.engine import read_transaction
from tests.contracts.test_sql_queries import QUESTIONS, filled
from tests.duckdb_views import load_views
from tests.fakes import FakeClock

__all__ = ["filled"]

Frame = pd.DataFrame

PROGRESS = (
    *("genre", "tracks", "target", "missing", "with_features"),
    *("requests", "open_shards"),
)
DISPUTE = (
    *("track_id", "title", "artists", "claim", "genre"),
    *("probability", "claim_probability", "also_seen"),
)

ONE_PLAIN_VIEW: dict[str, tuple[str, Callable[[Frame], Frame]]] = {
    "How far has each genre come?": (
        "genre_progress",
        lambda rows: rows.assign(
            missing=rows["target"] - rows["tracks"],
            order=(rows["target"] - rows["tracks"]).fillna(0),
        )
        .sort_values(["order", "genre"], ascending=[False, True])
        .filter(items=PROGRESS),
    ),
    "Which genres share tracks?": (
        "genre_overlaps",
        lambda rows: rows.sort_values(
            ["tracks", "genre", "other_genre"], ascending=[False, True, True]
        ).head(10)[["genre", "other_genre", "tracks", "share", "other_share"]],
    ),
    "What does a genre sound like?": (
        "genre_profiles",
        lambda rows: rows[rows["genre"] == "rock"].sort_values("feature")[
            ["feature", "n", "p25", "p50", "p75"]
        ],
    ),
    "How is a feature distributed within a genre?": (
        "genre_histograms",
        lambda rows: rows[
            (rows["genre"] == "rock") & (rows["feature"] == "instrumentalness")
        ].sort_values("bin")[["low", "high", "tracks", "share"]],
    ),
    "Which keys do sections move to in a genre?": (
        "genre_progressions",
        lambda rows: rows.query("genre == 'rock' and length == 2 and rank <= 10").sort_values(
            "rank"
        )[["progression", "tracks", "share", "weight"]],
    ),
    "Which tracks have no features yet?": (
        "tracks",
        lambda rows: rows[rows["provider"].isna()]
        .groupby("label", dropna=False, as_index=False)
        .agg(tracks=("track_id", "count"))
        .sort_values(["tracks", "label"], ascending=[False, True]),
    ),
    "Under which licences are the labels?": (
        "track_genre_sources",
        lambda rows: rows.groupby(["source", "licence", "licence_class"], as_index=False).agg(
            labels=("track_id", "count"), tracks=("track_id", "nunique")
        ),
    ),
    "How many tracks are in each part of the train/validation/test split?": (
        "training_tracks",
        lambda rows: rows.groupby("side", as_index=False).agg(tracks=("track_id", "count")),
    ),
    "Which files were imported?": (
        "imports",
        lambda rows: rows.sort_values("import_id")[
            ["import_id", "name", "origin", "rows", "tracks", "undone"]
        ],
    ),
    "What does the champion predict?": (
        "predictions",
        lambda rows: rows.sort_values(
            ["probability", "track_id"], ascending=[False, True]
        ).head(10)[["title", "artists", "genre", "probability", "claim", "regime"]],
    ),
    "Which genres does the champion confuse?": (
        "genre_confusions",
        lambda rows: rows.query(
            "task == 'main' and status == 'champion' and regime == 'new_artist'"
        ).sort_values(["genre", "share", "predicted"], ascending=[True, False, True])[
            ["genre", "predicted", "tracks", "share"]
        ],
    ),
    "Which labels does the champion dispute?": (
        "label_disputes",
        lambda rows: rows.sort_values(
            ["probability", "track_id"], ascending=[False, True]
        ).head(20).filter(items=DISPUTE),
    ),
    "Which tracks might belong to a genre that is not their label?": (
        "genre_candidates",
        lambda rows: rows[rows["genre"] == "jazz"].sort_values("place").head(20)[
            ["place", "title", "artists", "label", "probability"]
        ],
    ),
    "Where do people disagree with the claim?": (
        "tracks",
        lambda rows: rows[rows["verdict"].notna() & (rows["verdict"] != rows["claim"])]
        .sort_values("title")[["title", "artists", "claim", "verdict"]],
    ),
    "Which model is best on unseen artists?": (
        "model_leaderboard",
        lambda rows: rows.query("task == 'main' and regime == 'new_artist'").sort_values(
            ["place", "model_id"]
        )[["place", "model_id", "estimator", "status", "accuracy", "baseline", "macro_f1", "n"]],
    ),
}  # fmt: skip
"""Questions to one view without a function of SQL, in pandas."""


@pytest.fixture
def lake(filled: Engine, tmp_path: Path) -> Path:
    build_lake(filled, tmp_path / "lake", FakeClock())
    return tmp_path / "lake"


def in_database(engine):
    """Return the answer to every question."""
    with read_transaction(engine) as connection:
        return {
            question: comparable(connection.execute(text(query)))
            for question, query in QUESTIONS.items()
        }


def comparable(rows):
    """Return rows in which numbers are equal if they are nearly equal."""
    return [tuple(_cell(cell) for cell in row) for row in rows]


def _cell(cell):
    if cell is None or cell is pd.NA or (isinstance(cell, float) and math.isnan(cell)):
        return None
    if isinstance(cell, str) and re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{6}", cell):
        return pd.Timestamp(cell, tz="UTC")  # SQLite stores times as text
    if isinstance(cell, str):
        return cell
    if hasattr(cell, "tzinfo"):
        return pd.Timestamp(cell).tz_convert("UTC")
    return pytest.approx(float(cell))


def test_every_question_in_duckdb(filled: Engine, lake: Path):
    """The SQL of the page runs unchanged, with the same rows in the same order."""
    with open_lake(lake) as connection:
        for question, rows in in_database(filled).items():
            answer = comparable(connection.sql(QUESTIONS[question]).fetchall())
            assert answer == rows, question
            assert answer, question


def test_every_question_in_duckdb_without_files(filled: Engine):
    """The same over the tables in memory."""
    with open_duckdb(threads=1) as connection:
        with arrow_reader(filled) as reader:
            load_views(connection, reader, views.ALL)
        for question, rows in in_database(filled).items():
            assert comparable(connection.sql(QUESTIONS[question]).fetchall()) == rows, question


def test_questions_to_one_view_in_pandas(filled: Engine, lake: Path):
    """A view's folder is read as a frame, and the answer is the database's."""
    answers = in_database(filled)
    assert ONE_PLAIN_VIEW.keys() <= QUESTIONS.keys()
    for question, (view, compute) in ONE_PLAIN_VIEW.items():
        frame = compute(pd.read_parquet(lake / view))
        assert comparable(frame.itertuples(index=False)) == answers[question], question
