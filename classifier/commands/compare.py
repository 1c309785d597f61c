"""The command `classifier compare`."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any

import typer

from classifier import threads
from classifier.commands.training_options import (
    SnapshotOption,
    load_snapshot,
    with_training_options,
)
from classifier.errors import BadTrainingConfig
from classifier.settings import ClassifierSettings
from classifier.training_config import FEATURE_GROUPS, SPLITS, TrainingConfig, parse_list
from genrebase.runtime.console import Output

_ALL = "all"
_ROTATIONS = 10
_COLUMNS = ("estimator", "new artists", "known artists", "training", "seconds", "MB")


@with_training_options(without=("estimator", "features", "per_genre", "params"))
def compare(
    choice: TrainingConfig,
    names: Annotated[
        str | None, typer.Option("--estimators", help="Which: a,b (default: all there are).")
    ] = None,
    feature_sets: Annotated[
        str | None,
        typer.Option(help="What they look at: audio,metadata;audio (default: all there is)."),
    ] = None,
    per_genre: Annotated[
        str | None, typer.Option(help="Tracks of each genre to learn from: 100,300,all.")
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
    """Compare estimators, feature sets and numbers of tracks on the same frozen folds.

    Every trial is stored when it is done (view `experiment_results`); a comparison that was
    interrupted goes on where it was. Figures are of test tracks; nothing is chosen by them.
    """
    threads.configure_openmp()
    # these bring scikit-learn and SQLAlchemy: --help need not wait
    from classifier import estimators
    from classifier.commands import interrupts, tables
    from classifier.data.training_data import format_counts
    from classifier.experiments import compare as comparing
    from genrebase.runtime.clock import SystemClock
    from genrebase.store import connect

    output = Output(as_json=as_json)
    frozen, choice = load_snapshot(snapshot, choice)
    grid = comparing.ComparisonGrid(
        tuple(estimators.installed_names() if names is None else parse_list(names)),
        _feature_sets(feature_sets),
        parse_sizes(per_genre),
        parse_rotations(folds),
    )
    with interrupts.report_trials_on_interrupt(output, "Comparing", again=again) as progress:
        done = comparing.run(
            connect(),
            choice,
            grid,
            SystemClock(),
            snapshot=None if frozen is None else frozen.dataset,
            progress=progress,
            cores=ClassifierSettings.load().threads,
            again=again,
        )
    if done.left_out:
        output.warn(f"Left out for too few tracks: {format_counts(done.left_out)}.")
    if done.nothing_new:
        output.print("Nothing new: all of it was tried on these tracks already.")
    title = f"Experiment {done.experiment}: accuracy on test tracks"
    if choice.split != SPLITS[0]:
        title += " of the published split"
    _table(output, title, done.rows)
    for one in done.failed:
        output.warn(f"{one['estimator']} failed: {one['error']}")
    tables.print_origin(output, done.origin)
    output.write_json(done.as_json())


def parse_rotations(text: str) -> tuple[int, ...]:
    """Return the rotations that `--folds` asks for; raise `BadTrainingConfig`."""
    if text.strip() == _ALL:
        return tuple(range(_ROTATIONS))
    if not text.strip().isdecimal() or not 1 <= int(text) <= _ROTATIONS:
        raise BadTrainingConfig(
            f"--folds is a number from 1 to {_ROTATIONS}, or all; not {text!r}."
        )
    return tuple(range(int(text)))


def parse_sizes(text: str | None) -> tuple[int | None, ...]:
    """Return numbers of tracks per genre, None for all; raise `BadTrainingConfig`."""
    if text is None:
        return (None,)
    parts = parse_list(text)
    for part in parts:
        if part != _ALL and (not part.isdecimal() or int(part) < 1):
            raise BadTrainingConfig(f"Tracks per genre are numbers, or all; not {part!r}.")
    return tuple(None if part == _ALL else int(part) for part in parts) or (None,)


def _feature_sets(text: str | None) -> tuple[tuple[str, ...], ...]:
    if text is None:
        return ()  # what is chosen
    found = []
    for groups in (parse_list(part) for part in text.split(";")):
        unknown = [group for group in groups if group not in FEATURE_GROUPS]
        if unknown:
            known = ", ".join(FEATURE_GROUPS)
            raise BadTrainingConfig(f"There is no feature group {unknown[0]!r}. Known: {known}.")
        found.append(tuple(group for group in FEATURE_GROUPS if group in groups))
    sets = tuple(dict.fromkeys(one for one in found if one))
    if not sets:
        raise BadTrainingConfig("Name a feature set: --feature-sets 'audio,metadata;audio'.")
    return sets


def _table(output: Output, title: str, rows: Sequence[Mapping[str, Any]]) -> None:
    """Show a row per configuration; what is the same in all of them stands in the title."""
    told = {
        "features": ["+".join(row["features"]) for row in rows],
        "per genre": [str(row["per_genre"] or _ALL) for row in rows],
        "folds": [str(row["folds"]) for row in rows],
    }
    differ = {name: cells for name, cells in told.items() if len(set(cells)) > 1}
    same = [f"{name} {cells[0]}" for name, cells in told.items() if len(set(cells)) == 1]
    output.table(
        ", ".join([title, *same]),
        (_COLUMNS[0], *differ, *_COLUMNS[1:]),
        (
            (row["estimator"], *cells, *_figures(row))
            for row, *cells in zip(rows, *differ.values(), strict=True)
        ),
    )


def _figures(row: Mapping[str, Any]) -> Iterator[object]:
    for regime in ("new_artist", "seen_artist"):
        yield _accuracy(row["metrics"].get(regime, {}))
    size = row["artifact_bytes"]
    yield row["training_accuracy"]
    yield f"{row['seconds']:.1f}"
    yield None if size is None else f"{size / 1e6:.1f}"


def _accuracy(metrics: Mapping[str, Any]) -> str | None:
    """Return accuracy and half its 95% interval; the document has both bounds."""
    if metrics.get("accuracy") is None:
        return None
    interval = metrics["interval"]
    spread = "" if interval is None else f" ±{(interval[1] - interval[0]) / 2:.3f}"
    return f"{metrics['accuracy']:.3f}{spread}"
