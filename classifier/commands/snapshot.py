"""The command `classifier snapshot`."""

from pathlib import Path
from typing import Annotated

import typer

from classifier import threads
from classifier.commands.training_options import with_training_options
from classifier.training_config import TrainingConfig
from genrebase.counts import agree, counted
from genrebase.runtime.console import Output


@with_training_options(without=("split",))
def snapshot(
    config: TrainingConfig,
    name: Annotated[Path, typer.Argument(metavar="NAME", help="The folder to create.")],
    ids_only: Annotated[
        bool,
        typer.Option("--ids-only", help="Only Spotify IDs, folds and sides, to publish."),
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Write JSON.")] = False,
) -> None:
    """Write the rows, labels, folds and features of a training as Parquet, with a manifest.

    `classifier train --snapshot NAME` reproduces the metrics to the last digit. An existing folder
    is never changed.

    Examples:
      classifier snapshot november
    """
    threads.configure_openmp()
    from classifier.training import snapshots
    from genrebase.runtime.clock import SystemClock
    from genrebase.store import connect

    output = Output(as_json=as_json)
    result = snapshots.create(connect(), config, name, SystemClock(), ids_only=ids_only)
    for file, description in result.manifest["files"].items():
        megabytes = description["bytes"] / 1e6
        output.print(f"{name / file}: {counted(description['rows'], 'row')}, {megabytes:.1f} MB.")
    if result.tracks_without_id:
        output.warn(
            f"{counted(result.tracks_without_id, 'track')} "
            f"{agree(result.tracks_without_id, 'has', 'have')} no Spotify id and are left out."
        )
    if ids_only:
        output.print("Ids, folds and sides only: this can be published.")
    else:
        output.print(f"{result.manifest['terms']}")
        output.print(f"`classifier train --snapshot {name}` reproduces the metrics.")
    output.write_json(
        {"folder": str(name), "without_id": result.tracks_without_id, **result.manifest}
    )
