"""Plot the feature importance of a model."""

from typing import Final

import pandas as pd

from classifier.reports.plots import style
from classifier.reports.plots.request import PlotRequest

_KINDS: Final = {"expert": "without this expert", "group": "group permuted", "feature": "permuted"}


def draw(frame: pd.DataFrame, request: PlotRequest) -> style.Figure:
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
