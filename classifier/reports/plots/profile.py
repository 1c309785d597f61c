"""Plot the distribution of each feature within genres."""

from typing import Final

import pandas as pd

from classifier.errors import BadTrainingConfig
from classifier.features.audio import CATEGORICAL
from classifier.reports.plots import style
from classifier.reports.plots.request import PlotRequest
from genrebase.store import tables

_MAX_ACROSS: Final = 5
"""Panels in a row."""


def draw(frame: pd.DataFrame, request: PlotRequest) -> style.Figure:
    """Draw per feature a row for each genre: 5% to 95%, interquartile range, and median.

    Genres are sorted by their medians of `request.feature`. Features that are measured in files,
    on another scale, have panels of their own.
    """
    if len(frame) == 0:
        raise BadTrainingConfig("No labelled track has features yet: run `collector enrich`.")
    existing = sorted(set(frame["genre"]))
    genres = existing if request.genres is None else list(request.genres)
    style.check_genres(genres, existing)
    measured = set(frame["feature"])
    features = [
        name for name in tables.ALL_FEATURES if name in measured and name not in CATEGORICAL
    ]
    feature = style.resolve_feature(request.feature, features)
    frame = frame[frame["genre"].isin(genres)].set_index(["feature", "genre"])
    middle = frame.loc[feature]["p50"]
    ordered = sorted(genres, key=lambda genre: (float(middle.get(genre, 0.0)), genre))
    figure = _draw_panels(frame, ordered, features)
    notes = [
        "Point: median; bar: interquartile range; line: 5% to 95% of the genre's tracks.",
        style.count_tracks(frame["n"].groupby("genre").max().sum(), "tracks with features"),
    ]
    style.add_caption(figure, request, f"Features by genre, sorted by {feature}", notes)
    return figure


def _draw_panels(frame: pd.DataFrame, genres: list[str], features: list[str]) -> style.Figure:
    count = len(genres)
    across = min(len(features), _MAX_ACROSS)
    down = -(-len(features) // across)
    figure = style.new_figure(8.0, 0.8 + down * max(1.6, 0.7 + 0.13 * count))
    grid = figure.subplots(down, across, sharey=True, squeeze=False)
    panels = grid.ravel()
    for axes in panels[len(features) :]:
        axes.set_visible(False)
    for axes, feature in zip(panels, features, strict=False):
        rows = frame.loc[feature].reindex(genres)
        places = range(count)
        axes.hlines(places, rows["p05"], rows["p95"], color="#999999", linewidth=0.8)
        axes.hlines(places, rows["p25"], rows["p75"], color=style.COLOURS[0], linewidth=3.0)
        axes.plot(rows["p50"], places, "o", color=style.COLOURS[5], markersize=3.0)
        axes.set_title(feature, fontsize=8)
        axes.tick_params(labelsize=6)
        axes.margins(y=0.5 / count)
    for row in grid:
        row[0].set_yticks(
            range(count), [style.shorten_label(genre) for genre in genres], fontsize=6
        )
    return figure
