"""The command `classifier status`."""

from datetime import datetime
from typing import Annotated, Any

import typer

from classifier.training_config import DEFAULT_TASK, train_job_name
from genrebase.runtime.console import Output


def status(
    task: Annotated[str, typer.Option(help="Of which task.")] = DEFAULT_TASK,
    as_json: Annotated[bool, typer.Option("--json", help="Write JSON.")] = False,
) -> None:
    """Show who is champion, how many tracks it has answered for, and what ran last."""
    # these bring SQLAlchemy and pandas: --help need not wait
    from classifier.commands import tables
    from classifier.registry import stored_models
    from genrebase.runtime import jobs
    from genrebase.runtime.clock import SystemClock
    from genrebase.store import connect

    output, database = Output(as_json=as_json), connect()
    champion = stored_models.find_champion(database, task)
    standing = stored_models.dataset_counts(database, None if champion is None else champion.id)
    runs = [jobs.last_run(database, job) for job in (train_job_name(task), "predict")]
    output.print(
        f"{standing.tracks:,} tracks, {standing.labelled:,} of them labelled, "
        f"{standing.scored:,} answered by the champion."
    )
    if champion is None:
        output.print(f"No model answers for the task {task!r} yet: run `classifier train`.")
    else:
        tables.print_model(output, champion)
    now = SystemClock().now()
    shown = [jobs.effective_run(run, now) for run in runs if run is not None]
    for run in shown:
        if run.error is not None:
            output.warn(f"{run.job} {run.outcome}: {run.error}")
    output.table(
        "Last runs",
        ("job", "started", "finished", "outcome"),
        ((run.job, _shown(run.started_at), _shown(run.finished_at), run.outcome) for run in shown),
    )
    document: dict[str, Any] = {
        "tracks": standing.tracks,
        "labelled": standing.labelled,
        "scored": standing.scored,
        "champion": None if champion is None else champion.as_json(),
        "last_runs": shown,
    }
    output.write_json(document)


def _shown(moment: datetime | None) -> str | None:
    return None if moment is None else f"{moment:%Y-%m-%d %H:%M:%S} UTC"
