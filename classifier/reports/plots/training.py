"""How a model learned, epoch by epoch."""

from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from classifier.reports.plots import style
from classifier.reports.plots.request import PlotRequest

if TYPE_CHECKING:
    from matplotlib.figure import Figure

VIEW: Final = "training_epochs"


def draw(frame: pd.DataFrame, wanted: PlotRequest) -> "Figure":
    """Draw the losses of each epoch, and what the validation tracks said beside them."""
    how = "only mlp and cnn learn by epochs; `classifier models` shows which are there"
    chosen = style.model_rows(frame, wanted, how).sort_values("epoch")
    epochs = chosen["epoch"].to_numpy(dtype=np.int64)
    figure = style.new_figure(8.0, 4.5)
    from matplotlib.ticker import MaxNLocator  # slow to import, and an extra

    losses = figure.add_subplot()
    lines = {"train_loss": "training tracks", "validation_loss": "validation tracks"}
    for colour, (name, label) in zip(style.COLOURS, lines.items(), strict=False):
        values = chosen[name].to_numpy(dtype=np.float64)
        losses.plot(epochs, values, "o-", color=colour, markersize=3, label=f"loss, {label}")
    right = losses.twinx()
    shares = chosen["validation_accuracy"].to_numpy(dtype=np.float64)
    right.plot(
        epochs, shares, "s--", color=style.COLOURS[2], markersize=3, label="validation accuracy"
    )
    right.set_ylabel("validation accuracy, before weighing")
    losses.set_xlabel("epoch")
    losses.set_ylabel("log-loss, nats")
    losses.set_title(f"Model {chosen['model_id'].iloc[0]}, {chosen['estimator'].iloc[0]}")
    losses.xaxis.set_major_locator(MaxNLocator(integer=True))
    losses.grid(axis="y", color="#dddddd")
    handles = [*losses.get_lines(), *right.get_lines()]
    labels = [str(one.get_label()) for one in handles]
    figure.legend(handles, labels, loc="outside lower center", ncols=3, frameon=False, fontsize=8)
    return figure
