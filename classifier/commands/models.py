"""The commands `classifier models` and `classifier promote`."""

from typing import Annotated

import typer

from classifier import bootstrap, threads
from genrebase.runtime.output import Output

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
)


def models(
    task: Annotated[str | None, typer.Option(help="Only models of this task.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Write JSON.")] = False,
) -> None:
    """List all models, the latest first."""
    # these bring SQLAlchemy and pandas: --help need not wait
    from classifier import dataset
    from classifier.commands import showing
    from genrebase.store import connect

    output = Output(as_json=as_json)
    found = dataset.models(connect(), task)
    rows = (
        (
            one.id,
            one.task,
            one.status,
            one.estimator,
            one.trained_rows,
            len(one.classes),
            one.metrics["new_artist"]["accuracy"],
            one.metrics["seen_artist"]["accuracy"],
            f"{one.created_at:%Y-%m-%d %H:%M}",
        )
        for one in found
    )
    output.table("Models (accuracy on test tracks)", _COLUMNS, rows)
    for origin in sorted({one.origin for one in found if one.origin is not None}):
        showing.show_origin(output, origin)
    if not found:
        output.say("No model yet: run `classifier train`.")
    output.document([one.as_json() for one in found])


def promote(
    number: Annotated[int, typer.Argument(metavar="ID", help="The model's number.")],
    as_json: Annotated[bool, typer.Option("--json", help="Write JSON.")] = False,
) -> None:
    """Make a model champion of its task by hand, also one that was champion before.

    A model that never was gets its answers about its own training tracks now, by refits.
    """
    settings = bootstrap.load_settings()
    threads.settle()
    # these bring scikit-learn and SQLAlchemy: --help need not wait
    from classifier import promote as promoting
    from classifier.commands import showing
    from genrebase.runtime.clock import SystemClock
    from genrebase.store import connect

    output = Output(as_json=as_json)
    model = promoting.run(
        connect(), number, SystemClock(), tell=output.say, cores=settings.threads
    )
    showing.show_model(output, model)
    output.say("`classifier predict` stores its answers for the other tracks.")
    output.document(model.as_json())
