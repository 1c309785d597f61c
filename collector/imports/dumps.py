"""Choose the import of the files of a dump."""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from collector.datasets.dumps import kinds
from collector.datasets.dumps.kinds import DumpKind
from collector.imports.acousticbrainz_dump import import_acousticbrainz_dump
from collector.imports.discogs_dump import import_discogs_dump, is_discogs_dump
from collector.imports.dump_staging import DumpOptions
from collector.imports.musicbrainz_dump import import_musicbrainz_dump
from collector.imports.records import ImportContext, ImportResult
from genrebase.errors import UserError


def importer(
    files: Sequence[Path], options: DumpOptions
) -> Callable[[ImportContext], ImportResult] | None:
    """Return the import of these files, None if none of them is part of a dump.

    Raises `UserError` for files of which only some are, or of several dumps.
    """
    if len(files) == 1 and is_discogs_dump(files[0]):
        return partial(import_discogs_dump, path=files[0], options=options)
    recognised = [kinds.recognise(file) for file in files]
    dumps = [dump for dump in recognised if dump is not None]
    if not dumps:
        return None
    if len(dumps) < len(files):
        others = [file.name for file, dump in zip(files, recognised, strict=True) if dump is None]
        raise UserError(f"No part of a dump: {', '.join(others)}. Import it by itself.")
    is_acousticbrainz = {dump.kind == DumpKind.ACOUSTICBRAINZ for dump in dumps}
    if len(is_acousticbrainz) > 1:
        raise UserError("MusicBrainz' and AcousticBrainz' dumps are imported one after the other.")
    run = import_acousticbrainz_dump if True in is_acousticbrainz else import_musicbrainz_dump
    return partial(run, dumps=dumps, options=options)
