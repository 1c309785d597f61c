"""The commands about stored models: `models`, `promote`, `pin`, `unpin` and `prune`.

`StoredModel.as_json` in `classifier.model_records` is the JSON of a model.
"""

from dataclasses import asdict
from typing import Annotated

import typer

from classifier import threads
from classifier.errors import BadTrainingConfig
from classifier.model_records import StoredModel
from classifier.settings import ClassifierSettings
from classifier.training_config import DEFAULT_TASK
from genrebase.counts import counted
from genrebase.runtime.console import Output

_COLUMNS = (
    "id",
    "task",
    "status",
    "estimator",
    "tracks",
    "genres",
    "unseen artists",
    "seen artists",
    "created",
    "licences",
    "kept",
)


def models(
    task: Annotated[str | None, typer.Option(help="Only models of this task.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Write JSON.")] = False,
) -> None:
    """List all models, the latest first.

    The champion, its refits, the two previous champions, pinned models and the latest model keep
    their artifact; all other models keep only metrics (see `classifier prune`).

    Examples:
      classifier models
      classifier models --task main
    """
    from classifier.commands import model_tables
    from classifier.registry import stored_models
    from genrebase.store import connect

    output = Output(as_json=as_json)
    database = connect()
    if task is not None:
        stored_models.require_task(database, task)
    listed = stored_models.models(database, task)
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
            one.licence_class or "not recorded",
            _kept(one),
        )
        for one in listed
    )
    output.table("Models (accuracy on test tracks)", _COLUMNS, rows)
    for origin in sorted({one.origin for one in listed if one.origin is not None}):
        model_tables.print_origin(output, origin)
    if not listed:
        output.print("No model yet: run `classifier train`.")
    output.write_json([one.as_json() for one in listed])


def _kept(model: StoredModel) -> str:
    states = ["pinned"] if model.pinned else []
    states += [] if model.parent_id is None else [f"refit of {model.parent_id}"]
    states += [] if model.has_artifact else ["metrics only"]
    return ", ".join(states) or "whole"


def promote(
    number: Annotated[int | None, typer.Argument(metavar="ID", help="The model's ID.")] = None,
    back: Annotated[bool, typer.Option("--back", help="Promote the previous champion.")] = False,
    task: Annotated[str, typer.Option(help="The task for --back.")] = DEFAULT_TASK,
    as_json: Annotated[bool, typer.Option("--json", help="Write JSON.")] = False,
) -> None:
    """Make a stored model, such as a former champion, the champion of its task.

    A rejected model can be promoted, too: its training tracks are predicted out of fold first. A
    refit, a model of a snapshot and a model without an artifact cannot be promoted.

    Examples:
      classifier promote 1
      classifier promote --back
    """
    if (number is None) != back:
        raise BadTrainingConfig("Give either a model's ID or --back.")
    settings = ClassifierSettings.load()
    threads.configure_openmp()
    from classifier.commands import model_tables
    from classifier.training import promote as promoting
    from genrebase.runtime.clock import SystemClock
    from genrebase.store import connect

    output, clock, cores = Output(as_json=as_json), SystemClock(), settings.threads

    def log(message: str) -> None:
        output.print(f"Promoting: {message}.")

    if number is None:
        model = promoting.rollback(connect(), clock, log=log, task=task, cores=cores)
    else:
        model = promoting.run(connect(), number, clock, log=log, cores=cores)
    model_tables.print_model(output, model)
    output.print("`classifier predict` stores its predictions for the other tracks.")
    output.write_json(model.as_json())


def pin(
    number: Annotated[int, typer.Argument(metavar="ID", help="The model's ID.")],
    as_json: Annotated[bool, typer.Option("--json", help="Write JSON.")] = False,
) -> None:
    """Exempt a model from pruning.

    Examples:
      classifier pin 1
    """
    _pin(number, pinned=True, as_json=as_json)


def unpin(
    number: Annotated[int, typer.Argument(metavar="ID", help="The model's ID.")],
    as_json: Annotated[bool, typer.Option("--json", help="Write JSON.")] = False,
) -> None:
    """End the exemption of a model from pruning.

    Examples:
      classifier unpin 1
    """
    _pin(number, pinned=False, as_json=as_json)


def _pin(number: int, *, pinned: bool, as_json: bool) -> None:
    from classifier.registry import model_store, stored_models
    from genrebase.store import connect

    output, database = Output(as_json=as_json), connect()
    unchanged = stored_models.model(database, number).pinned is pinned
    model_store.set_pinned(database, number, pinned=pinned)
    model = stored_models.model(database, number)
    if pinned:
        state = "was pinned already." if unchanged else "is pinned: pruning leaves it as it is."
    else:
        state = "was not pinned." if unchanged else "is not pinned anymore."
    output.print(f"Model {number} {state}")
    if pinned and not model.has_artifact:
        output.warn("Its artifact and predictions were deleted before; they do not come back.")
    output.write_json(model.as_json())


def prune(
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only report what would be deleted.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Write JSON.")] = False,
) -> None:
    """Delete artifacts and predictions of old models, as every training does.

    The champion of a task, its refits, pinned models and the latest model lose nothing. The two
    previous champions keep their artifact and the most probable genre of each track. All other
    models keep only metrics: former champions keep all, the others keep the test metrics that are
    not of a single genre. Once they are older than the latest CLASSIFIER_MODELS_REMEMBERED models
    of the task, all these models keep only the main metrics, except the parent of a refit that is
    kept. SQLite reuses the space; only VACUUM makes its file smaller.

    Examples:
      classifier prune --dry-run
    """
    from classifier.registry import retention
    from genrebase.store import connect

    output = Output(as_json=as_json)
    remembered = ClassifierSettings.load().models_remembered
    done = retention.prune(connect(), keep_last=remembered, dry_run=dry_run)
    named = ", ".join(str(number) for number in done.given_up) or "none"
    verb = "would lose" if dry_run else "lost"
    output.print(
        f"Models that {verb} artifact and predictions: {named} "
        f"({counted(done.predictions, 'row')})."
    )
    if done.reduced:
        models = ", ".join(str(number) for number in done.reduced)
        verb = "would keep" if dry_run else "keep"
        output.print(f"Former champions that {verb} only the first prediction: {models}.")
    if done.shortened:
        what = "would be left" if dry_run else "are left"
        output.print(f"Models of which only main metrics {what}: {len(done.shortened):,}.")
    output.write_json(asdict(done))
