"""The command `classifier plot`."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from classifier.config_options import parse_list
from classifier.settings import ClassifierSettings
from classifier.training_config import DEFAULT_TASK
from genrebase.runtime.console import Output


def plot(
    kind: Annotated[
        str,
        typer.Argument(
            metavar="KIND",
            help="confusion, profile, overlay, importance, trend, compare, learning-curve, "
            "training or scatter.",
        ),
    ],
    file: Annotated[
        Path,
        typer.Option(
            "--output", "-o", metavar="FILE", help="A new FILE.svg, FILE.png or FILE.pdf."
        ),
    ],
    genres: Annotated[
        str | None,
        typer.Option(
            help="Only these genres: a,b,c. Plots with a line per genre draw at most 40; "
            "without this option, the ten with most tracks."
        ),
    ] = None,
    feature: Annotated[
        str, typer.Option(help="Feature of overlay and trend; profile is sorted by it.")
    ] = "energy",
    x: Annotated[str, typer.Option(help="Scatter: horizontal axis.")] = "energy",
    y: Annotated[str, typer.Option(help="Scatter: vertical axis.")] = "acousticness",
    by: Annotated[str, typer.Option(help="Trend: year, decade or popularity.")] = "year",
    model: Annotated[
        int | None,
        typer.Option(
            metavar="ID",
            help="Confusion, importance, training: the model (default: the champion).",
        ),
    ] = None,
    task: Annotated[str, typer.Option(help="The task of the champion.")] = DEFAULT_TASK,
    regime: Annotated[
        str, typer.Option(help="Confusion, learning curve of genres: new_artist or seen_artist.")
    ] = "new_artist",
    experiment: Annotated[
        int | None,
        typer.Option(
            metavar="ID", help="Compare, learning curve: the experiment (default: the latest)."
        ),
    ] = None,
    title: Annotated[
        str | None, typer.Option(help="The title; default: that of the kind of plot.")
    ] = None,
    size: Annotated[
        str | None,
        typer.Option(
            metavar="WxH",
            help="Width and height in inches, such as 8x4.5 (a PNG has 150 per inch).",
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Write JSON.")] = False,
) -> None:
    """Plot one view into an SVG, PNG or PDF, in colours that are safe for colour-blind readers.

    The same data give the same bytes. Needs the extra `plot` (matplotlib). An
    existing file is never overwritten.

    Examples:
      classifier plot overlay --feature energy -o energy.svg
    """
    settings = ClassifierSettings.load()
    from classifier.reports import plot as plotting
    from classifier.reports.plots.request import PlotRequest, parse_size
    from genrebase.store import connect

    output = Output(as_json=as_json)
    request = PlotRequest(
        genres=None if genres is None else tuple(parse_list(genres)),
        feature=feature,
        x=x,
        y=y,
        by=by,
        model=model,
        task=task,
        regime=regime,
        experiment=experiment,
        seed=settings.seed,
        title=title,
        size=None if size is None else parse_size(size),
    )
    saved = plotting.save_plot(connect(), kind, request, file)
    output.print(
        f"{saved.file}: {saved.kind} from the view {saved.view}, {saved.bytes / 1e3:.0f} kB."
    )
    for note in saved.notes:
        output.print(note)
    output.write_json({**asdict(saved), "file": str(saved.file)})
