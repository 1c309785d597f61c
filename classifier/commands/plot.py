"""The command `classifier plot`."""

from pathlib import Path
from typing import Annotated

import typer

from classifier.settings import ClassifierSettings
from classifier.training_config import DEFAULT_TASK, parse_list
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
        Path, typer.Option("--output", "-o", metavar="FILE", help="A new FILE.svg or FILE.png.")
    ],
    genres: Annotated[
        str | None,
        typer.Option(help="Only these genres: a,b,c (at most 8 where each has a colour)."),
    ] = None,
    feature: Annotated[
        str, typer.Option(help="Of what: overlay, trend; profile is ordered by it.")
    ] = "energy",
    x: Annotated[str, typer.Option(help="Scatter: from left to right.")] = "energy",
    y: Annotated[str, typer.Option(help="Scatter: from bottom to top.")] = "acousticness",
    by: Annotated[str, typer.Option(help="Trend: year, decade or popularity.")] = "year",
    model: Annotated[
        int | None,
        typer.Option(metavar="ID", help="Confusion, importance, training: of it [the champion]."),
    ] = None,
    task: Annotated[str, typer.Option(help="Whose champion.")] = DEFAULT_TASK,
    regime: Annotated[
        str, typer.Option(help="Confusion, learning curve of genres: new_artist or seen_artist.")
    ] = "new_artist",
    experiment: Annotated[
        int | None,
        typer.Option(metavar="ID", help="Compare, learning curve: which [the latest]."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Write JSON.")] = False,
) -> None:
    """Draw one view into an SVG or PNG, in colours that the colour-blind can tell apart.

    The same figures give the same bytes. Needs matplotlib: pip install 'genrebase[plot]'. A file
    that is there is never overwritten.
    """
    settings = ClassifierSettings.load()
    # these bring matplotlib, pandas and SQLAlchemy: --help need not wait
    from classifier.reports import plot as plotting
    from classifier.reports.plots.request import PlotRequest
    from genrebase.store import connect

    output = Output(as_json=as_json)
    wanted = PlotRequest(
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
    )
    done = plotting.save_plot(connect(), kind, wanted, file)
    output.print(f"{done.file}: {done.kind} from the view {done.view}, {done.bytes / 1e3:.0f} kB.")
    output.write_json(
        {"file": str(done.file), "kind": done.kind, "view": done.view, "bytes": done.bytes}
    )
