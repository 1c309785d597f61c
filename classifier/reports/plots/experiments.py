"""Plot experiments: a comparison of estimators, and a learning curve."""

import numpy as np
import pandas as pd

from classifier.errors import BadTrainingConfig
from classifier.model_records import REGIME_TITLES
from classifier.reports.plots import style
from classifier.reports.plots.palette import GenreStyle
from classifier.reports.plots.request import PlotRequest


def draw_comparison(frame: pd.DataFrame, request: PlotRequest) -> style.Figure:
    """Draw the test accuracy of every configuration of a comparison, the best at the top."""
    rows = _latest(frame, "compare", request)
    rows = rows[rows["genre"].isna() & (rows["metric"] == "accuracy")]
    rows = rows.assign(
        label=rows["estimator"] + " · " + rows["features"] + _sizes(rows["per_genre"])
    )
    if rows.duplicated(["label", "regime"]).any():
        rows = rows.assign(label=rows["label"] + " · " + rows["number"].astype("string"))
    best = rows.groupby("label")["value"].mean()
    labels = sorted(best.index, key=lambda label: (float(best[label]), str(label)))
    label = "accuracy on test tracks, 95% intervals"
    figure, axes = style.new_axes(9.0, 1.4 + 0.28 * len(labels), x=label, grid="x")
    style.draw_intervals(axes, rows.set_index("label"), labels, labels, "value")
    title = f"Comparison of estimators (experiment {int(rows['experiment_id'].iloc[0])})"
    style.add_caption(figure, request, title, style.count_by_condition(rows, "test tracks"))
    return figure


def draw_learning_curve(frame: pd.DataFrame, request: PlotRequest) -> style.Figure:
    """Draw test accuracy by tracks per genre; with genres, their F1 in one regime."""
    rows = _latest(frame, "learning_curve", request)
    if request.genres is None:
        rows = rows[rows["genre"].isna() & (rows["metric"] == "accuracy")]
        lines = {title: rows[rows["regime"] == regime] for regime, title in REGIME_TITLES.items()}
        looks = [GenreStyle(colour, "-", "o") for colour in style.COLOURS[: len(lines)]]
        what = "accuracy on test tracks"
    else:
        rows = rows[rows["genre"].notna() & (rows["metric"] == "f1")]
        rows = rows[rows["regime"] == request.regime]
        genres = style.select_genres(rows, request, "n")
        counts = rows.groupby("genre")["n"].max()
        lines = {
            f"{style.shorten_label(genre)} ({int(counts[genre]):,})": rows[rows["genre"] == genre]
            for genre in genres.names
        }
        looks = [genres.styles[genre] for genre in genres.names]
        what = f"F1 on test tracks, {REGIME_TITLES.get(request.regime, request.regime)}"
    label = "training tracks of each genre, at most"
    figure, axes = style.new_axes(8.0, 4.5, x=label, y=what, grid="y")
    for look, (label, line) in zip(looks, lines.items(), strict=True):
        points = line.sort_values("trained_rows", kind="stable")
        x = points["trained_rows"].to_numpy(dtype=np.float64)
        value, low, high = (
            points[name].to_numpy(dtype=np.float64) for name in ("value", "low", "high")
        )
        axes.plot(
            x,
            value,
            color=look.colour,
            ls=look.line,
            marker=look.marker,
            label=label,
            markersize=4,
        )
        if len(lines) <= style.MAX_BANDS:
            axes.fill_between(x, low, high, color=look.colour, alpha=0.15, linewidth=0)
    axes.set_xscale("log")
    sizes = rows.drop_duplicates("trained_rows").sort_values("trained_rows")
    axes.set_xticks(
        sizes["trained_rows"].to_numpy(dtype=np.float64),
        ["all" if pd.isna(size) else f"{size:,}" for size in sizes["per_genre"]],
    )
    axes.set_xticks([], minor=True)
    style.add_legend(axes)
    title = f"Learning curve of {rows['estimator'].iloc[0]}, {rows['features'].iloc[0]}"
    notes = ["n, behind each genre: its test tracks."]
    if request.genres is None:
        notes = style.count_by_condition(rows, "test tracks")
    notes.append(style.band_note(len(lines), "95% intervals"))
    style.add_caption(figure, request, title, notes)
    return figure


def _sizes(per_genre: "pd.Series[int]") -> "pd.Series[str]":
    texts = [("" if pd.isna(size) else f" · {size}") for size in per_genre]
    return pd.Series(texts, index=per_genre.index, dtype="string")


def _latest(frame: pd.DataFrame, kind: str, request: PlotRequest) -> pd.DataFrame:
    """Return the test metrics of the requested experiment, else of the latest of its kind."""
    rows = frame[(frame["kind"] == kind) & (frame["side"] == "test")]
    command = f"classifier {kind.replace('_', '-')}"
    if request.experiment is None:
        rows = rows[rows["task"] == request.task]
        number = rows["experiment_id"].max() if len(rows) else None
    else:
        number = request.experiment
    rows = rows[rows["experiment_id"] == number] if number is not None else rows
    if len(rows) == 0:
        name = "" if number is None else f" {number}"
        raise BadTrainingConfig(
            f"There is no such experiment{name} to plot: run `{command}` first."
        )
    return rows
