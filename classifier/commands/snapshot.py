"""The command `classifier snapshot`."""

from pathlib import Path
from typing import Annotated

import typer

from classifier import threads
from classifier.commands.training_options import with_training_options
from classifier.training_config import TrainingConfig
from genrebase.runtime.console import Output


@with_training_options(without=("split",))
def snapshot(
    choice: TrainingConfig,
    name: Annotated[Path, typer.Argument(metavar="NAME", help="The folder to make.")],
    ids_only: Annotated[
        bool,
        typer.Option("--ids-only", help="Nothing but Spotify's ids, folds and sides: to publish."),
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Write JSON.")] = False,
) -> None:
    """Freeze the rows, labels, folds and features of a training as Parquet, with a manifest.

    `classifier train --snapshot NAME` repeats the figures to the last digit. A folder that is
    there is never touched.
    """
    threads.configure_openmp()
    # these bring scikit-learn and SQLAlchemy: --help need not wait
    from classifier.training import freeze
    from genrebase.runtime.clock import SystemClock
    from genrebase.store import connect

    output = Output(as_json=as_json)
    done = freeze.run(connect(), choice, name, SystemClock(), ids_only=ids_only)
    for file, described in done.manifest["files"].items():
        output.print(
            f"{name / file}: {described['rows']:,} rows, {described['bytes'] / 1e6:.1f} MB."
        )
    if done.tracks_without_id:
        output.warn(f"{done.tracks_without_id:,} tracks have no Spotify id and are left out.")
    if ids_only:
        output.print("Ids, folds and sides only: this can be published.")
    else:
        output.print(f"{done.manifest['terms']}")
        output.print(f"`classifier train --snapshot {name}` repeats the figures.")
    output.write_json({"folder": str(name), "without_id": done.tracks_without_id, **done.manifest})
