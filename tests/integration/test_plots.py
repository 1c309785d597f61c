"""Plots: contents, reproducibility and errors."""

import json
import re
import struct
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_hex
from sqlalchemy import Engine, insert
from typer.testing import CliRunner

from classifier.cli import app
from classifier.data import dataset
from classifier.errors import BadTrainingConfig
from classifier.reports import plot as plotting
from classifier.reports.plots import confusion, histogram, style, trend
from classifier.reports.plots.request import PlotRequest
from genrebase.errors import GenrebaseError, UserError
from genrebase.store import features_provider, tables
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


TITLES = {
    "confusion": "Confusion matrix of model 1",
    "profile": "Features by genre, sorted by energy",
    "overlay": "Distribution of energy by genre",
    "importance": "What model 1 depends on",
    "trend": "Mean energy by year and genre",
    "compare": "Comparison of estimators (experiment 1)",
    "learning-curve": "Learning curve of logistic, audio",
    "training": "Training of model 1, logistic",
    "scatter": "energy and acousticness by genre",
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
    """Return every text in an SVG, without the numbers of tracks of a legend."""
    return {re.sub(r" \([\d,]+\)$", "", text) for text in all_texts(file)}


def all_texts(file: Path) -> list[str]:
    """Return every text in an SVG, as it is written there."""
    matches = re.findall(r"<text[^>]*>([^<]*)</text>", file.read_text(encoding="utf-8"))
    return [text.replace("&amp;", "&") for text in matches]


def test_every_kind_is_tested() -> None:
    """A kind that is added has its labels checked below."""
    assert LABELS.keys() == plotting.KINDS.keys()


@pytest.mark.parametrize("kind", LABELS)
def test_a_plot_has_its_title_and_labels_and_is_reproducible(
    database: Engine, tmp_path: Path, kind: str
) -> None:
    """They are in the SVG as text; the same data give the same bytes."""
    first, second = tmp_path / "one.svg", tmp_path / "two.svg"
    done = plot(kind, first)
    assert (done["kind"], done["bytes"]) == (kind, first.stat().st_size)
    assert done["title"] == TITLES[kind]
    assert texts(first) >= {*LABELS[kind], TITLES[kind]}
    assert style.SYNTHETIC not in texts(first)
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
    return predictions.assign(
        task="main", model_id=1, status="champion", regime="new_artist", tracks=1
    )


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
        features_provider.choose_all(connection)
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
        ("trend -o a.txt", "neither SVG, PNG nor PDF"),
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
        ("scatter -o a.svg --genres " + ",".join(map(str, range(41))), "At most 40"),
        ("trend -o a.svg --feature key", "Keys form a circle"),
        ("trend -o a.svg --size 8", "width x height in inches"),
        ("trend -o a.svg --size 800x600", "2 to 40 wide and high"),
        ("trend -o a.svg --size nanx4", "width x height in inches"),
        ("trend -o a.svg --title=", "--title needs a text"),
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
    with pytest.raises(UserError, match=r"pip install -c constraints.txt -e '\.\[plot\]'"):
        plotting.save_plot(database, "trend", PlotRequest(), tmp_path / "a.svg")


@pytest.mark.parametrize("kind", TITLES)
def test_another_title_and_invented_tracks(database: Engine, tmp_path: Path, kind: str) -> None:
    """The title replaces that of the plot; where the catalogue is synthetic, a mark says so."""
    with transaction(database) as connection:
        connection.execute(
            insert(tables.catalogue_origin),
            {
                "id": 1,
                "kind": "synthetic",
                "detail": "seed 1",
                "recorded_at": datetime(2026, 1, 1, tzinfo=UTC),
            },
        )
    done = plot(kind, tmp_path / "invented.svg", "--title", "My plot")
    assert {"My plot", style.SYNTHETIC} <= texts(tmp_path / "invented.svg")
    assert TITLES[kind] not in texts(tmp_path / "invented.svg")
    assert style.SYNTHETIC in done["notes"]


def test_numbers_of_tracks_are_shown(database: Engine, tmp_path: Path) -> None:
    """Of each genre in the legend, of all at the lower edge."""
    file = tmp_path / "overlay.svg"
    done = plot("overlay", file, "--genres", "metal,techno")
    counts = dataset.read_view("genre_histograms", database)
    counts = counts[counts["feature"] == "energy"].groupby("genre")["tracks"].sum()
    assert {f"metal ({counts['metal']:,})", f"techno ({counts['techno']:,})"} <= {*all_texts(file)}
    assert done["notes"][0] == f"n = {counts['metal'] + counts['techno']:,} tracks"


def test_size_and_pdf(database: Engine, tmp_path: Path) -> None:
    """A size is in inches, of which a PNG has 150 pixels each; a PDF is reproducible."""
    for kind in ("trend", "profile", "confusion"):
        plot(kind, tmp_path / f"{kind}.png", "--size", "6x4")
        header = (tmp_path / f"{kind}.png").read_bytes()[16:24]
        assert struct.unpack(">II", header) == (900, 600)
    plot("overlay", tmp_path / "a.pdf", "--size", "6x4")
    plot("overlay", tmp_path / "b.PDF", "--size", "6x4")
    assert (tmp_path / "a.pdf").read_bytes().startswith(b"%PDF-")
    assert (tmp_path / "a.pdf").read_bytes() == (tmp_path / "b.PDF").read_bytes()


@pytest.mark.parametrize("kind", ["confusion", "profile", "overlay", "trend", "compare"])
def test_no_plot_is_wider_than_a_page(database: Engine, tmp_path: Path, kind: str) -> None:
    """At most nine inches: 1,350 pixels."""
    plot(kind, tmp_path / "a.png")
    width, _ = struct.unpack(">II", (tmp_path / "a.png").read_bytes()[16:24])
    assert width <= 1_350


def colours(database: Engine, kind: str, genres: tuple[str, ...] | None) -> dict[str, str]:
    """Return the colour of each genre in the legend."""
    request = PlotRequest(genres=genres, all_genres=GENRES)
    view, draw = plotting.KINDS[kind]
    axes = draw(dataset.read_view(view, database), request).axes[0]
    handles, labels = axes.get_legend_handles_labels()
    return {
        label.split(" (")[0]: to_hex(
            handle.get_color() if kind != "overlay" else handle.get_edgecolor()
        )
        for handle, label in zip(handles, labels, strict=True)
    }


@pytest.mark.parametrize("kind", ["overlay", "trend", "scatter"])
def test_a_colour_belongs_to_a_genre(database: Engine, kind: str) -> None:
    """Whichever genres are drawn, in whatever order."""
    every = colours(database, kind, None)
    two = colours(database, kind, ("techno", "metal"))
    assert len({*every.values()}) == len(GENRES)
    assert two == {genre: every[genre] for genre in ("techno", "metal")}


def test_keys_have_names(database: Engine, tmp_path: Path) -> None:
    """Not numbers."""
    plot("overlay", tmp_path / "key.svg", "--feature", "key")
    assert {"C", "C#", "A#", "B"} <= texts(tmp_path / "key.svg")
    plot("scatter", tmp_path / "s.svg", "--x", "key", "--y", "mode")
    assert {"C", "F#", "minor", "major"} <= texts(tmp_path / "s.svg")


def histogram_rows(genres: int) -> pd.DataFrame:
    """Return the histograms of genres in the bins 0.0, 0.3 and 0.95; later ones are larger."""
    rows = [
        (f"g{number:02}", "energy", at, at / 20, (at + 1) / 20, 10 + number, 1 / 3)
        for number in range(genres)
        for at in (0, 6, 19)
    ]
    return pd.DataFrame(
        rows, columns=["genre", "feature", "bin", "low", "high", "tracks", "share"]
    )


def test_bins_have_full_width() -> None:
    """The outer ones, too; empty bins are drawn as such."""
    figure = histogram.draw(histogram_rows(2), PlotRequest())
    values, edges, _ = figure.axes[0].patches[0].get_data()
    assert edges == pytest.approx(np.linspace(0, 1, 21))
    assert np.flatnonzero(values).tolist() == [0, 6, 19]


def test_genres_that_are_not_drawn_are_named() -> None:
    """Ten are drawn, those with most tracks; the note names the others."""
    figure = histogram.draw(histogram_rows(12), PlotRequest())
    assert len(figure.axes[0].get_legend().get_texts()) == 10
    note = " ".join(figure.get_supxlabel().split())
    assert "10 of 12 genres, those with most tracks. Not drawn: g01, g00 (--genres draws" in note
    named = PlotRequest(genres=tuple(f"g{number:02}" for number in range(12)))
    figure = histogram.draw(histogram_rows(12), named)
    assert len(figure.axes[0].get_legend().get_texts()) == 12
    assert "Not drawn" not in figure.get_supxlabel()
    ten = histogram.draw(histogram_rows(10), PlotRequest())
    assert "Not drawn" not in ten.get_supxlabel()


def test_a_line_is_broken_at_a_gap() -> None:
    """A year, or decade, without a point is no straight line."""
    points = pd.Series([0.1, 0.2, 0.4], index=[1990, 1991, 1993])
    gapped = trend.with_gaps(points, 1)
    assert gapped.index.tolist() == [1990, 1991, 1992, 1993]
    assert gapped.isna().tolist() == [False, False, True, False]
    decades = pd.Series([0.1, 0.2], index=[1970, 1990])
    assert trend.with_gaps(decades, 10).isna().tolist() == [False, True, False]
    assert len(trend.with_gaps(points[:0], 1)) == 0


def test_few_genres_have_intervals(database: Engine, tmp_path: Path) -> None:
    """Bands of a trend, of a histogram, and of the learning curves of genres."""
    for kind, what in (
        ("trend", "of the mean"), ("overlay", "of the shares"), ("learning-curve", "intervals."),
    ):  # fmt: skip
        done = plot(kind, tmp_path / f"{kind}.svg", "--genres", "metal")
        assert any(note.startswith("Bands: 95%") and what in note for note in done["notes"])
        assert "opacity: 0.15" in (tmp_path / f"{kind}.svg").read_text()


def test_wilson_intervals() -> None:
    """As published: 81 of 263 is 0.255 to 0.366 (Newcombe, 1998)."""
    low, high = histogram.wilson_interval(np.array([81 / 263]), 263)
    assert low[0] == pytest.approx(0.2553, abs=1e-4)
    assert high[0] == pytest.approx(0.3662, abs=1e-4)


@pytest.mark.parametrize("kind", ["compare", "importance"])
def test_markers_stand_at_their_values(database: Engine, kind: str) -> None:
    """Inside their intervals, at the numbers of the view, in rows of their labels."""
    view, draw = plotting.KINDS[kind]
    frame = dataset.read_view(view, database)
    axes = draw(frame, PlotRequest()).axes[0]
    value, low, high = (0.6, 0.5, 0.7) if kind == "compare" else (0.2, 0.1, 0.3)
    assert len(axes.containers) == 2
    for place, series in enumerate(axes.containers):
        points, _, (intervals,) = series.lines
        assert points.get_xdata() == pytest.approx(value)
        rows = points.get_ydata() - 0.16 + 0.32 * place
        assert rows == pytest.approx(np.arange(len(rows)))
        for start, end in intervals.get_segments():
            assert (start[0], end[0]) == (pytest.approx(low), pytest.approx(high))
