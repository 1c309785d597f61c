"""What a model's answers hang on."""

from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from classifier.reports.plots import style
from classifier.reports.plots.request import PlotRequest

if TYPE_CHECKING:
    from matplotlib.figure import Figure

VIEW: Final = "feature_importances"
_KINDS: Final = {"expert": "without this expert", "group": "group permuted", "feature": "permuted"}


def draw(frame: pd.DataFrame, wanted: PlotRequest) -> "Figure":
    """Draw the accuracy lost per expert, group and feature, with intervals, in both regimes."""
    chosen = style.model_rows(frame, wanted, "run `classifier explain` first")
    chosen = chosen[chosen["genre"].isna() & chosen["kind"].isin(list(_KINDS))]
    side = "validation" if "validation" in set(chosen["side"]) else "test"
    chosen = chosen[chosen["side"] == side]
    mean = chosen.groupby(["kind", "feature"])["importance"].mean()
    rows = [
        (kind, str(feature))
        for kind in _KINDS
        if kind in mean.index.get_level_values("kind")
        for feature in mean[kind].sort_values(ascending=False, kind="stable").index
    ][::-1]
    figure = style.new_figure(8.0, 1.4 + 0.24 * len(rows))
    axes = figure.add_subplot()
    for number, (regime, title) in enumerate(style.REGIME_TITLES.items()):
        known = chosen[chosen["regime"] == regime].set_index(["kind", "feature"]).reindex(rows)
        places = np.arange(len(rows)) + 0.18 - 0.36 * number
        value = known["importance"].to_numpy(dtype=np.float64)
        low, high = (known[name].to_numpy(dtype=np.float64) for name in ("low", "high"))
        axes.errorbar(
            value,
            places,
            xerr=np.clip([value - low, high - value], 0.0, None),
            fmt="os"[number],
            color=style.COLOURS[number],
            markersize=4,
            linewidth=1.2,
            label=title,
        )
    labels = [f"{feature} ({_KINDS[kind]})" for kind, feature in rows]
    axes.set_yticks(range(len(rows)), labels, fontsize=8)
    axes.axvline(0.0, color="#999999", linewidth=0.8)
    axes.set_xlabel(f"accuracy lost on {side} tracks, 95% intervals over artists")
    axes.legend(frameon=False, fontsize=8)
    return figure
