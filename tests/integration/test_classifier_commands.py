"""The commands: documents, sentences and exit codes."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import Engine, update
from typer.testing import CliRunner

from classifier.cli import app
from genrebase.store import tables
from genrebase.store.engine import transaction
from tests.classifier_cli import refusal, run_json
from tests.synthetic_music import spotify_id
from tests.trained_music import fill_and_train

Command = Callable[..., Any]

TRAIN = ("train", "--estimator", "logistic")
REGIME = {"n", "accuracy", "interval", "macro_f1", "top3", "log_loss", "ece", "baseline"}


def test_train_writes_the_document_others_rely_on(database: Engine) -> None:
    """The fixed keys, per regime too; again: the same, and that nothing is new."""
    first = run_json(*TRAIN)
    assert {"id", "task", "status", "estimator", "trained_rows", "seconds", "metrics"} <= set(
        first
    )
    for regime in ("seen_artist", "new_artist"):
        assert set(first["metrics"][regime]) >= REGIME
    again = run_json(*TRAIN)
    assert (again["id"], again["nothing_new"], first["nothing_new"]) == (first["id"], True, False)
    assert [item["id"] for item in run_json("models")] == [first["id"]]
    assert set(run_json("models")[0]) >= set(first) - {
        "left_out",
        "unmapped",
        "warnings",
        "nothing_new",
    }


def test_every_choice_is_stored_with_the_model(database: Engine) -> None:
    """Task, genres, features, limits, labels, parameters and seed."""
    made = run_json(
        *TRAIN,
        *("--task", "pair", "--genres", "blues,metal", "--features", "audio"),
        *("--per-genre", "50", "--min-tracks", "20", "--labels", "exclusive"),
        *("--param", "C=0.5", "--seed", "4"),
    )
    assert (made["task"], made["params"], made["trained_rows"]) == ("pair", {"C": 0.5}, 100)
    assert made["choice"] == {
        "genres": ["blues", "metal"],
        "exclude": [],
        "features": ["audio"],
        "labels": "exclusive",
        "mapping": None,
        "level": "fine",
        "unmapped": "drop",
        "within": None,
        "per_genre": 50,
        "min_tracks": 20,
        "seed": 4,
    }


def test_predict_scores_everything_and_then_nothing(database: Engine) -> None:
    """`predict`, `predict --all` and again."""
    fill_and_train(database)
    first, second = run_json("predict"), run_json("predict", "--all")
    assert set(first) >= {"model", "scored", "written", "seconds"}
    assert first["scored"] > 100
    assert second["scored"] == second["written"] == 0


def test_predict_returns_one_track(database: Engine) -> None:
    """A track is accepted by any of its ids; the document has fixed keys."""
    fill_and_train(database)
    predictions = run_json("predict", "--track", spotify_id(5))
    assert set(predictions) >= {"track", "title", "genre", "probability", "top", "model", "regime"}
    assert run_json("predict", "--track", f"spotify:track:{spotify_id(5)}") == predictions
    assert run_json("predict", "--track", "5") == predictions


def test_promote_and_status(database: Engine) -> None:
    """A promotion by hand changes the serving model in the status."""
    good = fill_and_train(database).model.id
    other = run_json("train", "--estimator", "dummy")["id"]
    assert run_json("promote", str(other))["status"] == "champion"
    status = run_json("status")
    assert status["champion"]["id"] == other
    assert status["tracks"] == status["labelled"] == 480
    assert {run["job"] for run in status["last_runs"]} == {"train"}
    assert run_json("promote", str(good))["id"] == good


@pytest.mark.parametrize("command", ["train --estimator dummy", "predict", "models", "status"])
def test_commands_print_tables_and_messages(database: Engine, command: str) -> None:
    """Without --json every command prints text that is not JSON."""
    fill_and_train(database)
    ran = CliRunner().invoke(app, command.split(), catch_exceptions=False)
    assert ran.exit_code == 0
    assert len(ran.stdout) > 20
    assert not ran.stdout.startswith(("{", "["))


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("predict",), "classifier train"),
        (("predict", "--track", "1"), "classifier train"),
        (("predict", "--track", "1", "--all"), "one of --track, --search, --audio, --all"),
        (("promote", "7"), "no model 7"),
        (("train", "--min-tracks", "9999"), "Too few tracks to train"),
        (("train", "--genres", "polka,blues"), "no labelled track has the genre 'polka'"),
        (("train", "--estimator", "gradient_bosting"), "did you mean 'gradient_boosting'"),
        (("train", "--param", "round=3"), "did you mean 'n_rounds'"),
        (("train", "--param", "max_iter"), "name=value"),
        (("train", "--estimator", "logistic", "--param", "c=1"), "did you mean 'C'?"),
        (("predict", "--search", " "), "--search needs words"),
        (("predict", "--artist", ""), "--artist needs a name"),
        (("train", "--features", "smell"), "audio, metadata"),
        (("train", "--labels", "soft"), "claim, exclusive, shared"),
        (("train", "--labels", "shared"), "blend does not accept sample weights"),
        (("train", "--split", "official"), "name another task for the published split"),
        (("compare", "--split", "official", "--rotations", "2"), "leave out --rotations"),
    ],
)
def test_invalid_options_are_refused(
    database: Engine, arguments: tuple[str, ...], sentence: str
) -> None:
    """Exit code 2 and a sentence; nothing on standard output."""
    code, output = refusal(*arguments)
    assert code == 2
    assert sentence.lower() in output.lower()


def test_one_cluster_is_none(database: Engine) -> None:
    """`--clusters 1` is refused by its option."""
    ran = CliRunner().invoke(app, ["clusters", "--clusters", "1"])
    assert ran.exit_code == 2
    assert "equal to 2" in ran.stderr


def test_pinning_reports_the_change(database: Engine) -> None:
    """Pinning and unpinning report whether something changed."""
    fill_and_train(database)
    result = [
        CliRunner().invoke(app, [command, "1"], catch_exceptions=False).stdout.strip()
        for command in ("pin", "pin", "unpin", "unpin")
    ]
    assert result == [
        "Model 1 is pinned: pruning leaves it as it is.",
        "Model 1 was pinned already.",
        "Model 1 is not pinned anymore.",
        "Model 1 was not pinned.",
    ]


def test_the_random_baseline_is_listed(database: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is 1/number of genres; a metric without one has no row; too few tracks are explained."""
    monkeypatch.setattr("classifier.commands.model_tables.FEW_TRACKS", 1_000_000)
    result = CliRunner().invoke(app, [*TRAIN], catch_exceptions=False).stdout
    row = next(line for line in result.splitlines() if "random guess among 3 genres" in line)
    assert "0.333" in row
    assert "correct broad genre" not in result
    assert "(too few)" in result
    assert "too few: fewer than 30 test tracks" in result


def test_a_broken_artifact_is_refused_with_a_message(database: Engine) -> None:
    """Exit code 2, and what to do."""
    fill_and_train(database)
    with transaction(database) as connection:
        connection.execute(update(tables.model).values(artifact=b"PK"))
    code, output = refusal("predict")
    assert code == 2
    assert "classifier train" in output


def test_an_unknown_track_is_refused(database: Engine) -> None:
    """Exit code 2, and which ids there are."""
    fill_and_train(database)
    code, output = refusal("predict", "--track", "nowhere")
    assert code == 2
    assert "no track 'nowhere'" in output


def test_a_database_without_a_schema_is_refused(
    bare_sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By every command, with what to run."""
    monkeypatch.setenv("STORE_URL", bare_sqlite_url)
    for command in ("train", "predict", "models", "status"):
        code, output = refusal(command)
        assert code == 2
        assert "genrebase migrate" in output


def test_a_feature_made_from_the_label_is_named(database: Engine) -> None:
    """The training completes with a warning in the document."""
    with transaction(database) as connection:
        for number in (1, 2, 3):
            connection.execute(
                update(tables.track)
                .where(tables.track.c.genre_id == number)
                .values(popularity=number)
            )
    warnings = run_json(*TRAIN)["warnings"]
    assert len(warnings) == 1
    assert "'popularity' alone" in warnings[0]
