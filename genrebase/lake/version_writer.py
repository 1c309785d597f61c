"""Write the parts of one version of a lake; parts of earlier versions are linked, not written."""

import json
import os
import shutil
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from threading import Lock
from typing import Final

import pyarrow as pa

from genrebase.lake.parts import LakePart, file_name, hash_of_rows, write_parquet

FORMAT: Final = 1
"""Of the manifest, the journal and the files; parts of another format are not used."""
JOURNAL: Final = ".journal"
"""The format, and the finished parts, of a version that is being written, one a line."""
_FORMAT_LINE: Final = json.dumps({"format": FORMAT})


@dataclass(frozen=True, slots=True)
class EarlierParts:
    """The parts of another version."""

    folder: Path
    parts: Sequence[LakePart]
    is_complete: bool
    """Whether no part of it is missing."""

    def path(self, part: LakePart) -> Path:
        """Return the file of a part."""
        return self.folder / part.relation / part.file


class VersionWriter:
    """The folder of a version that is being written. Several threads may write parts."""

    def __init__(self, folder: Path, earlier: Iterable[EarlierParts] = ()) -> None:
        """Write into `folder`, and link the files of `earlier` versions that are equal."""
        self.folder = folder
        self.written = 0
        """Files that were written, and not linked."""
        self._by_inputs: dict[tuple[str, str], list[tuple[EarlierParts, LakePart]]]
        self._by_inputs = defaultdict(list)
        self._by_file: dict[tuple[str, str], Path] = {}
        self._lock = Lock()
        for version in earlier:
            for part in version.parts:
                self._by_inputs[part.relation, part.inputs].append((version, part))
                self._by_file[part.relation, part.file] = version.path(part)

    def reuse(self, relation: str, number: int | None, inputs: str) -> list[LakePart]:
        """Link the part of a range, or all of a relation, that were made from the same inputs.

        Return what was linked: nothing if not all parts of it exist.
        """
        linked: dict[int, LakePart] = {}
        for version, part in self._by_inputs.get((relation, inputs), ()):
            fits = version.is_complete if number is None else part.number == number
            if fits and part.number not in linked:
                if not self._link(version.path(part), relation):
                    return []
                linked[part.number] = part
        return [self._record(part) for part in linked.values()]

    def write(
        self, relation: str, number: int, rows: pa.Table, inputs: str | None = None
    ) -> LakePart:
        """Write rows, or link the file that has them; `inputs` defaults to the rows' hash."""
        rows_hash = hash_of_rows(rows)
        name = file_name(number, rows_hash)
        file = self.folder / relation / name
        existing = self._by_file.get((relation, name))
        if existing is None or not self._link(existing, relation):
            file.parent.mkdir(exist_ok=True)
            write_parquet(rows, file)
            with self._lock:
                self.written += 1
        size = file.stat().st_size
        return self._record(
            LakePart(relation, number, inputs or rows_hash, name, rows.num_rows, size)
        )

    def _record(self, part: LakePart) -> LakePart:
        line = json.dumps(asdict(part)) + "\n"
        with self._lock, (self.folder / JOURNAL).open("a", encoding="utf-8") as journal:
            journal.write(line)
        return part

    def _link(self, path: Path, relation: str) -> bool:
        """Link an earlier file into this version; return whether it exists."""
        target = self.folder / relation / path.name
        target.parent.mkdir(exist_ok=True)
        try:
            os.link(path, target)
        except FileExistsError:
            return True
        except FileNotFoundError:
            return False
        except OSError:  # a file system without hard links
            shutil.copyfile(path, target.with_name(f".{target.name}"))
            target.with_name(f".{target.name}").replace(target)
        return True


def begin_journal(folder: Path) -> None:
    """Begin the journal of a version."""
    (folder / JOURNAL).write_text(f"{_FORMAT_LINE}\n", encoding="utf-8")


def read_journal(folder: Path) -> Iterator[LakePart]:
    """Yield the parts that an interrupted run finished; none of another format."""
    try:
        first, *lines = (folder / JOURNAL).read_text("utf-8").splitlines() or [""]
    except FileNotFoundError:
        return
    if first != _FORMAT_LINE:
        return
    for line in lines:
        with suppress(ValueError, TypeError):  # the last line may be cut off
            yield LakePart(**json.loads(line))
