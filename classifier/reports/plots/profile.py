"""Plot the distribution of each feature within genres."""

from typing import TYPE_CHECKING, Final

import pandas as pd

from classifier.errors import BadTrainingConfig
from classifier.features.audio import CATEGORICAL
from classifier.reports.plots import style
from classifier.reports.plots.request import PlotRequest
from genrebase.store import tables

if TYPE_CHECKING:
    from matplotlib.figure import Figure

VIEW: Final = "genre_profiles"


def draw(frame: pd.DataFrame, request: PlotRequest) -> "Figure":
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
    return _draw_panels(frame, ordered, features)


def _draw_panels(frame: pd.DataFrame, genres: list[str], features: list[str]) -> "Figure":
    count = len(genres)
    figure = style.new_figure(14.0, max(2.5, 1.2 + 0.15 * count))
    panels = figure.subplots(1, len(features), sharey=True, squeeze=False)[0]
    for axes, feature in zip(panels, features, strict=True):
        rows = frame.loc[feature].reindex(genres)
        places = range(count)
        axes.hlines(places, rows["p05"], rows["p95"], color="#999999", linewidth=0.8)
        axes.hlines(places, rows["p25"], rows["p75"], color=style.COLOURS[0], linewidth=3.0)
        axes.plot(rows["p50"], places, "o", color=style.COLOURS[5], markersize=3.0)
        axes.set_title(feature, fontsize=8)
        axes.tick_params(labelsize=6)
        axes.margins(y=0.5 / count)
    panels[0].set_yticks(
        range(count), [style.shorten_label(genre) for genre in genres], fontsize=6
    )
    figure.supxlabel(
        "median, interquartile range, and 5% to 95% of the genre's tracks", fontsize=8
    )
    return figure
