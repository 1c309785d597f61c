"""The command `classifier status`."""

from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any

import typer

from classifier.settings import ClassifierSettings
from classifier.training_config import DEFAULT_TASK, train_job_name
from genrebase.counts import counted
from genrebase.runtime.console import Output


def status(
    task: Annotated[str, typer.Option(help="The task.")] = DEFAULT_TASK,
    as_json: Annotated[bool, typer.Option("--json", help="Write JSON.")] = False,
) -> None:
    """Show champion, predictions, last runs, genres to merge, what the next training waits for.

    Examples:
      classifier status
    """
    from classifier.commands import model_tables
    from classifier.daemon import readiness
    from classifier.data import genre_merges
    from classifier.registry import stored_models
    from genrebase.runtime import jobs
    from genrebase.runtime.clock import SystemClock
    from genrebase.store import connect

    output, database = Output(as_json=as_json), connect()
    stored_models.require_task(database, task)
    champion = stored_models.find_champion(database, task)
    counts = stored_models.dataset_counts(database, None if champion is None else champion.id)
    runs = [jobs.last_run(database, job) for job in (train_job_name(task), "predict")]
    output.print(
        f"{counted(counts.tracks, 'track')}, {counts.labelled:,} of them labelled, "
        f"{counts.scored:,} predicted by the champion."
    )
    if champion is None:
        output.print(stored_models.describe_missing_champion(database, task))
    else:
        model_tables.print_model(output, champion)
    others = [one for one in stored_models.champion_tasks(database) if one != task]
    if others:
        output.print(f"Other tasks with a champion (--task NAME): {', '.join(others)}.")
    now = SystemClock().now()
    waits_for = None
    if task == DEFAULT_TASK:
        state = readiness.read(database, now)
        waits_for = readiness.describe_wait(state, ClassifierSettings.load(), now)
        output.print(f"With `classifier run`: {waits_for}")
    merges = genre_merges.proposals(database)
    for proposal in merges:
        output.print(f"May be one genre: {proposal.sentence()} (collector genres merges).")
    recent = [jobs.effective_run(run, now) for run in runs if run is not None]
    for run in recent:
        if run.error is not None:
            output.warn(f"{run.job} {run.outcome}: {run.error}")
    if recent:
        output.table(
            "Last runs",
            ("job", "started", "finished", "outcome"),
            (
                (run.job, _format_time(run.started_at), _format_time(run.finished_at), run.outcome)
                for run in recent
            ),
        )
    document: dict[str, Any] = {
        **asdict(counts),
        "champion": None if champion is None else champion.as_json(),
        "last_runs": recent,
        "waits_for": waits_for,
        "other_tasks": others,
        "merge_proposals": [one.as_json() for one in merges],
    }
    output.write_json(document)


def _format_time(moment: datetime | None) -> str | None:
    return None if moment is None else f"{moment:%Y-%m-%d %H:%M:%S} UTC"
