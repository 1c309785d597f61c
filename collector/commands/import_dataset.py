"""The command `collector import`."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from collector.commands.licence_option import LicenceOption, checked_licence
from collector.datasets.column_roles.usual_names import FIELDS
from collector.datasets.formats.table import DEFAULT_ENCODING
from collector.datasets.parsing import cells
from collector.errors import NothingImported
from genrebase.counts import agree, counted, join_counts
from genrebase.errors import CommandInterrupted, UserError
from genrebase.runtime.command_line import ForSpreadsheets
from genrebase.runtime.console import Output

if TYPE_CHECKING:
    from collector.imports.records import ImportContext, ImportResult

_REASONS: Final = {
    "rank": ", because it has a better rank there",
    "votes": ", because it has more votes there",
}
"""Why another genre of a track counts."""
_ENCODING_HINT = "name it, such as --encoding latin-1"


def import_(
    files: Annotated[
        list[Path],
        typer.Argument(
            metavar="FILE...",
            help="CSV, JSON, JSON lines, Parquet, a workbook, SQLite, each also compressed, in a "
            "zip or tar archive, or in a folder; the folder of FMA's tables (tracks.csv, "
            "genres.csv, features.csv); the files of a dump of MusicBrainz, AcousticBrainz or "
            "Discogs; or low-level documents of Essentia, in a folder, an archive or a file.",
        ),
    ],
    genre_column: Annotated[
        str | None,
        typer.Option(
            help="The column that holds the genre; default: the first of genre, track_genre, "
            "playlist_genre, genres, artist_genres, tags; or label, if its values repeat and "
            "most are names of genres."
        ),
    ] = None,
    genre_separator: Annotated[
        str | None,
        typer.Option(
            help="A further separator of the genres in a cell, such as a comma, besides ; and |. "
            "The first genre decides the claim."
        ),
    ] = None,
    encoding: Annotated[
        str | None,
        typer.Option(
            help="The encoding of the rows that are not UTF-8, such as latin-1; without it these "
            "rows are rejected."
        ),
    ] = None,
    column: Annotated[
        list[str] | None,
        typer.Option(
            metavar="FIELD=COLUMN",
            help='The column of a field, such as tempo="Tempo (BPM)"; repeatable. Fields: '
            f"{', '.join(FIELDS)}.",
        ),
    ] = None,
    unit: Annotated[
        list[str] | None,
        typer.Option(
            metavar="FIELD=UNIT",
            help="The unit of a field or column, such as length=s, energy=percent or "
            "release_date=month/day/year; repeatable.",
        ),
    ] = None,
    dry_run: Annotated[
        bool,
        typer.Option("--dry-run", help="Show the field of each column; write nothing."),
    ] = False,
    rejected: Annotated[
        Path | None,
        typer.Option(help="New CSV file of the rejected rows' numbers and reasons."),
    ] = None,
    for_spreadsheets: ForSpreadsheets = False,
    licence: LicenceOption = None,
    subset: Annotated[
        str | None,
        typer.Option(help="Import only this subset of FMA: small, medium or large."),
    ] = None,
    all_genres: Annotated[
        bool,
        typer.Option(
            "--all-genres",
            help="For MusicBrainz' dump: collect every genre of its list, not only those in the "
            "database.",
        ),
    ] = False,
    stored_only: Annotated[
        bool,
        typer.Option(
            "--stored-only",
            help="For Discogs' dump: label the tracks that are already stored, and add none.",
        ),
    ] = False,
    work_dir: Annotated[
        Path | None,
        typer.Option(
            help="The folder in which the tables of a dump are joined, in a file that is deleted "
            "afterwards; default: the folder of the SQLite database; with "
            "PostgreSQL, that of the first file."
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document.")] = False,
) -> None:
    """Import a dataset. If it is imported again, or continued, no row counts twice.

    Columns are recognised by their names and contents. Every row is a new track, a duplicate of
    one, or rejected with a reason; a row without a genre is stored without a label. A table of
    numeric features by audio file, such as GTZAN's, is imported as descriptors.

    Examples:
      collector import tracks.csv
      collector import tracks.csv --genre-column genre --rejected rejected.csv
      collector import tracks.csv --column "tempo=Tempo (BPM)" --dry-run
      collector import tracks.csv --unit length=s --dry-run
      collector import mbdump.tar.bz2 mbdump-derived.tar.bz2
      collector import acousticbrainz-lowlevel-features-*.tar.zst
    """
    # these import SQLAlchemy and numpy: --help need not wait
    from collector.datasets.rows import RowRejection
    from collector.imports.records import ImportContext
    from genrebase import store
    from genrebase.digests.refresh import refreshed_after
    from genrebase.runtime.clock import SystemClock
    from genrebase.runtime.shutdown import stop_on_signals

    output = Output(as_json=as_json)
    if dry_run and rejected is not None:
        raise UserError("--rejected writes a file: leave it out with --dry-run.")
    if for_spreadsheets and rejected is None:
        raise UserError("--for-spreadsheets needs a file that is written: --rejected FILE.")
    run = _importer(
        files,
        subset,
        {"all_genres": all_genres, "stored_only": stored_only, "work_dir": work_dir},
        {
            "genre_column": genre_column,
            "genre_separator": genre_separator,
            "encoding": encoding or DEFAULT_ENCODING,
            "columns": _pairs("--column", column),
            "units": _pairs("--unit", unit),
        },
        checked_licence(licence),
    )
    engine = store.connect()
    with (
        stop_on_signals(notice="Stopping after the rows in progress.") as stop,
        refreshed_after(engine, SystemClock(), lambda: dry_run or stop.requested),
        output.progress(f"Importing {_names(files)}") as progress,
    ):
        imported = run(
            ImportContext(
                engine,
                SystemClock(),
                progress,
                rejected=rejected,
                for_spreadsheets=for_spreadsheets,
                stop_requested=lambda: stop.requested,
                dry_run=dry_run,
            )
        )
    undecodable = imported.reasons.get(RowRejection.UNDECODABLE, 0)
    for sentence in _summary(imported):
        output.print(sentence)
    output.write_json(asdict(imported))
    if imported.stopped == "interrupted":
        kept = f" {imported.kept_file} is kept for that." if imported.kept_file else ""
        raise CommandInterrupted(
            f"Stopped after {counted(imported.rows, 'row')}. Run the same command again to "
            f"continue; no row counts twice.{kept}"
        )
    if undecodable == imported.rows > 0:
        raise NothingImported(
            f"No row of {_names(files)} could be read as {encoding or 'UTF-8'}: {_ENCODING_HINT}."
        )


def _names(files: Sequence[Path]) -> str:
    return ", ".join(file.name for file in files)


def _importer(
    files: Sequence[Path],
    subset: str | None,
    dump_options: dict[str, Any],
    options: dict[str, Any],
    licence: str | None,
) -> "Callable[[ImportContext], ImportResult]":
    """Return the import of these files."""
    # these import SQLAlchemy and numpy: --help need not wait
    from collector.datasets import essentia_documents, fma
    from collector.imports import dumps
    from collector.imports.dataset import DatasetOptions, import_dataset
    from collector.imports.dump_staging import DumpOptions
    from collector.imports.essentia import import_documents
    from collector.imports.fma import import_fma

    import_dumps = dumps.importer(files, DumpOptions(**dump_options))
    if import_dumps is not None:
        given = {**options, "encoding": options["encoding"] != DEFAULT_ENCODING}
        if subset is not None or licence is not None or any(given.values()):
            raise UserError(
                "A dump has no columns to name, and a known licence: leave out --subset, "
                "--genre-column, --genre-separator, --encoding, --column, --unit and --licence."
            )
        return import_dumps
    if len(files) > 1:
        raise UserError(
            "Several files are imported together only if they are one dump of MusicBrainz or "
            "AcousticBrainz: run the command once per file."
        )
    if any(dump_options.values()):
        raise UserError("--all-genres, --stored-only and --work-dir need the files of a dump.")
    [file] = files
    documents = essentia_documents.recognise(file)
    if documents is not None and subset is None:
        return partial(import_documents, files=documents, licence=licence)
    if (file.is_dir() and fma.is_fma_folder(file)) or (file.is_file() and fma.is_fma_tracks(file)):
        subset = subset or fma.SUBSETS[-1]
        return partial(import_fma, folder=file, subset=subset, licence=licence)
    if subset is not None:
        raise UserError("--subset needs FMA's tables: name their folder, or tracks.csv.")
    return partial(import_dataset, path=file, options=DatasetOptions(**options, licence=licence))


def _pairs(option: str, given: Sequence[str] | None) -> dict[str, str]:
    """Parse `NAME=VALUE` options; raise `UserError` for one without a name or `=`."""
    pairs = {}
    for text in given or ():
        name, separator, value = text.partition("=")
        if not separator or not name.strip():
            raise UserError(f"{option} {text!r} is not NAME=VALUE.")
        pairs[name.strip()] = value
    return pairs


def _summary(imported: "ImportResult") -> Iterator[str]:
    from collector.datasets.column_roles import columns  # it imports numpy: --help need not wait

    dry_run = "Dry run, nothing is written: " if imported.dry_run else ""
    rows = f"{dry_run}{counted(imported.rows, 'row')}"
    if imported.is_unchanged:
        yield f"{rows}: imported before as import {imported.import_id}, nothing has changed."
    else:
        tracks = _tracks(imported)
        rejected = f", {imported.rejected:,} rejected" if imported.rejected else ""
        yield (
            f"{rows}: {tracks}{rejected} "
            f"({imported.seconds:.1f} s, {imported.rows_per_second:,.0f} rows/s)."
        )
    yield from _about_versions(imported)
    if imported.columns:
        yield columns.describe(imported.columns, imported.ignored_columns)
    if imported.described:
        yield (
            f"Descriptors of {counted(imported.described, 'row')} "
            f"{agree(imported.described, 'is', 'are')} stored."
        )
    if imported.unlabelled:
        yield (
            f"{counted(imported.unlabelled, 'row')} {agree(imported.unlabelled, 'has', 'have')} "
            "no usable genre: stored without a label."
        )
    for reason, count in imported.reasons.items():
        yield f"Rejected {count:,}: {reason}."
    for sentence, counts in (
        ("Cells that could not be parsed were stored as missing", imported.unreadable),
        ("Out of range and left empty", imported.out_of_range),
        ("Left empty because the tempo is 0, which means no beat", imported.without_beat),
    ):
        if counts:
            pairs = counts.items()
            listed = ", ".join(f"{cells.escape_unprintable(name)} ({n:,})" for name, n in pairs)
            yield f"{sentence}: {listed}."
    if imported.claims_moved:
        why = (
            "" if imported.corrects or imported.claims_by is None else _REASONS[imported.claims_by]
        )
        tracks = counted(imported.claims_moved, "existing track")
        yield f"The genre that counts changed for {tracks}{why}."
    yield from imported.warnings
    for names in imported.similar_genres:
        listed = ", ".join(repr(name) for name in names)
        yield (
            f"{listed} differ only by case, blanks, hyphens or Unicode form and are separate "
            "genres; to merge them: collector genres merge ONE INTO"
        )


def _tracks(imported: "ImportResult") -> str:
    """Return what became of the rows that were not rejected."""
    if imported.stored_only and imported.tracks_labelled is not None:
        return f"{counted(imported.tracks_labelled, 'stored track')} got a genre"
    if imported.stored_only:
        return f"{counted(imported.duplicates, 'row')} of stored tracks, with a genre"
    return join_counts((imported.tracks_new, "new track"), (imported.duplicates, "duplicate"))


def _about_versions(imported: "ImportResult") -> Iterator[str]:
    """Yield sentences on earlier imports of the same file name."""
    if imported.corrects and not imported.is_unchanged:
        listed = ", ".join(map(str, imported.corrects))
        corrected = "its tracks" if imported.dry_run else counted(imported.corrected, "track")
        if imported.corrected or imported.dry_run:
            yield f"A new version of import {listed}, corrected: {corrected}."
        else:
            yield f"A new version of import {listed}: nothing had to be corrected."
    if imported.only_earlier:
        yield (
            "Kept, although only earlier versions have them: "
            f"{counted(imported.only_earlier, 'track')}. To remove: collector imports undo "
            f"{imported.corrects[-1]}"
        )
    if imported.other_tables:
        listed = ", ".join(map(str, imported.other_tables))
        yield (
            f"Earlier imports of other rows under the same file name: {listed}. If this file "
            "replaces one: collector imports undo ID"
        )
    if imported.conflicts:
        yield (
            f"{counted(imported.conflicts, 'row')} {agree(imported.conflicts, 'has', 'have')} an "
            "ID under which a track of another name is stored, or that another row has with "
            "another title: they were matched by name and duration."
        )
    if imported.features_not_taken:
        yield (
            f"{counted(imported.features_not_taken, 'track')} "
            f"{agree(imported.features_not_taken, 'has', 'have')} other features here than "
            "another file delivered: those stay, and only missing ones are filled."
        )
