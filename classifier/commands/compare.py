"""The command `classifier compare`."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Annotated, Any

import typer

from classifier import threads
from classifier.commands.experiment_options import (
    ALL,
    Again,
    AsJson,
    Rotations,
    experiment,
    parse_rotations,
    parse_sizes,
    print_notices,
)
from classifier.commands.training_options import SnapshotOption, with_training_options
from classifier.config_options import parse_list
from classifier.errors import BadTrainingConfig
from classifier.training_config import SPLITS, TrainingConfig, parse_features
from genrebase.runtime.command_line import OnCluster
from genrebase.runtime.console import Output

_COLUMNS = ("unseen artists", "seen artists", "training", "seconds", "MB")


@with_training_options(without=("estimator", "features", "per_genre", "params"))
def compare(
    given: TrainingConfig,
    names: Annotated[
        str | None, typer.Option("--estimators", help="Estimators: a,b (default: all).")
    ] = None,
    feature_sets: Annotated[
        str | None,
        typer.Option(help="Feature sets: audio,metadata;audio (default: all available groups)."),
    ] = None,
    per_genre: Annotated[
        str | None, typer.Option(help="Training tracks of each genre: 100,300,all.")
    ] = None,
    rotations: Rotations = "1",
    snapshot: SnapshotOption = None,
    again: Again = False,
    on: OnCluster = None,
    as_json: AsJson = False,
) -> None:
    """Compare estimators, feature sets and training set sizes on the same frozen folds.

    Trials are stored one by one, in order (view `experiment_results`); an interrupted comparison
    resumes. Metrics are measured on test tracks; no decision depends on them.

    Examples:
      classifier compare --estimators dummy,logistic --rotations 1
    """
    threads.configure_openmp()
    from classifier import estimators
    from classifier.commands import model_tables
    from classifier.experiments import compare as comparing

    output = Output(as_json=as_json)
    grid = comparing.ComparisonGrid(
        tuple(estimators.installed_names() if names is None else parse_list(names)),
        _parse_feature_sets(feature_sets),
        parse_sizes(per_genre),
        parse_rotations(rotations),
    )
    with experiment(output, "Comparing", given, snapshot, again=again, on=on) as (context, config):
        result = comparing.run(context, config, grid)
    print_notices(output, result)
    title = f"Experiment {result.experiment}: accuracy on test tracks"
    if config.split != SPLITS[0]:
        title += " of the published split"
    _print_rows(output, title, result.rows)
    for trial in result.failed:
        output.warn(f"{trial['estimator']} failed: {trial['error']}")
    model_tables.print_origin(output, result.origin)
    output.write_json(asdict(result))


def _parse_feature_sets(text: str | None) -> tuple[tuple[str, ...], ...]:
    if text is None:
        return ()  # those of the training config
    sets = [parse_features(part) for part in text.split(";") if parse_list(part)]
    if not sets:
        raise BadTrainingConfig("Name a feature set: --feature-sets 'audio,metadata;audio'.")
    return tuple(dict.fromkeys(sets))


def _print_rows(output: Output, title: str, rows: Sequence[Mapping[str, Any]]) -> None:
    """Print a row per configuration; what all rows share is in the title."""
    cells = {
        "features": ["+".join(row["features"]) for row in rows],
        "per genre": [str(row["per_genre"] or ALL) for row in rows],
        "rotations": [str(row["folds"]) for row in rows],
    }
    varying = {name: values for name, values in cells.items() if len(set(values)) > 1}
    same = [f"{name} {values[0]}" for name, values in cells.items() if len(set(values)) == 1]
    output.table(
        ", ".join([title, *same]),
        ("estimator", *varying, *_COLUMNS),
        (
            (
                row["estimator"],
                *values,
                *(_accuracy(row["metrics"].get(one, {})) for one in ("new_artist", "seen_artist")),
                row["training_accuracy"],
                f"{row['seconds']:.1f}",
                None if row["artifact_bytes"] is None else f"{row['artifact_bytes'] / 1e6:.1f}",
            )
            for row, *values in zip(rows, *varying.values(), strict=True)
        ),
    )


def _accuracy(metrics: Mapping[str, Any]) -> str | None:
    """Return the accuracy and half its 95% interval; the JSON has both bounds."""
    if metrics.get("accuracy") is None:
        return None
    interval = metrics["interval"]
    spread = "" if interval is None else f" ±{(interval[1] - interval[0]) / 2:.3f}"
    return f"{metrics['accuracy']:.3f}{spread}"
