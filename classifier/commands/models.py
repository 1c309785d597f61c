"""The commands about stored models: `models`, `promote`, `pin`, `unpin` and `prune`."""

from typing import Annotated

import typer

from classifier import threads
from classifier.errors import BadTrainingConfig
from classifier.records import StoredModel
from classifier.settings import ClassifierSettings
from classifier.training_config import DEFAULT_TASK
from genrebase.runtime.console import Output

_COLUMNS = (
    "id",
    "task",
    "status",
    "estimator",
    "tracks",
    "genres",
    "new artists",
    "artists it knows",
    "created",
    "kept",
)


def models(
    task: Annotated[str | None, typer.Option(help="Only models of this task.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Write JSON.")] = False,
) -> None:
    """List all models, the latest first.

    Kept whole, with what it takes to answer, are the champion, the two before it, pinned models
    and the latest one; of the others the figures are kept.
    """
    # these bring SQLAlchemy and pandas: --help need not wait
    from classifier.commands import tables
    from classifier.registry import stored_models
    from genrebase.store import connect

    output = Output(as_json=as_json)
    found = stored_models.models(connect(), task)
    rows = (
        (
            one.id,
            one.task,
            f"refit of {one.parent_id}" if one.status == "refit" else one.status,
            one.estimator,
            one.trained_rows,
            len(one.classes),
            one.metrics["new_artist"]["accuracy"],
            one.metrics["seen_artist"]["accuracy"],
            f"{one.created_at:%Y-%m-%d %H:%M}",
            _kept(one),
        )
        for one in found
    )
    output.table("Models (accuracy on test tracks)", _COLUMNS, rows)
    for origin in sorted({one.origin for one in found if one.origin is not None}):
        tables.print_origin(output, origin)
    if not found:
        output.print("No model yet: run `classifier train`.")
    output.write_json([one.as_json() for one in found])


def _kept(model: StoredModel) -> str:
    told = ["pinned"] if model.pinned else []
    told += [] if model.parent_id is None else [f"refit of {model.parent_id}"]
    told += [] if model.has_artifact else ["figures only"]
    return ", ".join(told) or "whole"


def promote(
    number: Annotated[int | None, typer.Argument(metavar="ID", help="The model's number.")] = None,
    back: Annotated[
        bool, typer.Option("--back", help="The champion before the present one.")
    ] = False,
    task: Annotated[str, typer.Option(help="With --back: of which task.")] = DEFAULT_TASK,
    as_json: Annotated[bool, typer.Option("--json", help="Write JSON.")] = False,
) -> None:
    """Make a model champion of its task by hand, also one that was champion before.

    A model that never was gets its answers about its own training tracks now, by refits. One
    that only its figures are left of is refused.
    """
    if (number is None) != back:
        raise BadTrainingConfig("Say either a model's number or --back.")
    settings = ClassifierSettings.load()
    threads.configure_openmp()
    # these bring scikit-learn and SQLAlchemy: --help need not wait
    from classifier.commands import tables
    from classifier.training import promote as promoting
    from genrebase.runtime.clock import SystemClock
    from genrebase.store import connect

    output, clock, cores = Output(as_json=as_json), SystemClock(), settings.threads
    if number is None:
        model = promoting.rollback(connect(), clock, log=output.print, task=task, cores=cores)
    else:
        model = promoting.run(connect(), number, clock, log=output.print, cores=cores)
    tables.print_model(output, model)
    output.print("`classifier predict` stores its answers for the other tracks.")
    output.write_json(model.as_json())


def pin(
    number: Annotated[int, typer.Argument(metavar="ID", help="The model's number.")],
    as_json: Annotated[bool, typer.Option("--json", help="Write JSON.")] = False,
) -> None:
    """Keep a model whole, whatever is trained after it."""
    _pin(number, pinned=True, as_json=as_json)


def unpin(
    number: Annotated[int, typer.Argument(metavar="ID", help="The model's number.")],
    as_json: Annotated[bool, typer.Option("--json", help="Write JSON.")] = False,
) -> None:
    """Leave a pinned model to retention again."""
    _pin(number, pinned=False, as_json=as_json)


def _pin(number: int, *, pinned: bool, as_json: bool) -> None:
    # these bring SQLAlchemy and pandas: --help need not wait
    from classifier.registry import retention, stored_models
    from genrebase.store import connect

    output, database = Output(as_json=as_json), connect()
    same = stored_models.model(database, number).pinned is pinned
    model = retention.pin(database, number, pinned=pinned)
    output.print(f"Model {number} {_pinned(pinned=pinned, same=same)}")
    if pinned and not model.has_artifact:
        output.warn("Its artifact and answers were given up before; they do not come back.")
    output.write_json(model.as_json())


def _pinned(*, pinned: bool, same: bool) -> str:
    if pinned:
        return "was pinned already." if same else "is pinned: retention leaves it as it is."
    return "was not pinned." if same else "is pinned no more."


def prune(
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only say what would be given up.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Write JSON.")] = False,
) -> None:
    """Give up artifacts and answers of old models, as every training does.

    The champion of a task, the two before it, pinned models and the latest one are kept whole; of
    the latest others (CLASSIFIER_MODELS_REMEMBERED) the row and the figures stay, of those before
    them a line. SQLite uses the room again for what comes next; its file gets smaller by VACUUM
    only.
    """
    # these bring SQLAlchemy and pandas: --help need not wait
    from classifier.registry import retention
    from genrebase.store import connect

    output = Output(as_json=as_json)
    remembered = ClassifierSettings.load().models_remembered
    done = retention.prune(connect(), keep_last=remembered, dry_run=dry_run)
    named = ", ".join(str(number) for number in done.dropped_artifacts) or "none"
    verb = "would lose" if dry_run else "lost"
    output.print(f"Models that {verb} artifact and answers: {named} ({done.predictions:,} rows).")
    if done.archived:
        what = "would be left" if dry_run else "is left"
        output.print(f"Models of which a line {what}: {len(done.archived):,}.")
    output.write_json(done.as_json())
