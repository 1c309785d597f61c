"""Plots about one model: its feature importance, and its training epoch by epoch."""

from typing import Final

import numpy as np
import pandas as pd

from classifier.reports.plots import style
from classifier.reports.plots.request import PlotRequest

_KINDS: Final = {"expert": "without this expert", "group": "group permuted", "feature": "permuted"}


def draw_importance(frame: pd.DataFrame, request: PlotRequest) -> style.Figure:
    """Draw the accuracy lost per expert, group and feature, with intervals, in both regimes."""
    rows = style.model_rows(frame, request, "run `classifier explain` first")
    rows = rows[rows["genre"].isna() & rows["kind"].isin(list(_KINDS))]
    side = "validation" if "validation" in set(rows["side"]) else "test"
    rows = rows[rows["side"] == side]
    mean = rows.groupby(["kind", "feature"])["importance"].mean()
    keys = [
        (kind, str(feature))
        for kind in _KINDS
        if kind in mean.index.get_level_values("kind")
        for feature in mean[kind].sort_values(ascending=False, kind="stable").index
    ][::-1]
    labels = [f"{feature} ({_KINDS[kind]})" for kind, feature in keys]
    label = f"accuracy lost on {side} tracks, 95% intervals over artists"
    figure, axes = style.new_axes(8.0, 1.4 + 0.24 * len(keys), x=label, grid=None)
    style.draw_intervals(axes, rows.set_index(["kind", "feature"]), keys, labels, "importance")
    axes.axvline(0.0, color="#999999", linewidth=0.8)
    title = f"What model {int(rows['model_id'].iloc[0])} depends on"
    notes = style.count_by_condition(rows, f"{side} tracks")
    style.add_caption(figure, request, title, notes)
    return figure


def draw_training(frame: pd.DataFrame, request: PlotRequest) -> style.Figure:
    """Draw the training and validation loss and the validation accuracy of each epoch."""
    how = "only mlp and cnn are trained by epochs; `classifier models` lists them"
    rows = style.model_rows(frame, request, how).sort_values("epoch")
    epochs = rows["epoch"].to_numpy(dtype=np.int64)
    figure, losses = style.new_axes(8.0, 4.5, x="epoch", y="log-loss, nats", grid="y")
    from matplotlib.ticker import MaxNLocator  # slow to import, and an optional dependency

    lines = {"train_loss": "training tracks", "validation_loss": "validation tracks"}
    for colour, (name, label) in zip(style.COLOURS, lines.items(), strict=False):
        values = rows[name].to_numpy(dtype=np.float64)
        losses.plot(epochs, values, "o-", color=colour, markersize=3, label=f"loss, {label}")
    right = losses.twinx()
    accuracy = rows["validation_accuracy"].to_numpy(dtype=np.float64)
    right.plot(
        epochs, accuracy, "s--", color=style.COLOURS[2], markersize=3, label="validation accuracy"
    )
    right.set_ylabel("validation accuracy of the networks together")
    losses.xaxis.set_major_locator(MaxNLocator(integer=True))
    handles = [*losses.get_lines(), *right.get_lines()]
    labels = [str(one.get_label()) for one in handles]
    figure.legend(handles, labels, loc="outside lower center", ncols=3, frameon=False, fontsize=8)
    title = f"Training of model {rows['model_id'].iloc[0]}, {rows['estimator'].iloc[0]}"
    style.add_caption(figure, request, title)
    return figure
