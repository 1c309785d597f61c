"""The command `classifier tune`."""

import json
import shlex
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from classifier import threads
from classifier.commands.experiment_options import (
    ALL,
    Again,
    AsJson,
    experiment,
    print_notices,
)
from classifier.commands.training_options import SnapshotOption, with_training_options
from classifier.config_options import parse_list
from classifier.errors import BadTrainingConfig
from classifier.settings import ClassifierSettings
from classifier.training_config import TrainingConfig
from genrebase.runtime.command_line import OnCluster
from genrebase.runtime.console import Output

if TYPE_CHECKING:
    from classifier.experiments.tune import TuningResult

_COLUMNS = ("point", "genre", "parameters", "per genre", "score", "folds", "seconds")
_MAX_ROWS = 15
"""Rows that are printed; the database has all."""


@with_training_options(without=("split",))
def tune(
    given: TrainingConfig,
    space: Annotated[
        Path | None,
        typer.Option(help="Search space, TOML or JSON (default: that of the estimator)."),
    ] = None,
    search: Annotated[
        str,
        typer.Option(
            help="halving (TPE, pruned by successive halving, which starts with few tracks), "
            "random or exhaustive."
        ),
    ] = "halving",
    trials: Annotated[
        int,
        typer.Option(
            min=1, help="Number of configurations to try, besides the default configuration."
        ),
    ] = 20,
    minutes: Annotated[
        float | None, typer.Option(min=0, help="Start no trial after this many minutes.")
    ] = None,
    cv_folds: Annotated[
        int,
        typer.Option(min=1, max=9, help="Cross-validation folds per configuration (maximum 9)."),
    ] = 3,
    metric: Annotated[
        str | None,
        typer.Option(
            help="accuracy (default), macro_f1, top3 or log_loss; binary: "
            "average_precision (default) or f1."
        ),
    ] = None,
    regime: Annotated[
        str, typer.Option(help="new_artist, seen_artist or both (their mean).")
    ] = "both",
    binary: Annotated[
        str | None,
        typer.Option(help="A one-vs-rest search for each of these genres: a,b or all."),
    ] = None,
    train: Annotated[
        bool, typer.Option("--train", help="Train with the best parameters.")
    ] = False,
    snapshot: SnapshotOption = None,
    again: Again = False,
    on: OnCluster = None,
    as_json: AsJson = False,
) -> None:
    """Search hyperparameters of an estimator by cross-validation; the test fold is excluded.

    Folds are grouped by artist. Trials are stored one by one, in order; the same command resumes
    an interrupted search, and extends it with a larger --trials.

    Examples:
      classifier tune --estimator logistic --trials 4 --cv-folds 2
    """
    threads.configure_openmp()
    from classifier.commands import interrupts, model_tables
    from classifier.experiments import search_settings, search_spaces
    from classifier.experiments import tune as tuning

    if train and binary is not None:
        raise BadTrainingConfig(
            "--train trains one model: leave out --binary, or run the printed command."
        )
    if train and snapshot is not None:
        raise BadTrainingConfig("--train trains on the database: leave out --snapshot.")
    output = Output(as_json=as_json)
    with experiment(output, "Tuning", given, snapshot, again=again, on=on) as (context, config):
        genres = None if binary is None else _parse_genres(binary)
        metrics = (
            search_settings.TUNING_METRICS
            if genres is None
            else search_settings.ONE_VS_REST_METRICS
        )
        settings = search_settings.SearchSettings(
            search_spaces.default_space(config.estimator)
            if space is None
            else search_spaces.read_space(space),
            search,
            trials,
            cv_folds,
            metric or metrics[0],
            regime,
            genres,
        )
        seconds = None if minutes is None else minutes * 60
        result = tuning.run(context, config, settings, seconds=seconds)
    print_notices(output, result)
    _print_result(output, result, settings.metric)
    command = train_command(config, result)
    if command is not None:
        output.print(f"To use it: {command}")
    model_tables.print_origin(output, result.origin)
    document: dict[str, Any] = {
        **asdict(result),
        "metric": settings.metric,
        "command": command,
    }
    if train and command is not None:
        from classifier.training import train as training

        with interrupts.report_training_on_interrupt(output, context.database):
            trained = training.run(
                context.database,
                replace(config, params=dict(result.found[0].params)),
                context.clock,
                log=output.print,
                cores=context.cores,
                keep_last=ClassifierSettings.load().models_remembered,
            )
        model_tables.print_model(output, trained.model)
        document["model"] = trained.as_json()
    output.write_json(document)


def train_command(config: TrainingConfig, result: "TuningResult") -> str | None:
    """Return the command that trains with the best parameters; None if no point was evaluated."""
    best = [one for one in result.found if one.score is not None]
    if not best:
        return None
    if best[0].genre is None:
        config = replace(config, params=dict(best[0].params))
    else:
        by_genre = {one.genre: dict(one.params) for one in best if one.params}
        params = {"member": config.estimator, "by_genre": by_genre}
        config = replace(config, estimator="voting", params=params)
    return shlex.join(["classifier", "train", *config.command_args()])


def _parse_genres(text: str) -> tuple[str, ...]:
    return () if text.strip() == ALL else tuple(parse_list(text))


def _print_result(output: Output, result: "TuningResult", metric: str) -> None:
    output.table(
        f"Experiment {result.experiment}: {metric} on validation tracks",
        _COLUMNS,
        (
            (
                row["number"],
                row["genre"],
                " ".join(f"{name}={value}" for name, value in row["params"].items()),
                row["per_genre"] or ALL,
                row["score"],
                row["folds"],
                f"{row['seconds']:.1f}",
            )
            for row in result.table[:_MAX_ROWS]
        ),
    )
    for trial in result.failed[:_MAX_ROWS]:
        output.warn(f"{json.dumps(trial['params'])} failed: {trial['error']}")
    for best in result.found:
        if best.score is None:
            output.print("No point has been evaluated on all folds yet.")
            continue
        genre = "" if best.genre is None else f"{best.genre}: "
        default = "" if best.default is None else f" (defaults: {best.default:.4f})"
        output.print(
            f"{genre}{metric} {best.score:.4f} by {dict(best.params) or 'the defaults'}{default}."
        )
    if result.stopped is not None:
        output.print("The time limit was reached: the same command resumes.")
