"""The views of analysis results, and the queries of docs/findings.md, on both engines."""

import re
from pathlib import Path
from types import SimpleNamespace

import pytest
from sqlalchemy import Engine, insert, select, text

from genrebase.store import tables, views
from genrebase.store.engine import read_transaction, transaction
from tests import factories as make

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "findings.md").read_text()


@pytest.fixture
def filled(engine: Engine) -> SimpleNamespace:
    """Two genres, three tracks and a model, with results about each."""
    with transaction(engine) as connection:
        rock, jazz = make.add_genre(connection, "rock"), make.add_genre(connection, "jazz")
        tracks = [make.add_track(connection, f"Song {n}", genres=[rock]) for n in range(3)]
        model = make.add_model(connection)
        inserted = connection.execute(insert(tables.clustering), make.CLUSTERING)
        clustering = inserted.inserted_primary_key[0]
        measured = {"model_id": model, "feature": "energy", "importance": 0.25, "n": 9}
        pair = {"genre_id": rock, "other_id": jazz, "auc": 0.75, "n": 4, "other_n": 5}
        rows = {
            tables.feature_importance: [
                {**measured, "regime": "new_artist", "genre_id": None},
                {**measured, "regime": "all", "genre_id": rock},
            ],
            tables.genre_trait: [
                {"genre_id": rock, "against_id": None, **make.TRAIT},
                {"genre_id": rock, "against_id": jazz, **make.TRAIT, "feature": "tempo"},
            ],
            tables.cluster_member: [
                {"clustering_id": clustering, "track_id": track, "cluster": at, "genre_id": genre}
                for track, at, genre in zip(tracks, (0, 0, -1), (rock, jazz, rock), strict=True)
            ],
            tables.genre_separability: [{"model_id": model, "regime": "all", **pair}],
            tables.track_match: [
                {"track_id": tracks[0], "genre_id": rock, "nearest_id": jazz, **make.MATCH}
            ],
        }
        for table, values in rows.items():
            connection.execute(insert(table), values)
    return SimpleNamespace(engine=engine, model=model, tracks=tracks)


def query(database: SimpleNamespace, view) -> list:
    with read_transaction(database.engine) as connection:
        return list(connection.execute(select(view)).mappings())


def test_importances_name_model_and_genre(filled: SimpleNamespace):
    """Over all genres the genre is NULL; the defaults are kind feature and side validation."""
    rows = {row["genre"]: row for row in query(filled, views.feature_importances)}
    assert rows.keys() == {None, "rock"}
    assert {row["model_id"] for row in rows.values()} == {filled.model}
    assert (rows[None]["task"], rows[None]["kind"], rows[None]["side"]) == (
        "main",
        "feature",
        "validation",
    )


def test_traits_name_both_sides(filled: SimpleNamespace):
    """Against all others the other side is NULL."""
    rows = {row["feature"]: row for row in query(filled, views.genre_traits)}
    assert (rows["energy"]["genre"], rows["energy"]["against"]) == ("rock", None)
    assert (rows["tempo"]["against"], rows["tempo"]["delta"]) == ("jazz", 0.5)


def test_clusters_are_counted_by_genre(filled: SimpleNamespace):
    """Shares are of the cluster and of the genre's clustered tracks; noise has its rows, too."""
    rows = {(row["cluster"], row["genre"]): row for row in query(filled, views.cluster_genres)}
    assert rows.keys() == {(0, "rock"), (0, "jazz"), (-1, "rock")}
    rock = rows[0, "rock"]
    assert (rock["clustering"], rock["tracks"]) == ("last", 1)
    assert (rock["share"], rock["genre_share"]) == (0.5, 0.5)
    assert rows[0, "jazz"]["genre_share"] == 1.0
    members = {row["track_id"]: row for row in query(filled, views.cluster_tracks)}
    assert [members[track]["cluster"] for track in filled.tracks] == [0, 0, -1]
    assert members[filled.tracks[0]]["title"] == "Song 0"


def test_pairs_and_matches_have_names(filled: SimpleNamespace):
    """The views name the genres of a pair and the track and genres of a match."""
    (pair,) = query(filled, views.genre_separabilities)
    assert (pair["genre"], pair["other_genre"], pair["auc"]) == ("rock", "jazz", 0.75)
    assert (pair["n"], pair["other_n"], pair["status"]) == (4, 5, "champion")
    (match,) = query(filled, views.track_matches)
    assert (match["title"], match["genre"], match["nearest_genre"]) == ("Song 0", "rock", "jazz")
    assert (match["distance"], match["percentile"]) == (1.5, 90.0)


def test_the_queries_of_the_page_run(filled: SimpleNamespace):
    """Every query of docs/findings.md runs on both engines; every view it names exists."""
    queries = re.findall(r"```sql\n(.*?)```", PAGE, re.DOTALL)
    assert len(queries) == 2
    with read_transaction(filled.engine) as connection:
        for query in queries:
            connection.execute(text(query.replace("'jazz'", "'rock'")))
        matched = text(queries[0].replace("'jazz'", "'rock'"))
        assert [tuple(row) for row in connection.execute(matched)] == [
            ("Song 0", "Somebody", 1.5, "jazz")
        ]
    named = set(re.findall(r"`((?:genre|feature|cluster|track|training|experiment)_\w+)`", PAGE))
    assert named <= set(views.ALL)
    assert len(named) > 8
