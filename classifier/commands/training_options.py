"""The options of every command that trains, made from the fields of `TrainingConfig`."""

import inspect
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from classifier.settings import ClassifierSettings
from classifier.training_config import LICENCES, MIN_LEVELS, OPTIONS, TrainingConfig

if TYPE_CHECKING:
    from classifier.training.snapshots import TrainingSnapshot

SnapshotOption = Annotated[
    Path | None,
    typer.Option("--snapshot", help="Use the rows of this snapshot instead of the database's."),
]


def training_config(settings: ClassifierSettings, **given: Any) -> TrainingConfig:
    """Return the config that options describe (`TrainingConfig.from_options`)."""
    defaults = TrainingConfig(
        estimator=settings.estimator,
        licence=settings.licence,
        min_level=settings.min_level,
        min_tracks=settings.min_tracks,
        tracks_per_genre=settings.tracks_per_genre,
        seed=settings.seed,
    )
    return TrainingConfig.from_options(given, defaults)


def load_snapshot(
    folder: Path | None, given: TrainingConfig
) -> "tuple[TrainingSnapshot | None, TrainingConfig]":
    """Return the snapshot and its config, in which the options that were given replace its own.

    Of licence and level the narrower one counts: a snapshot has no other rows than its own, and
    a setting that allows less is not passed by. Without a folder return None and `given`.
    """
    if folder is None:
        return None, given
    from classifier.training import snapshots  # imports pandas, which --help does not need

    snapshot = snapshots.read(folder)
    config = snapshot.config.override(given, training_config(ClassifierSettings.load()))
    return snapshot, replace(
        config,
        licence=max(snapshot.config.licence, given.licence, key=LICENCES.index),
        min_level=max(snapshot.config.min_level, given.min_level, key=MIN_LEVELS.index),
    )


def with_training_options(*, without: Sequence[str] = ()) -> Callable[[Callable[..., None]], Any]:
    """Give a command an option per field of `OPTIONS`, except `without`.

    The command's first parameter receives the `TrainingConfig`; its own options follow ours.
    """
    ours = [_parameter(name) for name in OPTIONS if name not in without]

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        own = list(inspect.signature(command).parameters.values())[1:]

        @wraps(command)
        def run(**given: Any) -> None:
            values = {option.name: given.pop(option.name) for option in ours}
            command(training_config(ClassifierSettings.load(), **values), **given)

        parameters = [*ours, *(one.replace(kind=one.KEYWORD_ONLY) for one in own)]
        run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]  # read by Typer
        run.__annotations__ = {one.name: one.annotation for one in parameters}
        return run

    return decorate


def _parameter(name: str) -> inspect.Parameter:
    option = OPTIONS[name]
    flag = f"--{(option.name or name).replace('_', '-')}"
    return inspect.Parameter(
        name,
        inspect.Parameter.KEYWORD_ONLY,
        default=None,
        annotation=Annotated[
            option.type | None,
            typer.Option(flag, help=option.help, min=option.minimum, max=option.maximum),
        ],
    )
