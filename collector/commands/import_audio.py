"""The command `collector import-audio`."""

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from collector.commands.licence_option import LicenceOption, checked_licence
from collector.errors import NothingImported
from genrebase import store
from genrebase.audio import scan
from genrebase.counts import agree, counted, join_counts
from genrebase.errors import CommandInterrupted, UserError
from genrebase.runtime.clock import SystemClock
from genrebase.runtime.command_line import ForSpreadsheets, OnCluster
from genrebase.runtime.console import Output
from genrebase.runtime.cores import usable_cores
from genrebase.runtime.shutdown import stop_on_signals

if TYPE_CHECKING:
    from collector.imports.audio import AudioImportResult

_MAX_LISTED: Final = 20
"""Unreadable files, and remarks, that are listed one by one."""
_MAX_KINDS: Final = 12
"""Suffixes of files that are counted one by one."""


def import_audio(
    path: Annotated[Path, typer.Argument(help="A folder with audio files, or one file.")],
    genre_from: Annotated[
        str | None,
        typer.Option(
            help="Source of the genres: `folder` (the name of the file's folder), `name` (the "
            "start of the file's name, as in blues.00000.wav), `tags`, or a CSV file. Its "
            "columns: path, filename or track_id; genre or label."
        ),
    ] = None,
    genre_separator: Annotated[
        str | None,
        typer.Option(
            help="A further separator of the genres in a tag or cell, such as a comma, besides ;, "
            "| and (in tags) /. The first genre decides the claim."
        ),
    ] = None,
    fma_tracks: Annotated[
        Path | None,
        typer.Option(
            help="FMA's tracks.csv, with genres.csv in the same folder: each numbered file gets "
            "its names, genres and split from these tables."
        ),
    ] = None,
    descriptors: Annotated[
        str | None,
        typer.Option(
            help="Pre-trained networks that analyse each file: NAME,NAME (default: "
            "GENREBASE_DESCRIPTORS). Genrebase's own extractor always runs. "
            "With `genrebase` alone, no network is used."
        ),
    ] = None,
    workers: Annotated[
        int | None, typer.Option(min=1, help="Worker processes; default: one per core.")
    ] = None,
    rejected: Annotated[
        Path | None,
        typer.Option(
            help="New CSV file of the unreadable files and reasons, and of what was lost or "
            "corrected in damaged files."
        ),
    ] = None,
    for_spreadsheets: ForSpreadsheets = False,
    licence: LicenceOption = None,
    on: OnCluster = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document.")] = False,
) -> None:
    """Analyse audio files and store features, keys and spectrograms of each.

    A file is analysed again only if it changed, or lacks a descriptor set. Files with identical
    audio are one track. Unreadable files, and undecodable parts of damaged files, are reported
    and skipped. With ffmpeg installed, m4a, mp4, wma, webm and others are decoded, too.

    Examples:
      collector import-audio music --genre-from folder
      collector import-audio music --descriptors genrebase
    """
    if for_spreadsheets and rejected is None:
        raise UserError("--for-spreadsheets needs a file that is written: --rejected FILE.")
    if on is not None and workers is not None:
        raise UserError("--on runs on the workers of the cluster: leave out --workers.")
    scan.require_libraries()
    # librosa and numba take seconds to import: --help need not wait
    from collector.audio import genre_source
    from collector.datasets import fma
    from collector.imports import audio
    from collector.imports.cluster_audio import analyse_on_cluster
    from collector.imports.records import ImportContext
    from genrebase.audio.workers import analyse_files
    from genrebase.digests.refresh import refreshed_after
    from genrebase.runtime.audio_models import chosen_models
    from genrebase.runtime.cluster import open_cluster

    output = Output(as_json=as_json)
    clock = SystemClock()
    table = None if fma_tracks is None else fma.load_tracks(fma_tracks, clock.now().year + 1)
    source = genre_source.genre_source(genre_from, genre_separator)
    request = audio.AudioImportRequest(
        path,
        source,
        table,
        workers or usable_cores(),
        checked_licence(licence),
        chosen_models(descriptors),
    )
    engine = store.connect()
    with (
        stop_on_signals(notice="Stopping after the files in progress.") as stop,
        refreshed_after(engine, clock, lambda: stop.requested),
        output.progress(f"Analysing {scan.printable(path.name)}") as progress,
        open_cluster(on) if workers is None else nullcontext() as cluster,
    ):
        context = ImportContext(
            engine, clock, progress, rejected, for_spreadsheets, lambda: stop.requested
        )
        analyse = analyse_files if cluster is None else partial(analyse_on_cluster, cluster)
        result = audio.import_audio(context, request, analyse)
    _print_summary(output, result)
    output.write_json(result.as_json())
    if result.stopped == "interrupted":
        raise CommandInterrupted(
            "Stopped. Run the same command again to import the remaining files."
        )
    if result.unreadable and not result.unchanged + result.analysed:
        raise NothingImported("None of the files could be read.")


def _print_summary(output: Output, result: "AudioImportResult") -> None:
    rate = f", {result.files_per_second:.2f} files/s" if result.analysed else ""
    output.print(
        f"{counted(result.files, 'file')}: {', '.join(_outcomes(result))} "
        f"({result.seconds:.1f} s{rate})."
    )
    if result.unlabelled:
        output.print(
            f"{counted(result.unlabelled, 'file')} {agree(result.unlabelled, 'has', 'have')} no "
            "genre: stored without a label (--genre-from)."
        )
    if result.renamed:
        renamed = counted(result.renamed, "track")
        output.print(f"Renamed by their tags: {renamed} of earlier imports.")
    if result.relabelled:
        output.print(f"{counted(result.relabelled, 'file')} imported earlier got their genre.")
    for warning in result.warnings:
        output.warn(warning)
    if result.links_followed:
        output.print(f"Linked folders that were read: {result.links_followed:,}.")
    if result.links_repeated:
        output.print(
            f"Linked folders that lead to folders read already: {result.links_repeated:,}."
        )
    if result.ignored:
        count = counted(result.ignored.total(), "file")
        output.print(f"Ignored {count} of other kinds: {_kinds(result.ignored)}.")
    if result.passed_over:
        count = counted(result.passed_over.total(), "file")
        output.warn(
            f"{count} of kinds that need ffmpeg, which is not installed: "
            f"{_kinds(result.passed_over)}."
        )
    others = [file for file in result.unreadable if not file.needs_ffmpeg]
    _list(output, [f"{file.path}: {file.reason}" for file in others])
    if result.remarks:
        paths = Counter(one.path for one in result.remarks)
        output.warn(f"Remarks on {counted(len(paths), 'imported file')}:")
    _list(output, [f"{one.path}: {one.remark}" for one in result.remarks])


def _outcomes(result: "AudioImportResult") -> Iterator[str]:
    """Yield how many files were analysed, unchanged and unreadable, without those of none."""
    if result.analysed:
        tracks = join_counts((result.tracks_new, "new track"), (result.duplicates, "duplicate"))
        yield f"{result.analysed:,} analysed ({tracks})"
    if result.unchanged:
        yield f"{result.unchanged:,} unchanged"
    if result.unreadable:
        yield f"{len(result.unreadable):,} could not be read"


def _list(output: Output, lines: Sequence[str]) -> None:
    for line in lines[:_MAX_LISTED]:
        output.warn(line)
    if (more := len(lines) - _MAX_LISTED) > 0:
        output.warn(f"… and {more:,} more; --rejected FILE.csv lists them all.")


def _kinds(kinds: Counter[str]) -> str:
    """Return the commonest suffixes with their counts."""
    listed = [f"{suffix or 'no suffix'} ({n:,})" for suffix, n in kinds.most_common(_MAX_KINDS)]
    return ", ".join(listed) + (", …" if len(kinds) > _MAX_KINDS else "")
