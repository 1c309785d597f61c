"""Plots: contents, reproducibility and errors."""

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sqlalchemy import Engine, insert
from typer.testing import CliRunner

from classifier.cli import app
from classifier.data import dataset
from classifier.errors import BadTrainingConfig
from classifier.reports import plot as plotting
from classifier.reports.plots import confusion, trend
from classifier.reports.plots.request import PlotRequest
from classifier.reports.plots.style import NoMatplotlib
from genrebase.errors import GenrebaseError, UserError
from genrebase.store import tables
from genrebase.store.engine import make_engine, transaction
from tests import factories as make
from tests.synthetic_music import GENRES

LABELS = {
    "confusion": {*GENRES, "predicted", "0.75", "Test tracks, unseen artists"},
    "profile": {*GENRES, "energy", "tempo"},
    "overlay": {*GENRES, "energy", "share of the genre's tracks"},
    "importance": {"energy (permuted)", "audio (group permuted)", "nets (without this expert)"},
    "trend": {*GENRES, "mean energy", "year"},
    "compare": {"logistic · audio", "logistic · audio · 100", "unseen artists"},
    "learning-curve": {"100", "all", "accuracy on test tracks", "seen artists"},
    "training": {"epoch", "loss, validation tracks", "validation accuracy"},
    "scatter": {*GENRES, "energy", "acousticness"},
}


@pytest.fixture
def database(database: Engine) -> Engine:
    """Add stored findings."""
    with transaction(database) as connection:
        model = make.add_model(connection)
        confused = {"model_id": model, "regime": "new_artist"}
        shares = [(1, 1, 75), (1, 2, 25), (2, 2, 90), (2, 3, 10), (3, 3, 40)]
        connection.execute(
            insert(tables.confusion),
            [
                {**confused, "genre_id": one, "predicted_id": other, "tracks": count}
                for one, other, count in shares
            ],
        )
        measured = {"model_id": model, "importance": 0.2, "low": 0.1, "high": 0.3, "n": 9}
        kinds = [("feature", "energy"), ("group", "audio"), ("expert", "nets"), ("alone", "audio")]
        connection.execute(
            insert(tables.feature_importance),
            [
                {**measured, "regime": regime, "kind": kind, "feature": feature}
                for regime in ("new_artist", "seen_artist")
                for kind, feature in kinds
            ],
        )
        passed = {"model_id": model, "validation_accuracy": 0.5, "learning_rate": 1e-3}
        connection.execute(
            insert(tables.training_epoch),
            [
                {**passed, "epoch": one, "train_loss": 2 / one, "validation_loss": 1, "seconds": 9}
                for one in (1, 2, 3)
            ],
        )
        for kind in ("compare", "learning_curve"):
            experiment = make.add_experiment(connection, kind)
            for number, size in enumerate((100, None), start=1):
                trial = make.add_trial(
                    connection,
                    experiment,
                    number=number,
                    key=str(number),
                    estimator="logistic",
                    features="audio",
                    per_genre=size,
                    trained_rows=300 * number,
                )
                for regime in ("new_artist", "seen_artist"):
                    span = {"low": 0.5, "high": 0.7, "regime": regime}
                    make.add_trial_metric(connection, trial, "accuracy", 0.6, **span)
                    make.add_trial_metric(connection, trial, "f1", 0.5, genre="metal", **span)
    return database


def plot(kind: str, file: Path, *more: str) -> Any:
    ran = CliRunner().invoke(
        app, ["plot", kind, "-o", str(file), *more, "--json"], catch_exceptions=False
    )
    assert ran.exit_code == 0, ran.output
    return json.loads(ran.stdout)


def texts(file: Path) -> set[str]:
    """Return every text in an SVG."""
    matches = re.findall(r"<text[^>]*>([^<]*)</text>", file.read_text(encoding="utf-8"))
    return {text.replace("&amp;", "&") for text in matches}


def test_every_kind_is_tested() -> None:
    """A kind that is added has its labels checked below."""
    assert LABELS.keys() == plotting.KINDS.keys()


@pytest.mark.parametrize("kind", LABELS)
def test_a_plot_has_its_labels_and_is_reproducible(
    database: Engine, tmp_path: Path, kind: str
) -> None:
    """Its labels are in the SVG as text; the same data give the same bytes."""
    first, second = tmp_path / "one.svg", tmp_path / "two.svg"
    done = plot(kind, first)
    assert (done["kind"], done["bytes"]) == (kind, first.stat().st_size)
    assert texts(first) >= LABELS[kind]
    plot(kind, second)
    assert first.read_bytes() == second.read_bytes()


def test_a_png_is_reproducible(database: Engine, tmp_path: Path) -> None:
    """The file contains no timestamp."""
    one, two = tmp_path / "one.png", tmp_path / "two.PNG"
    plot("scatter", one, "--genres", "metal", "--x", "tempo", "--y", "popularity")
    plot("scatter", two, "--genres", "metal", "--x", "tempo", "--y", "popularity")
    assert one.read_bytes().startswith(b"\x89PNG\r\n")
    assert one.read_bytes() == two.read_bytes()


def test_only_the_requested_genres_are_plot(database: Engine, tmp_path: Path) -> None:
    """The feature and the x axis are those requested, too."""
    file = tmp_path / "t.svg"
    plot("trend", file, "--genres", "metal", "--by", "popularity", "--feature", "valence")
    assert texts(file) >= {"metal", "mean valence", "popularity"}
    assert not texts(file) & {"blues", "techno"}
    curve = tmp_path / "c.svg"
    plot("learning-curve", curve, "--genres", "metal")
    assert texts(curve) >= {"metal", "F1 on test tracks, unseen artists"}


def test_names_in_any_script_are_plotted(database: Engine, tmp_path: Path) -> None:
    """A dollar sign is literal, a missing glyph no error; long names are cut."""
    names = ("シティポップ", "r$b & $oul", "a genre with a very long name")
    with transaction(database) as connection:
        for number, name in enumerate(names, start=1):
            table = tables.genre
            connection.execute(table.update().where(table.c.id == number).values(name=name))
    file = tmp_path / "p.svg"
    plot("profile", file)
    assert texts(file) >= {"シティポップ", "r$b & $oul", "a genre with a very l…"}
    plot("profile", tmp_path / "p.png")


def many(count: int) -> pd.DataFrame:
    """Return the confusions of genres each of which is taken for the one 57 places on."""
    names = [f"genre {number:03d}" for number in range(count)]
    rows = [
        (genre, other, share)
        for place, genre in enumerate(names)
        for other, share in ((genre, 0.6), (names[(place + 57) % count], 0.4))
    ]
    predictions = pd.DataFrame(rows, columns=["genre", "predicted", "share"])
    return predictions.assign(task="main", model_id=1, status="champion", regime="new_artist")


def test_a_hundred_genres_can_be_read() -> None:
    """Every genre is named, and no label is higher than its row."""
    figure = confusion.draw(many(114), PlotRequest())
    figure.draw_without_rendering()
    axes = figure.axes[0]
    labels = axes.get_yticklabels()
    assert len(labels) == 114
    height = axes.get_window_extent().height / 114
    assert all(label.get_window_extent().height <= height for label in labels)


def test_confused_genres_are_neighbours() -> None:
    """Pairs that are taken for each other are neighbours in the order."""
    shares = np.eye(6) * 0.6
    pairs = [(0, 3), (1, 5), (2, 4)]
    for one, other in pairs:
        shares[one, other] = shares[other, one] = 0.4
    order = confusion.similarity_order(shares).tolist()
    assert sorted(order) == list(range(6))
    assert all(abs(order.index(one) - order.index(other)) == 1 for one, other in pairs)


def test_a_point_of_a_trend_is_the_mean_of_its_tracks() -> None:
    """Years are weighed by their tracks; a step of few tracks is left out."""
    rows = pd.DataFrame(
        {"decade": [1990, 1990, 2000], "energy": [0.2, 0.8, 0.5], "with_features": [30, 10, 4]}
    )
    means = trend.weighted_means(rows, "decade", "energy", "with_features")
    assert means.to_dict() == {1990: pytest.approx(0.35)}


@pytest.fixture
def files(sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    """Yield a database of audio files and one catalogue track."""
    monkeypatch.setenv("STORE_URL", sqlite_url)
    engine = make_engine(sqlite_url)
    with transaction(engine) as connection:
        rock = make.add_genre(connection, "rock")
        for number in range(9):
            track = make.add_track(
                connection, f"Song {number}", genres=[rock], release_year=1999, popularity=50
            )
            provider = "audio" if number else "csv"
            make.add_features(connection, track, provider, energy=number / 10, valence=None)
    yield engine
    engine.dispose()


def test_a_plot_never_mixes_scales(files: Engine, tmp_path: Path) -> None:
    """Features measured in files are labelled so, also if another scale was requested."""
    with transaction(files) as connection:
        connection.execute(
            tables.audio_features.delete().where(tables.audio_features.c.provider == "csv")
        )
    plot("overlay", tmp_path / "overlay.svg", "--feature", "energy")
    plot("trend", tmp_path / "trend.svg", "--feature", "energy")
    plot("profile", tmp_path / "profile.svg", "--feature", "energy")
    plot("scatter", tmp_path / "scatter.svg", "--x", "energy", "--y", "tempo")
    assert "own_energy" in texts(tmp_path / "overlay.svg")
    assert "mean own_energy" in texts(tmp_path / "trend.svg")
    assert {"own_energy", "own_loudness", "tempo"} < texts(tmp_path / "profile.svg")
    assert not {"energy", "loudness", "valence"} & texts(tmp_path / "profile.svg")
    assert {"own_energy", "tempo"} < texts(tmp_path / "scatter.svg")


def test_both_scales_are_plotted_separately(files: Engine, tmp_path: Path) -> None:
    """Each scale has a panel; a trend is weighted by the tracks of its scale only."""
    plot("profile", tmp_path / "a.svg")
    assert {"energy", "own_energy", "tempo"} < texts(tmp_path / "a.svg")
    frame = dataset.read_view("genre_trends", files)
    assert trend._weights(frame, "energy").tolist() == [1]
    assert trend._weights(frame, "own_energy").tolist() == [8]
    assert trend._weights(frame, "tempo").tolist() == [9]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("pie -o a.svg", "Known: confusion"),
        ("trend -o a.pdf", "neither SVG nor PNG"),
        ("trend -o a.svg --by weather", "year, decade, popularity"),
        ("trend -o a.svg --feature smell", "no feature 'smell'"),
        ("overlay -o a.svg --feature smell", "Known: acousticness"),
        ("profile -o a.svg --feature key", "no feature 'key'"),
        ("scatter -o a.svg --x smell", "no feature 'smell'"),
        ("overlay -o a.svg --genres polka", "blues, metal, techno"),
        ("confusion -o a.svg --genres polka", "no genre 'polka'"),
        ("confusion -o a.svg --model 9", "model 9"),
        ("confusion -o a.svg --regime seen_artist", "seen_artist"),
        ("importance -o a.svg --task pair", "classifier explain"),
        ("compare -o a.svg --experiment 2", "run `classifier compare` first"),
        ("learning-curve -o a.svg --task pair", "classifier learning-curve"),
        ("scatter -o a.svg --genres a,b,c,d,e,f,g,h,i", "At most 8"),
    ],
)
def test_an_impossible_plot_is_refused(
    database: Engine,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: str,
    message: str,
) -> None:
    """Refused with a message and exit code 2, and no file is written."""
    folder = tmp_path / "plots"
    folder.mkdir()
    monkeypatch.chdir(folder)
    ran = CliRunner().invoke(app, ["plot", *arguments.split()])
    assert isinstance(ran.exception, GenrebaseError), ran.output
    assert ran.exception.exit_code == 2
    assert message in str(ran.exception)
    assert list(folder.iterdir()) == []


def test_a_plot_overwrites_nothing(database: Engine, tmp_path: Path) -> None:
    """An existing file is unchanged."""
    file = tmp_path / "mine.svg"
    file.write_text("mine")
    with pytest.raises(UserError, match="exists already"):
        plotting.save_plot(database, "trend", PlotRequest(), file)
    assert file.read_text() == "mine"


def test_an_empty_database_is_refused(sqlite_engine: Engine, tmp_path: Path) -> None:
    """The message of every kind names the command to run first."""
    for kind in plotting.KINDS:
        with pytest.raises(BadTrainingConfig):
            plotting.save_plot(sqlite_engine, kind, PlotRequest(), tmp_path / "a.svg")


def test_without_matplotlib_the_message_names_the_extra(
    database: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Other commands do not need the extra."""
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(NoMatplotlib, match=r"pip install 'genrebase\[plot\]'"):
        plotting.save_plot(database, "trend", PlotRequest(), tmp_path / "a.svg")
