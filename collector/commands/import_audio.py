"""`collector import-audio`."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from collector.commands.harvest import HarvestStopped
from collector.errors import NothingImported
from genrebase import store
from genrebase.audio import scan
from genrebase.runtime.clock import SystemClock
from genrebase.runtime.console import Output
from genrebase.runtime.shutdown import stop_on_signals

if TYPE_CHECKING:
    from collector.imports.audio import AudioImportResult

_SHOWN: Final = 20
"""Files that could not be read, of which people are told one by one."""


def import_audio(
    path: Annotated[Path, typer.Argument(help="A folder with sound files, or one file.")],
    genre_from: Annotated[
        str | None,
        typer.Option(
            help="Where genres come from: `folder` (the name of the file's own), `tags`, or a CSV "
            "file with a column path, filename or track_id, and one genre or label."
        ),
    ] = None,
    labels: Annotated[
        Path | None,
        typer.Option(
            help="FMA's tracks.csv (genres.csv beside it): names, genres and split by the "
            "number that each file is called by."
        ),
    ] = None,
    workers: Annotated[
        int | None, typer.Option(min=1, help="Processes that listen; default: one per core.")
    ] = None,
    rejected: Annotated[
        Path | None,
        typer.Option(help="A CSV file to write the files that could not be read to, and why."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document.")] = False,
) -> None:
    """Listen to sound files: features, keys and spectra of each go into the database.

    A file that was heard is not heard again unless it changes; the same sound under another name
    is the same track. A file that cannot be read is told of, and stops nothing.
    """
    scan.require_libraries()
    from collector.audio import genre_source as telling
    from collector.datasets import fma
    from collector.imports import audio as use_case  # start-up: numba stands behind it

    output = Output(as_json=as_json)
    clock = SystemClock()
    published = None if labels is None else fma.load_tracks(labels, clock.now().year + 1)
    asked = use_case.AudioImportRequest(
        path, telling.genre_source(genre_from), published, workers or _cores(), rejected
    )
    engine = store.connect()
    with stop_on_signals() as stop, output.progress(f"Listening to {path.name}") as advance:
        found = use_case.import_audio(engine, clock, asked, advance, lambda: stop.requested)
    _tell(output, found)
    output.write_json(found.as_json())
    if found.stopped == "interrupted":
        raise HarvestStopped("Stopped. Import it again: it goes on with the files that are left.")
    if found.unreadable and not found.unchanged + found.analysed:
        raise NothingImported("None of the files could be read.")


def _cores() -> int:
    """Return the cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _tell(output: Output, found: "AudioImportResult") -> None:
    output.print(
        f"{found.files:,} files: {found.analysed:,} heard ({found.tracks_new:,} new tracks, "
        f"{found.duplicates:,} known ones), {found.unchanged:,} heard before, "
        f"{len(found.unreadable):,} could not be read "
        f"({found.seconds:.1f} s, {found.files_per_second:.2f} files/s)."
    )
    if found.unlabelled:
        output.print(
            f"{found.unlabelled:,} files tell no genre: stored without a label (--genre-from)."
        )
    if found.relabelled:
        output.print(f"{found.relabelled:,} files heard before got their genre.")
    for one in found.unreadable[:_SHOWN]:
        output.warn(f"{one.path}: {one.reason}")
    if len(found.unreadable) > _SHOWN:
        output.warn(
            f"… and {len(found.unreadable) - _SHOWN:,} more; --rejected FILE.csv lists them all."
        )
