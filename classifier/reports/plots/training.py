"""Plot the training of a neural network, epoch by epoch."""

import numpy as np
import pandas as pd

from classifier.reports.plots import style
from classifier.reports.plots.request import PlotRequest


def draw(frame: pd.DataFrame, request: PlotRequest) -> style.Figure:
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
