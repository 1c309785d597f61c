"""The command `classifier learning-curve`."""

from typing import Annotated

import typer

from classifier import threads
from classifier.commands.compare import parse_rotations, parse_sizes
from classifier.commands.training_options import (
    SnapshotOption,
    load_snapshot,
    with_training_options,
)
from classifier.errors import BadTrainingConfig
from classifier.settings import ClassifierSettings
from classifier.training_config import TrainingConfig
from genrebase.runtime.console import Output

_COLUMNS = ("per genre", "tracks", "new artists", "artists it knows", "macro F1 (new)", "training")


@with_training_options(without=("split",))
def learning_curve(
    choice: TrainingConfig,
    steps: Annotated[
        str | None,
        typer.Option("--sizes", help="Tracks per genre to try: 100,300,1000 (default: so on)."),
    ] = None,
    folds: Annotated[
        str, typer.Option(help="How many of the ten rotations of the folds: 1 to 10, or all.")
    ] = "1",
    snapshot: SnapshotOption = None,
    again: Annotated[
        bool, typer.Option("--again", help="Also what stands there already.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Write JSON.")] = False,
) -> None:
    """Show what more tracks per genre bring, and which genres more of them would help.

    Every size is stored when it is done (view `experiment_results`, metric `f1_gain`: F1 less
    that of the smaller size). Figures are of test tracks, the same at every size.
    """
    threads.configure_openmp()
    # these bring scikit-learn and SQLAlchemy: --help need not wait
    from classifier.commands import interrupts, tables
    from classifier.data.training_data import format_counts
    from classifier.experiments import learning_curve as curve
    from genrebase.runtime.clock import SystemClock
    from genrebase.store import connect

    output = Output(as_json=as_json)
    frozen, choice = load_snapshot(snapshot, choice)
    with interrupts.report_trials_on_interrupt(output, "Learning", again=again) as progress:
        done = curve.run(
            connect(),
            choice,
            SystemClock(),
            sizes=_numbers(steps),
            rotations=parse_rotations(folds),
            snapshot=None if frozen is None else frozen.dataset,
            progress=progress,
            cores=ClassifierSettings.load().threads,
            again=again,
        )
    if done.left_out:
        output.warn(f"Left out for too few tracks: {format_counts(done.left_out)}.")
    if done.nothing_new:
        output.print("Nothing new: all of it was tried on these tracks already.")
    output.table(
        f"Experiment {done.experiment}: accuracy on test tracks",
        _COLUMNS,
        (
            (
                row["per_genre"],
                row["trained_rows"],
                row["metrics"].get("new_artist", {}).get("accuracy"),
                row["metrics"].get("seen_artist", {}).get("accuracy"),
                row["metrics"].get("new_artist", {}).get("macro_f1"),
                row["training_accuracy"],
            )
            for row in done.sizes
        ),
    )
    for sentence in done.sentences:
        output.print(sentence)
    tables.print_origin(output, done.origin)
    output.write_json(done.as_json())


def _numbers(text: str | None) -> list[int] | None:
    if text is None:
        return None
    found = [size for size in parse_sizes(text) if size is not None]
    if len(found) < 2:
        raise BadTrainingConfig("A curve needs two sizes at least: --sizes 100,300.")
    return found
