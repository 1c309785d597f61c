"""Findings on data and models: commands, documents and stored rows."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sqlalchemy import Engine, func, select
from typer.testing import CliRunner

from classifier.cli import app
from classifier.data import dataset
from classifier.findings import explain, match, separability
from classifier.training import train
from classifier.training_config import TrainingConfig
from genrebase.errors import GenrebaseError
from genrebase.store import tables, views
from genrebase.store.engine import make_engine, read_transaction, transaction
from tests import factories as make
from tests.classifier_cli import refusal, run_json
from tests.fakes import NOON, FakeClock
from tests.synthetic_music import GENRES, Music


@pytest.fixture(scope="module")
def trained(migrated_sqlite: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a database with three genres and a champion."""
    path = tmp_path_factory.mktemp("trained") / "trained.db"
    shutil.copyfile(migrated_sqlite, path)
    engine = make_engine(f"sqlite:///{path}")
    Music(artists=90).fill(engine)
    choice = TrainingConfig(estimator="logistic", features=("audio", "metadata"))
    train.run(engine, choice, FakeClock(), log=lambda _: None)
    engine.dispose()
    return path


@pytest.fixture
def database(trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    path = tmp_path / "genrebase.db"
    shutil.copyfile(trained, path)
    monkeypatch.setenv("STORE_URL", f"sqlite:///{path}")
    engine = make_engine(f"sqlite:///{path}")
    yield engine
    engine.dispose()


def rows(engine: Engine, view: Any) -> list[Any]:
    with read_transaction(engine) as connection:
        return list(connection.execute(select(view)).mappings())


def test_explain_reports_feature_importance(database: Engine) -> None:
    """Single groups and permuted groups and columns are reported per regime and stored."""
    result = run_json("explain", "--repeats", "1")
    new = {
        (one["kind"], one["feature"]): one
        for one in result["found"]
        if one["regime"] == "new_artist"
    }
    assert {feature for kind, feature in new if kind == "alone"} == {
        "everything",
        "audio",
        "metadata",
    }
    assert new["alone", "everything"]["importance"] > 0.9
    assert new["alone", "audio"]["importance"] > 0.6
    assert new["group", "audio"]["importance"] > new["feature", "key"]["importance"]
    assert {row["genre"] for row in result["found"]} == {None, *GENRES}
    stored = rows(database, views.feature_importances)
    assert len(stored) == len(result["found"])
    run_json("explain", "--repeats", "1")
    assert len(rows(database, views.feature_importances)) == len(stored)


def test_explain_reports_effect_sizes_of_a_genre(database: Engine) -> None:
    """Against all others and against one; each is stored once, without negligible descriptions."""
    result = run_json("explain", "--genre", "metal")
    assert (result["tracks"], result["other_tracks"]) == (240, 480)
    assert abs(result["features"][0]["delta"]) > 0.474
    apart = {one["feature"]: one for one in result["features"]}
    low, high = apart["popularity"]["interval"]
    assert low < apart["popularity"]["delta"] < high
    assert result["sentences"]
    run_json("explain", "--genre", "metal", "--against", "blues")
    run_json("explain", "--genre", "metal")
    stored = rows(database, views.genre_traits)
    assert {(row["genre"], row["against"]) for row in stored} == {
        ("metal", None),
        ("metal", "blues"),
    }
    assert len(stored) == len({(row["against"], row["feature"]) for row in stored})


def test_a_model_trained_on_all_tracks_has_no_held_out_tracks(database: Engine) -> None:
    """A model is never explained on its training tracks."""
    with transaction(database) as connection:
        connection.execute(tables.track.update().values(side="train"))
    with pytest.raises(
        GenrebaseError, match=r"no validation track that model 1 was not trained on"
    ):
        explain.explain_model(database, None)


@pytest.mark.parametrize("method", ["kmeans", "agglomerative", "dbscan", "hdbscan"])
def test_clusters_are_scored_and_stored(database: Engine, method: str) -> None:
    """On any subset, by any columns; the crosstab counts every track once."""
    count = ("--clusters", "2") if method in {"kmeans", "agglomerative"} else ()
    result = run_json(
        "clusters", "--method", method, *count, "--genres", "metal,blues",
        "--features", "energy,loudness,key", "--name", "two",
    )  # fmt: skip
    assert (result["name"], result["genres"]) == ("two", ["blues", "metal"])
    counted = sum(sum(row["genres"].values()) for row in result["crosstab"])
    assert counted == result["tracks"] == result["chosen"]
    assert result["clusters"] == 2 or method in {"dbscan", "hdbscan"}
    stored = rows(database, views.cluster_genres)
    assert sum(row["tracks"] for row in stored) == counted
    assert {row["clustering"] for row in stored} == {"two"}


def test_a_clustering_replaces_the_one_of_its_name(database: Engine) -> None:
    """Others stay, and a sample is reported."""
    run_json("clusters", "--name", "kept")
    run_json("clusters")
    result = run_json("clusters", "--sample", "100")
    assert (result["tracks"], result["chosen"] > 100) == (100, True)
    counted = {
        name: sum(
            row["tracks"]
            for row in rows(database, views.cluster_genres)
            if row["clustering"] == name
        )
        for name in ("kept", "last")
    }
    assert counted == {"kept": result["chosen"], "last": 100}


@pytest.mark.usefixtures("database")
def test_separability_prints_what_its_accuracy_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """The column has the metric's name."""
    monkeypatch.setenv("COLUMNS", "120")
    ran = CliRunner().invoke(app, ["separability", "--genres-count", "2"], catch_exceptions=False)
    assert "mean recall" in ran.output
    assert "accuracy" not in ran.output


def test_separability_selects_a_subset_and_trains_on_it(database: Engine) -> None:
    """It is selected on validation tracks, evaluated on test tracks; every pair is stored."""
    result = run_json("separability", "--genres-count", "2", "--train")
    assert len(result["genres"]) == 2
    assert result["search"] == "exhaustive"
    assert result["mean_auc"] == max(pair["auc"] for pair in result["pairs"])
    assert result["test"]["accuracy"] > result["test"]["baseline"] == 0.5
    assert len(rows(database, views.genre_separabilities)) == 3
    trained = result["trained"]
    assert (trained["task"], trained["choice"]["genres"]) == ("separable-2", result["genres"])
    new = separability.run(database, 2, regime="new_artist")
    assert new.validation is not None
    assert new.validation.n < result["validation"]["n"]
    regimes = {row["regime"] for row in rows(database, views.genre_separabilities)}
    assert regimes == {"all", "new_artist"}


def test_match_compares_a_track_with_every_genre(database: Engine) -> None:
    """The likeliest genre first; the percentile is among each genre's own tracks."""
    result = run_json("match", "1")
    assert sorted(near["genre"] for near in result["genres"]) == sorted(GENRES)
    distances = [near["distance"] for near in result["genres"]]
    assert result["label"] == result["genres"][0]["genre"]
    assert all(0 <= near["percentile"] <= 100 for near in result["genres"])
    other = run_json("match", "1", "--distance", "mahalanobis")
    assert [near["distance"] for near in other["genres"]] != distances


def test_match_lists_typical_tracks(database: Engine) -> None:
    """The most and least typical of a genre; `--all` stores the same for every track."""
    result = run_json("match", "--genre", "techno", "--limit", "4")
    maximum, minimum = result["most_typical"], result["least_typical"]
    assert [len(maximum), len(minimum)] == [4, 4]
    assert maximum[0]["distance"] < maximum[-1]["distance"] < minimum[-1]["distance"]
    assert (maximum[0]["percentile"] < 1, minimum[0]["percentile"] > 99) == (True, True)
    stored = run_json("match", "--all")["stored"]
    matches = {row["track_id"]: row for row in rows(database, views.track_matches)}
    assert stored == len(matches) > 600
    assert matches[maximum[0]["track"]]["distance"] == pytest.approx(maximum[0]["distance"])
    run_json("match", "--all", "--distance", "mahalanobis")
    again = rows(database, views.track_matches)
    assert len(again) == stored
    assert {row["method"] for row in again} == {"mahalanobis"}


def test_findings_are_stored_on_both_engines(engine: Engine) -> None:
    """Importances, effect sizes, clusters, pairs and matches; a repetition replaces all rows."""
    Music(artists=30).fill(engine)
    choice = TrainingConfig(estimator="logistic", features=("audio",), min_tracks=40)
    train.run(engine, choice, FakeClock(), log=lambda _: None)
    for _ in range(2):
        explain.explain_model(engine, None, repeats=1)
        explain.explain_genre(engine, "metal", "blues", FakeClock())
        separability.run(engine, 2)
        match.store_all_matches(engine, FakeClock())
    with read_transaction(engine) as connection:
        counted = {
            table.name: connection.scalar(select(func.count()).select_from(table))
            for table in (tables.genre_separability, tables.track_match, tables.genre_trait)
        }
        moments = set(connection.scalars(select(tables.track_match.c.computed_at)))
        tracks = set(connection.scalars(select(tables.track_match.c.track_id)))
    assert counted["genre_separability"] == 3
    assert counted["track_match"] == len(tracks)
    assert 20 < counted["genre_trait"] < 40
    assert moments == {NOON}


def test_explore_reports_data_quality(database: Engine) -> None:
    """Missing values, ranges, outliers, several genres, one name with two labels, duplicates."""
    with transaction(database) as connection:
        blues, metal = 1, 2
        for ordinal, genre in ((1, blues), (2, metal)):
            track = make.add_track(
                connection,
                "Twins",
                ["Both"],
                genres=[genre, 3],
                ordinal=ordinal,
                id=9_000 + ordinal,
            )
            make.add_features(connection, track, tempo=300.0, loudness=10.0)
        make.add_verdict(connection, 9_001, metal)
    result = run_json("explore")
    assert (result["tracks"], result["several_genres"], result["overruled"]) == (722, 2, 1)
    gaps = {gap["column"]: gap for gap in result["gaps"]}
    assert (gaps["isrc"]["missing"], gaps["label"]["missing"]) == (722, 0)
    assert 0 < gaps["energy"]["share"] < 0.2
    ranges = {one["column"]: one for one in result["ranges"]}
    assert ranges["tempo"]["high"] == 300.0
    assert ranges["time_signature"]["spike"] == 4.0
    assert result["odd"][0]["title"] == "Twins"
    assert result["outlying"] >= 2
    assert result["overlaps"][0]["tracks"] == 1
    assert result["same_sound"][0]["tracks"] == [9_001, 9_002]
    assert result["same_name_count"] == 0
    assert any("identical audio features" in sentence for sentence in result["sentences"])


def test_one_name_with_two_labels_is_reported(database: Engine) -> None:
    """Two recordings of a name with different genres."""
    with transaction(database) as connection:
        for ordinal in (1, 2):
            make.add_track(connection, "Same", ["Both"], genres=[ordinal], ordinal=ordinal)
    result = run_json("explore")
    assert result["same_name_count"] == 1
    assert result["same_name"][0]["labels"] == ["blues", "metal"]


def test_a_view_is_exported_with_its_folds(database: Engine, tmp_path: Path) -> None:
    """CSV, Parquet and NPZ hold the same rows; a view without folds gets them."""
    files = {name: tmp_path / f"result.{name}" for name in ("csv", "parquet", "npz")}
    for file in files.values():
        done = run_json("export", "track_genres", "-o", str(file))
        assert done["columns"][-2:] == ["track_fold", "side"]
        assert done["rows"] == 720
        assert done["bytes"] == file.stat().st_size
    by_csv = pd.read_csv(files["csv"], keep_default_na=False)
    by_parquet = pd.read_parquet(files["parquet"])
    with np.load(files["npz"]) as arrays:
        assert arrays["side"].tolist() == by_parquet["side"].tolist() == by_csv["side"].tolist()
        assert arrays["track_id"].dtype == np.int64
        assert arrays["first_seen_at"].dtype == np.dtype("datetime64[us]")
    folds = dataset.read_view("tracks", database, columns=["track_id", "track_fold"])
    existing = dict(zip(folds["track_id"], folds["track_fold"], strict=True))
    assert [existing[track] for track in by_csv["track_id"]] == by_csv["track_fold"].tolist()
    bare = run_json("export", "track_genres", "-o", str(tmp_path / "bare.csv"), "--without-folds")
    assert "side" not in bare["columns"]


def test_missing_values_stay_missing(database: Engine, tmp_path: Path) -> None:
    """In an NPZ a missing number is NaN, a missing text has a mask array; nothing is pickled."""
    run_json("export", "training_tracks", "-o", str(tmp_path / "t.npz"))
    frame = dataset.read_view("training_tracks", database)
    with np.load(tmp_path / "t.npz", allow_pickle=False) as arrays:
        assert np.isnan(arrays["key"]).sum() == frame["key"].isna().sum() > 0
        assert np.isnan(arrays["energy"]).sum() == frame["energy"].isna().sum()
        assert arrays["album__missing"].all()
        assert arrays["title"].tolist() == frame["title"].tolist()
        assert set(arrays["explicit"]) == {0.0}


def test_an_export_overwrites_nothing(database: Engine, tmp_path: Path) -> None:
    """An existing file is unchanged; a failed export leaves no file."""
    file = tmp_path / "mine.csv"
    file.write_text("mine")
    refusals = {
        ("export", "tracks", "-o", str(file)): "exists already",
        ("export", "no_view", "-o", str(tmp_path / "a.csv")): "no view 'no_view'",
        ("export", "tracks", "--columns", "x", "-o", str(tmp_path / "a.csv")): "no column 'x'",
        ("export", "tracks", "-o", str(tmp_path / "a.xls")): "csv, parquet, npz",
        ("export", "tracks", "-o", str(tmp_path / "no" / "a.csv")): "no folder",
    }
    for command, message in refusals.items():
        ran = CliRunner().invoke(app, command)
        assert isinstance(ran.exception, GenrebaseError)
        assert ran.exception.exit_code == 2
        assert message in str(ran.exception)
    assert file.read_text() == "mine"
    assert [path.name for path in tmp_path.iterdir() if path.suffix != ".db"] == ["mine.csv"]


@pytest.mark.parametrize(
    ("command", "message"),
    [
        (("explain", "--against", "metal"), "--against needs --genre"),
        (("explain", "1", "--genre", "metal"), "either a model's ID or --genre"),
        (("explain", "7"), "no model 7"),
        (("explain", "--side", "train"), "validation, test"),
        (("explain", "--genre", "polka"), "blues, metal, techno"),
        (("explain", "--genre", "metal", "--against", "metal"), "name two genres"),
        (("clusters", "--method", "magic"), "kmeans, agglomerative"),
        (("clusters", "--features", "smell"), "no feature 'smell'"),
        (("separability", "--genres-count", "9"), "ask for 2 to 3"),
        (("separability", "--regime", "other"), "new_artist"),
        (("match",), "Give one of"),
        (("match", "0000"), "no track '0000'"),
        (("match", "1", "--distance", "far"), "standardised, mahalanobis"),
        (("match", "--genre", "polka"), "blues, metal, techno"),
        (("match", "--genre", "Mteal"), "Did you mean 'metal'?"),
        (("clusters", "--min-tracks", "9999"), "Too few tracks to cluster"),
        (("clusters", "--eps", "1"), "--eps applies to --method dbscan only, not to kmeans"),
        (("clusters", "--method", "dbscan", "--clusters", "8"), "dbscan determines the number"),
        (("clusters", "--method", "hdbscan", "--clusters", "8"), "kmeans and agglomerative only"),
        (("clusters", "--clusters", "100000"), "--clusters is at most 1,000, not 100,000"),
        (("clusters", "--descriptors", "foo"), "--features descriptors only"),
    ],
)
def test_wrong_options_are_refused(
    database: Engine, command: tuple[str, ...], message: str
) -> None:
    """Exit code 2 and a message; nothing on standard output."""
    code, output = refusal(*command)
    assert code == 2
    assert message in output


@pytest.mark.parametrize(
    "command",
    ["explain --repeats 1", "explain --genre metal", "clusters", "separability --genres-count 2",
     "match 3",     "match --genre blues", "match --all", "explore"],
)  # fmt: skip
def test_without_json_the_output_is_text(database: Engine, command: str) -> None:
    """Without --json every command prints text that is not JSON."""
    ran = CliRunner().invoke(app, command.split(), catch_exceptions=False)
    assert ran.exit_code == 0
    assert len(ran.stdout) > 40
    assert not ran.stdout.startswith(("{", "["))
