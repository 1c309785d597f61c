"""The staging file of a dump's import: its path, and loading archives into it."""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar, Final

from collector.datasets import reader
from collector.datasets.dumps import archive
from collector.datasets.dumps.archive import DumpArchive
from collector.datasets.dumps.kinds import Dump
from collector.datasets.dumps.staging import StagingFile
from collector.datasets.formats.table import DamagedFile, NotADataset
from collector.imports.pipeline import batches
from collector.imports.records import ImportContext, ImportResult
from genrebase.audio.scan import display_path
from genrebase.errors import UserError
from genrebase.progress import ProgressCallback

_HASH: Final = "sha256 of "
_FILES: Final = "files"
_PREFIX: Final = "genrebase-import-"
_MIB: Final = 20
"""Bits by which bytes are shifted for MiB."""


@dataclass(frozen=True, slots=True)
class DumpOptions:
    """How the archives of a dump are imported."""

    work_dir: Path | None = None
    """The folder of the staging file; None: the default."""
    all_genres: bool = False
    """Whether every genre of MusicBrainz' list is collected, not only those in the database."""
    stored_only: bool = False
    """Whether only tracks of Discogs' dump are recorded that are stored already."""
    load_rows: int = 50_000
    """Rows of one transaction of the staging file."""
    batch_rows: int = 5_000
    """Recordings of one transaction of the database."""

    def given(self) -> dict[str, Any]:
        """Return the options that are part of an import's identity."""
        given = {"all_genres": self.all_genres, "stored_only": self.stored_only}
        return {name: True for name, is_given in given.items() if is_given}


class ImportInterrupted(Exception):
    """A stop was requested while an archive was read."""


@contextmanager
def open_staging(
    context: ImportContext, files: Sequence[Path], options: DumpOptions, tables: Sequence[str]
) -> Iterator[tuple[StagingFile, list[str]]]:
    """Open the staging file of these files' import, without rows of others; yield their SHA-256.

    It is in `options.work_dir`; by default in the folder of the SQLite database, or else of the
    first file. It is deleted where a file turns out to be damaged: the whole one is read from its
    beginning. Others in that folder are deleted if the files that they were made from are not
    there any more. Raises `NotADataset` if a list of checksums beside a file has another one.
    """
    engine = context.engine
    database = engine.url.database
    is_file = engine.dialect.name == "sqlite" and database not in (None, "", ":memory:")
    folder = options.work_dir or (Path(str(database)).parent if is_file else files[0].parent)
    if not folder.is_dir():
        raise UserError(f"There is no folder {folder}: create it first.")
    marks = [str(engine.url.set(password=None)), *options.given()]
    marks += [str(file.absolute()) for file in files]
    name = hashlib.sha256("\0".join(marks).encode("utf-8", "surrogateescape")).hexdigest()[:12]
    path = folder / f"{_PREFIX}{name}.tmp"
    _delete_stale(folder, path)
    with StagingFile.open(path, tables) as staging:
        try:
            hashes = [_file_hash(staging, file, context.progress) for file in files]
            joined = " ".join(hashes)
            if staging.fact(_FILES) not in (None, joined):
                staging.clear(tables)
            staging.note_fact(_FILES, joined)
            yield staging, hashes
        except (DamagedFile, NotADataset):
            staging.delete()
            raise


def _delete_stale(folder: Path, own: Path) -> None:
    """Delete the staging files that no import can continue from."""
    for path in folder.glob(f"{_PREFIX}*.tmp"):
        if path == own:
            continue
        with (
            suppress(UserError, OSError),  # in use, damaged or not to be written
            StagingFile.open(path, ()) as staging,
        ):
            states = staging.facts(_HASH)
            if not states or not all(_is_there(Path(at), one) for at, one in states.items()):
                staging.delete()


def _is_there(path: Path, noted: str) -> bool:
    """Return whether a file has the size and time that were noted with its hash."""
    try:
        return noted.startswith(_state(path))
    except OSError:
        return False


def _state(path: Path) -> str:
    status = path.stat()
    return f"{status.st_size} {status.st_mtime_ns} "


def kept_or_deleted(staging: StagingFile, result: ImportResult) -> ImportResult:
    """Delete the staging file after an import; name it in the result of one that was stopped."""
    if result.stopped == "interrupted":
        return replace(result, kept_file=str(staging.path))
    staging.delete()
    return result


def combined_hash(hashes: Sequence[str], options: DumpOptions) -> str:
    """Return the hash that identifies this import of the files."""
    return hashlib.sha256("+".join([*hashes, *options.given()]).encode()).hexdigest()


def _file_hash(staging: StagingFile, path: Path, progress: ProgressCallback) -> str:
    """Return a file's SHA-256; that of one with the noted size and time is not computed again."""
    fact = f"{_HASH}{path.absolute()}"
    state = _state(path)
    noted = staging.fact(fact) or ""
    if noted.startswith(state):
        return noted.removeprefix(state)

    def report(done: int) -> None:
        if done >> _MIB:  # nothing for less, which takes no time
            progress(done >> _MIB, note=f"MiB of {path.name} checked")

    digest = reader.fingerprint(path, progress=report)
    published = archive.published_sha256(path)
    if published not in (None, digest):
        raise NotADataset(
            f"{path} has not the SHA-256 that the list beside it gives: download it again."
        )
    staging.note_fact(fact, state + digest)
    return digest


class DumpImport:
    """An import of the archives of a dump, whose rows are loaded into a staging file."""

    loaded_share: ClassVar[float]
    """The share of the work that is done once the archives are read."""

    def __init__(
        self,
        context: ImportContext,
        staging: StagingFile,
        hashes: Sequence[str],
        dumps: Sequence[Dump],
        options: DumpOptions,
    ) -> None:
        """Load the archives, which have these hashes, into a staging file."""
        self._context, self._engine = context, context.engine
        self._staging, self._hashes = staging, hashes
        self._dumps, self._options = dumps, options
        self._rows = 0
        """Rows of the archives that were read in this run."""

    def _name(self) -> str:
        """Return the files' names, as `imported_file` records them."""
        return " + ".join(display_path(Path(dump.path.name)) for dump in self._dumps)

    def _load_all(self) -> None:
        """Load the archives; raise `ImportInterrupted`."""
        sizes = [dump.path.stat().st_size for dump in self._dumps]
        before = 0
        for dump, file, size in zip(self._dumps, self._hashes, sizes, strict=True):
            archive = DumpArchive(dump.path)
            for note, read in self._load(dump, archive, file):
                self._rows += read
                share = (before + size * archive.progress()) / sum(sizes)
                fraction = self.loaded_share * share
                self._context.progress(self._rows, note=note, fraction=fraction)
                if self._context.stop_requested():
                    raise ImportInterrupted
            before += size

    def _load(self, dump: Dump, archive: DumpArchive, file: str) -> Iterator[tuple[str, int]]:
        """Load the rows of an archive that are not loaded yet.

        Yields a note on what is read, and the number of rows of each batch that is committed.
        """
        raise NotImplementedError

    def _load_rows(
        self, file: str, part: str, insert: str, rows: Iterable[Sequence[Any]]
    ) -> Iterator[int]:
        """Insert the rows of a part of a file, without those that are already loaded.

        Yields the number of rows of each batch, once it is committed.
        """
        for batch in batches(rows, self._options.load_rows):
            self._staging.load(file, part, insert, batch, len(batch))
            yield len(batch)
        self._staging.mark_loaded(file, part)

    def interrupted_result(self) -> ImportResult:
        """Return the result of an import that was stopped while the archives were read."""
        return ImportResult(
            rows=self._rows,
            stopped="interrupted",
            dry_run=self._context.dry_run,
            kept_file=str(self._staging.path),
        )
