"""The model card lists metrics, their origin, and the commands to reproduce them."""

import shlex
from pathlib import Path

from sqlalchemy import Engine, select, update
from typer.testing import CliRunner

from classifier.cli import app
from genrebase.errors import GenrebaseError
from genrebase.store import tables
from genrebase.store.engine import transaction
from tests.classifier_cli import run_json, run_text

TRAIN = ("train", "--estimator", "logistic", "--min-tracks", "20", "--param", "C=0.5")


def test_the_card_has_the_metrics(database: Engine):
    """Metrics of both regimes have intervals, with baseline, training and random-split metrics."""
    model = run_json(*TRAIN)
    card = run_json("card", str(model["id"]))
    for regime in ("new_artist", "seen_artist"):
        figures, headline = card["figures"][regime], model["metrics"][regime]
        assert figures["n"] == headline["n"]
        assert figures["metrics"]["accuracy"]["value"] == headline["accuracy"]
        assert figures["metrics"]["accuracy"]["interval"] == headline["interval"]
        assert figures["metrics"]["baseline"]["value"] == headline["baseline"]
    assert card["training_accuracy"] == model["metrics"]["train"]["accuracy"]
    assert card["random_split_accuracy"] == model["metrics"]["random_split"]["accuracy"]
    assert card["origins"] == {"csv:music": 480}
    assert (card["figures_of"], card["classes"]) == (model["id"], ["blues", "metal", "techno"])
    text = run_text("card", str(model["id"]))
    accuracy = card["figures"]["new_artist"]["metrics"]["accuracy"]
    low, high = accuracy["interval"]
    assert f"{accuracy['value']:.3f} ({low:.3f} to {high:.3f})" in text
    for output in (
        "## Data",
        "## Metrics",
        "## Known limits",
        "## Terms",
        "csv:music (480)",
        "| csv:music | labels | an unknown licence | unknown | 480 |",
        "Labels under an unknown licence (csv:music)",
    ):
        assert output in text
    assert f"gives {card['random_split_accuracy']:.3f}" in text
    assert card["data_fingerprint"] in text
    assert all(limit in text for limit in card["limits"])
    assert (card["left_out"], "brought nothing" in text) == ([], False)
    with transaction(database) as connection:
        schema = connection.scalars(select(tables.model.c.feature_schema)).one()
        changed = {**schema, "left_out": ["nets", "content_forest"]}
        connection.execute(update(tables.model).values(feature_schema=changed))
    assert run_json("card")["left_out"] == ["nets", "content_forest"]
    assert "brought nothing on the validation tracks: nets, content_forest." in run_text("card")


def test_the_card_has_the_third_figure_with_its_caution(database: Engine):
    """The curve of siblings stands after the two test conditions, with the selection behind it."""
    model = run_json(*TRAIN)
    card, text = run_json("card"), run_text("card")
    metrics = card["figures"]["new_artist_with_siblings"]["metrics"]
    headline = model["metrics"]["new_artist_with_siblings"]
    assert headline["accuracy"] == metrics["accuracy"]["value"]
    assert (
        metrics["accuracy_with_0_siblings"]["value"] == model["metrics"]["new_artist"]["accuracy"]
    )
    assert text.index("## Metrics") < text.index("## Unseen artists with their other tracks")
    assert f"{headline['siblings_seen_under_own_genre']:.0%} were found" in text
    for row in ("none: the track alone", "10", "all", "lower bracket", "upper bracket"):
        assert row in text
    shown = run_text("train", "--again", *TRAIN[1:])
    figure = f"with their other tracks: {headline['accuracy']:.3f}"
    assert figure in " ".join(shown.split())
    assert "no independent evidence" in " ".join(shown.split())


def test_the_card_command_reproduces_the_model(database: Engine):
    """The printed command trains nothing new."""
    model = run_json(*TRAIN, "--features", "audio", "--per-genre", "60", "--seed", "3")
    program, *words = shlex.split(run_json("card")["command"])
    assert program == "classifier"
    again = run_json(*words)
    assert (again["id"], again["nothing_new"]) == (model["id"], True)


def test_a_refit_has_its_parent_s_metrics(database: Engine):
    """They are marked as the parent's, in text and JSON."""
    parent = run_json(*TRAIN)
    refit = run_json("train", "--refit")
    card = run_json("card", str(refit["id"]))
    assert card["figures_of"] == parent["id"]
    assert card["figures"] == run_json("card", str(parent["id"]))["figures"]
    text = run_text("card", str(refit["id"]))
    assert f"All metrics below are of model {parent['id']}" in text
    assert card["command"].endswith("--refit")


def test_a_file_is_made_and_never_overwritten(database: Engine, tmp_path: Path):
    """-o writes the same text; a file that is there, and an unknown model, are refused."""
    run_json(*TRAIN)
    file = tmp_path / "card.md"
    assert run_json("card", "-o", str(file))["figures_of"] == 1
    assert file.read_text() == run_text("card")
    file.write_text("mine")
    for wrong in (("card", "-o", str(file)), ("card", "7")):
        ran = CliRunner().invoke(app, wrong)
        assert isinstance(ran.exception, GenrebaseError)
        assert ran.exception.exit_code == 2
    assert file.read_text() == "mine"
