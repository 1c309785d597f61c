"""What was tried: estimators beside each other, and accuracy by the number of tracks."""

from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from classifier.errors import BadTrainingConfig
from classifier.reports.plots import style
from classifier.reports.plots.request import PlotRequest

if TYPE_CHECKING:
    from matplotlib.figure import Figure

VIEW: Final = "experiment_results"


def draw_comparison(frame: pd.DataFrame, wanted: PlotRequest) -> "Figure":
    """Draw the test accuracy of every configuration of a comparison, the best at the top."""
    rows = _latest(frame, "compare", wanted)
    rows = rows[rows["genre"].isna() & (rows["metric"] == "accuracy")]
    rows = rows.assign(
        label=rows["estimator"] + " · " + rows["features"] + _sizes(rows["per_genre"])
    )
    if rows.duplicated(["label", "regime"]).any():
        rows = rows.assign(label=rows["label"] + " · " + rows["number"].astype("string"))
    best = rows.groupby("label")["value"].mean()
    labels = sorted(best.index, key=lambda label: (float(best[label]), str(label)))
    figure = style.new_figure(9.0, 1.4 + 0.28 * len(labels))
    axes = figure.add_subplot()
    for number, (regime, title) in enumerate(style.REGIME_TITLES.items()):
        known = rows[rows["regime"] == regime].set_index("label").reindex(labels)
        value, low, high = (known[name].to_numpy(dtype=np.float64) for name in _VALUES)
        axes.errorbar(
            value,
            np.arange(len(labels)) + 0.15 - 0.3 * number,
            xerr=np.clip([value - low, high - value], 0.0, None),
            fmt="os"[number],
            color=style.COLOURS[number],
            markersize=4,
            linewidth=1.2,
            label=title,
        )
    axes.set_yticks(range(len(labels)), labels, fontsize=8)
    axes.set_xlabel("accuracy on test tracks, 95% intervals")
    axes.grid(axis="x", color="#dddddd")
    axes.legend(frameon=False, fontsize=8)
    return figure


def draw_learning_curve(frame: pd.DataFrame, wanted: PlotRequest) -> "Figure":
    """Draw test accuracy by tracks per genre; with genres, their F1 in one regime."""
    rows = _latest(frame, "learning_curve", wanted)
    if wanted.genres is None:
        rows = rows[rows["genre"].isna() & (rows["metric"] == "accuracy")]
        lines = {
            title: rows[rows["regime"] == regime] for regime, title in style.REGIME_TITLES.items()
        }
        what = "accuracy on test tracks"
    else:
        rows = rows[rows["genre"].notna() & (rows["metric"] == "f1")]
        rows = rows[rows["regime"] == wanted.regime]
        genres = style.select_genres(rows, wanted.genres, "n")
        lines = {genre: rows[rows["genre"] == genre] for genre in genres}
        what = f"F1 on test tracks, {style.REGIME_TITLES.get(wanted.regime, wanted.regime)}"
    figure = style.new_figure(8.0, 4.5)
    axes = figure.add_subplot()
    for colour, (label, line) in zip(style.COLOURS, lines.items(), strict=False):
        points = line.sort_values("trained_rows", kind="stable")
        x = points["trained_rows"].to_numpy(dtype=np.float64)
        value, low, high = (points[name].to_numpy(dtype=np.float64) for name in _VALUES)
        axes.plot(x, value, "o-", color=colour, label=label, markersize=4)
        if wanted.genres is None:
            axes.fill_between(x, low, high, color=colour, alpha=0.2, linewidth=0)
    axes.set_xscale("log")
    sizes = rows.drop_duplicates("trained_rows").sort_values("trained_rows")
    axes.set_xticks(
        sizes["trained_rows"].to_numpy(dtype=np.float64),
        ["all" if pd.isna(size) else f"{size:,}" for size in sizes["per_genre"]],
    )
    axes.set_xticks([], minor=True)
    axes.set_xlabel("tracks of each genre learned from, at most")
    axes.set_ylabel(what)
    axes.grid(axis="y", color="#dddddd")
    axes.legend(frameon=False, fontsize=8)
    return figure


_VALUES: Final = ("value", "low", "high")


def _sizes(per_genre: "pd.Series[int]") -> "pd.Series[str]":
    told = [("" if pd.isna(size) else f" · {size}") for size in per_genre]
    return pd.Series(told, index=per_genre.index, dtype="string")


def _latest(frame: pd.DataFrame, kind: str, wanted: PlotRequest) -> pd.DataFrame:
    """Return the test figures of the experiment asked for, else of the latest of its kind."""
    rows = frame[(frame["kind"] == kind) & (frame["side"] == "test")]
    command = f"classifier {kind.replace('_', '-')}"
    if wanted.experiment is None:
        rows = rows[rows["task"] == wanted.task]
        number = rows["experiment_id"].max() if len(rows) else None
    else:
        number = wanted.experiment
    rows = rows[rows["experiment_id"] == number] if number is not None else rows
    if len(rows) == 0:
        name = "" if number is None else f" {number}"
        raise BadTrainingConfig(
            f"There is no such experiment{name} to draw: run `{command}` first."
        )
    return rows
