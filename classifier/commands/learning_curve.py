"""The command `classifier learning-curve`."""

from dataclasses import asdict
from typing import Annotated

import typer

from classifier import threads
from classifier.commands.experiment_options import (
    Again,
    AsJson,
    Rotations,
    experiment,
    parse_rotations,
    parse_sizes,
    print_notices,
)
from classifier.commands.training_options import SnapshotOption, with_training_options
from classifier.errors import BadTrainingConfig
from classifier.training_config import TrainingConfig
from genrebase.runtime.command_line import OnCluster
from genrebase.runtime.console import Output

_COLUMNS = (
    "per genre",
    "tracks",
    "unseen artists",
    "seen artists",
    "macro F1 (unseen)",
    "training",
)


@with_training_options(without=("split",))
def learning_curve(
    given: TrainingConfig,
    steps: Annotated[
        str | None,
        typer.Option(
            "--sizes", help="Tracks per genre to try: 100,300,1000 (default: 30, 100, …)."
        ),
    ] = None,
    rotations: Rotations = "1",
    snapshot: SnapshotOption = None,
    again: Again = False,
    on: OnCluster = None,
    as_json: AsJson = False,
) -> None:
    """Measure the gain from more training tracks, by genre.

    Every size is stored when it is done (view `experiment_results`, metric `f1_gain`: the F1 minus
    the F1 at the next smaller size). Metrics are measured on the same test tracks at every size.

    Examples:
      classifier learning-curve --estimator logistic --sizes 10,20,all
    """
    threads.configure_openmp()
    from classifier.commands import model_tables
    from classifier.experiments import learning_curve as curve

    output = Output(as_json=as_json)
    sizes, turns = _parse_steps(steps), parse_rotations(rotations)
    with experiment(output, "Learning curve", given, snapshot, again=again, on=on) as (
        context,
        config,
    ):
        result = curve.run(context, config, sizes=sizes, rotations=turns)
    print_notices(output, result)
    output.table(
        f"Experiment {result.experiment}: accuracy on test tracks",
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
            for row in result.sizes
        ),
    )
    for sentence in result.sentences:
        output.print(sentence)
    model_tables.print_origin(output, result.origin)
    output.write_json(asdict(result))


def _parse_steps(text: str | None) -> list[int] | None:
    if text is None:
        return None
    sizes = [size for size in parse_sizes(text) if size is not None]
    if len(sizes) < 2:
        raise BadTrainingConfig("A learning curve needs at least two sizes: --sizes 100,300.")
    return sizes
