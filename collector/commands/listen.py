"""The command `collector listen`."""

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from collector.settings import CollectorSettings
from genrebase.counts import counted
from genrebase.errors import NothingToDo
from genrebase.runtime.console import Output
from genrebase.runtime.cores import usable_cores

if TYPE_CHECKING:
    from collector.downloads.outcome import DownloadOutcome

_MAX_WORDS: Final = 8
"""Subjects set aside that are printed."""


def listen(
    max_requests: Annotated[
        int | None, typer.Option(min=1, help="Maximum number of requests, retries included.")
    ] = None,
    max_bytes: Annotated[
        int | None, typer.Option(min=1, help="Maximum bytes of audio files to download.")
    ] = None,
    keep: Annotated[
        Path | None,
        typer.Option(help="Keep the analysed files in this folder; without it, they are deleted."),
    ] = None,
    workers: Annotated[
        int | None, typer.Option(min=1, help="Worker processes; default: one per core.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Write JSON.")] = False,
) -> None:
    """Download audio files of open catalogues, and store features, keys and spectrograms.

    Items that a harvest listed at Internet Archive are downloaded while their genres lack tracks.
    Jamendo's tracks are downloaded if their artists allow it. COLLECTOR_FILE_MB,
    COLLECTOR_DOWNLOADS_MB, COLLECTOR_DAILY_MB and COLLECTOR_LICENCE limit the downloads. The
    command can be stopped and resumed: a correctly downloaded file is not downloaded again.

    Examples:
      collector listen --max-requests 300
      collector listen --max-bytes 500000000 --keep music
    """
    # these bring numpy and SQLAlchemy: --help need not wait
    from collector import composition_root
    from collector.downloads.run import JOB
    from collector.http.session import end_running_request
    from genrebase.audio import scan
    from genrebase.digests.refresh import refreshed_after
    from genrebase.runtime.clock import SystemClock
    from genrebase.runtime.jobs import job_run
    from genrebase.runtime.shutdown import stop_on_signals
    from genrebase.store import connect

    scan.require_libraries()
    output, clock, engine = Output(as_json=as_json), SystemClock(), connect()
    with stop_on_signals(
        clock.interrupt, end_running_request, notice="Stopping after the files in progress."
    ) as stop:
        run = composition_root.open_downloads(
            engine,
            CollectorSettings.load(),
            clock,
            lambda: stop.requested,
            keep=keep,
            workers=workers or usable_cores(),
        )
        with (
            refreshed_after(engine, clock, lambda: stop.requested),
            job_run(engine, clock, JOB, exclusive=True) as job,
            output.progress("Analysing audio files") as bar,
        ):
            outcome = run.run(
                max_requests=max_requests,
                max_bytes=max_bytes,
                advance=lambda so_far: bar(
                    so_far.analysed,
                    note=f"{so_far.received / 1e6:,.1f} MB received",
                    fraction=so_far.done_share,
                ),
            )
            outcome.write_to(job)
    _report(outcome, output)


def _report(outcome: "DownloadOutcome", output: Output) -> None:
    """Print the result of a run; raise the error that it ends with, if any."""
    output.write_json(outcome.as_json())
    output.print(
        f"{counted(outcome.analysed, 'file')} analysed "
        f"({counted(outcome.tracks_new, 'new track')}) from {counted(outcome.items, 'new item')}, "
        f"{outcome.received / 1e6:,.1f} MB in {counted(outcome.requests, 'request')}; "
        f"{counted(outcome.waiting, 'item')} waiting."
    )
    _list(output, "Not usable", outcome.failed)
    _list(output, "Items left out", outcome.items_left_out)
    _list(output, "Postponed", outcome.items_postponed)
    _list_words(output, "Subjects that are not genres of the database", outcome.subjects_set_aside)
    _list_words(
        output,
        "Of these, names in a vocabulary (collector genres add)",
        outcome.genres_not_collected,
    )
    if outcome.kept:
        output.print(f"{counted(outcome.kept, 'file')} kept.")
    for problem in outcome.problems:
        output.warn(problem)
    _end(outcome, output)


def _list(output: Output, title: str, reasons: Counter[str]) -> None:
    if reasons:
        listed = ", ".join(f"{n:,} {why}" for why, n in reasons.most_common())
        output.print(f"{title}: {listed}.")


def _list_words(output: Output, title: str, words: Counter[str]) -> None:
    if words:
        listed = ", ".join(f"{word} ({n:,})" for word, n in words.most_common(_MAX_WORDS))
        output.print(f"{title}: {words.total():,}, most often {listed}.")


def _end(outcome: "DownloadOutcome", output: Output) -> None:
    if outcome.disk_full is not None:
        raise outcome.disk_full
    outcome.raise_early_end("Stopped; the next run continues from here.")
    if outcome.stopped == "limit":
        output.print(
            "The limit of requests or bytes is reached; the next run continues from here."
        )
    elif not (outcome.requests or outcome.analysed or outcome.waiting):
        raise NothingToDo(
            "No audio file is waiting to be analysed: `collector harvest` lists some for genres "
            "below their targets."
        )
    elif outcome.waiting and not outcome.problems:
        output.print("The waiting items are not needed now, or are requested again later.")
