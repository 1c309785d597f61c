"""Commands name the licences of what they use, and what they leave out."""

from pathlib import Path

import pytest
from sqlalchemy import Engine, insert, select, update

from classifier.data import dataset, rows_to_predict
from classifier.registry import stored_models
from classifier.training_config import TrainingConfig
from genrebase.store import features_provider, tables, views
from genrebase.store.engine import read_transaction, transaction
from tests.classifier_cli import refusal, run_json, run_text
from tests.fakes import NOON

TRAIN = ("train", "--estimator", "logistic", "--min-tracks", "20", "--features", "audio")
NC = "cc-by-nc-sa-3.0"


@pytest.fixture
def mixed(database: Engine) -> Engine:
    """Half of the labels are MusicBrainz', half Spotify's; the features are of two providers."""
    licences = {"musicbrainz": NC, "spotify": "terms", "csv": "unknown", "acousticbrainz": "cc0"}
    sighting, features = tables.sighting, tables.audio_features
    with transaction(database) as connection:
        connection.execute(
            insert(tables.data_source),
            [
                {"name": name, "licence": licence, "noted_at": NOON}
                for name, licence in licences.items()
            ],
        )
        of_half = sighting.c.track_id % 2 == 0
        connection.execute(update(sighting).where(of_half).values(source="musicbrainz"))
        connection.execute(update(sighting).where(~of_half).values(source="spotify"))
        every_third = features.c.track_id % 3 == 0
        connection.execute(update(features).where(~every_third).values(provider="acousticbrainz"))
        features_provider.choose_all(connection)
    return database


def test_a_training_names_what_it_uses_and_leaves_out(mixed: Engine) -> None:
    """In JSON, in its output, in the list of models and on the card."""
    text = run_text(*TRAIN, "--licence", "noncommercial")
    assert "Labels: 240 from musicbrainz (cc-by-nc-sa-3.0)." in text
    model = run_json(*TRAIN, "--licence", "noncommercial")
    assert model["nothing_new"]
    assert (model["licence_class"], model["choice"]["licence"]) == (
        "noncommercial",
        "noncommercial",
    )
    sources = model["sources"]
    assert sources["labels"] == [
        {"source": "musicbrainz", "licence": NC, "class": "noncommercial", "labels": 240}
    ]
    assert [one["source"] for one in sources["features"]] == ["acousticbrainz"]
    left_out = sources["left_out"]
    assert left_out["labels"] == [
        {"source": "spotify", "licence": "terms", "class": "restricted", "labels": 240}
    ]
    assert [one["source"] for one in left_out["features"]] == ["csv"]
    assert left_out["tracks"] == 240
    assert run_json("models")[0]["sources"] == sources
    assert "noncommercial" in run_text("models")
    card = run_json("card")
    assert card["sources"] == sources
    text = run_text("card")
    for part in (
        "| musicbrainz | labels | CC BY-NC-SA 3.0 | noncommercial | 240 |",
        "Left out by --licence noncommercial: labels: 240 from spotify (terms).",
        "for non-commercial purposes only; credit musicbrainz; share it alike (CC BY-NC-SA 3.0)",
        "Features under CC0 (acousticbrainz). The model may be published",
    ):
        assert part in text
    assert "--licence noncommercial" in card["command"]
    assert "Spotify's" not in text


def test_what_a_card_says_was_stored_with_the_model(mixed: Engine) -> None:
    """A licence that changes later changes no model; training again makes another one."""
    model = run_json(*TRAIN)
    assert model["licence_class"] == "restricted"
    before = run_json("card")
    with transaction(mixed) as connection:
        connection.execute(update(tables.data_source).values(licence="cc0"))
    assert run_json("card") == before
    assert "forbid" in before["terms"]
    again = run_json(*TRAIN)
    assert (again["nothing_new"], again["licence_class"]) == (False, "open")


def test_too_little_is_refused(mixed: Engine) -> None:
    """Nothing is stored; the sentence names sources and licences."""
    code, message = refusal(*TRAIN, "--licence", "open")
    assert code in (1, 2)
    assert f"240 from musicbrainz ({NC})" in message
    assert "240 from spotify (terms)" in message
    assert stored_models.models(mixed, "main") == []
    code, message = refusal(*TRAIN, "--licence", "public")
    assert "Known: any, noncommercial, open" in message


def test_the_setting_restricts_every_command(
    mixed: Engine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """All that train, or write what is trained on; a snapshot of more does not evade it."""
    everything = str(tmp_path / "everything")
    run_json("snapshot", everything, *TRAIN[1:])
    monkeypatch.setenv("CLASSIFIER_LICENCE", "noncommercial")
    monkeypatch.setenv("CLASSIFIER_MIN_LEVEL", "release")
    trained = run_json(*TRAIN)
    assert trained["choice"]["licence"] == "noncommercial"
    assert trained["choice"]["min_level"] == "release"
    written = run_json("snapshot", str(tmp_path / "less"), *TRAIN[1:])
    of_snapshot = run_json("train", "--snapshot", everything)
    options = TRAIN[1:]
    compared = run_json("compare", "--estimators", "dummy", "--min-tracks", "20")
    curve = run_json("learning-curve", "--sizes", "20,30", *options)
    tuned = run_json("tune", "--trials", "1", "--cv-folds", "1", *options)
    for document in (written, of_snapshot, compared, curve, tuned):
        sources = document["sources"]
        assert (sources["licence"], sources["class"]) == ("noncommercial", "noncommercial")
        assert sources["left_out"]["labels"][0]["source"] == "spotify"
    assert "non-commercial purposes only" in written["terms"]


def test_predictions_say_their_model_s_licence(mixed: Engine) -> None:
    """By their model; a refit has it, too. A model predicts from allowed features only."""
    model = run_json(*TRAIN, "--licence", "noncommercial")
    run_json("predict")
    with read_transaction(mixed) as connection:
        for view in (views.predictions, views.task_predictions, views.model_leaderboard):
            classes = set(connection.scalars(select(view.c.licence_class)))
            assert classes == {"noncommercial"}
        count = len(connection.execute(select(views.predictions.c.track_id)).all())
    assert count == 480
    refit = run_json("train", "--refit")
    assert (refit["licence_class"], refit["parent"]) == ("noncommercial", model["id"])
    config = TrainingConfig.from_model(stored_models.model(mixed, model["id"]))
    ids = dataset.load_dataset(mixed).tracks["track_id"].to_numpy(dtype="int64")
    rows = rows_to_predict.scoring_rows(mixed, ids, config)
    assert set(rows["provider"].dropna()) == {"acousticbrainz"}
    assert rows["popularity"].isna().all()
    assert set(rows_to_predict.scoring_rows(mixed, ids)["provider"].dropna()) == {
        "acousticbrainz",
        "csv",
    }


def test_a_wider_licence_replaces_no_champion(mixed: Engine) -> None:
    """It is rejected with a reason; a narrower one competes as usual."""
    narrow = run_json(*TRAIN, "--licence", "noncommercial")
    assert narrow["status"] == "champion"
    wide = run_json(*TRAIN, "--again", "--min-tracks", "21")
    assert wide["status"] == "rejected"
    assert run_json("promote", str(wide["id"]))["status"] == "champion"
    again = run_json(*TRAIN, "--licence", "noncommercial", "--again")
    assert "--licence any" not in again["reason"]


def test_a_model_of_an_earlier_version_is_listed_but_not_used(mixed: Engine) -> None:
    """It has neither licences nor counts; the next training replaces it."""
    old = run_json(*TRAIN)["id"]
    less = {"sources": None, "licence_class": None, "track_counts": None}
    with transaction(mixed) as connection:
        connection.execute(update(tables.model).values(**less))
    assert "not recorded" in run_text("models")
    assert run_json("models")[0]["sources"] is None
    for command in ("card", "predict", "train --refit"):
        _, message = refusal(*command.split())
        assert f"Model {old} cannot be used. It was trained by an earlier version." in message
    assert run_json(*TRAIN)["status"] == "champion"
    assert run_json("predict")["model"] == old + 1
