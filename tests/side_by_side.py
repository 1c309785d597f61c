"""Commands that run side by side on one database, each kind in a process of its own.

    python -m tests.side_by_side SECONDS FOLDER

repeats each actor's commands on the database at `STORE_URL` and writes their tallies as JSON. It
imports what they need once, and then forks a process for each.
"""

import csv
import io
import json
import multiprocessing
import random
import subprocess
import sys
import traceback
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import redirect_stderr, redirect_stdout, suppress
from dataclasses import asdict, dataclass, field
from itertools import count
from pathlib import Path
from typing import Any, Final

from sqlalchemy import select

from collector.cli import app as collector
from collector.curation import genres
from genrebase.cli import app as genrebase
from genrebase.errors import GenrebaseError
from genrebase.launcher.sandbox import client_environment
from genrebase.runtime.clock import SystemClock
from genrebase.settings import child_environment
from genrebase.store import connect, tables
from genrebase.store.engine import read_transaction
from genrebase.store.settings import StoreSettings
from sandbox.application import SandboxOptions
from sandbox.server import serve_in_thread
from sandbox.tracks import catalogue_file
from sandbox.tracks.catalogue import SandboxCatalogue
from tests.consistency import assert_consistent

GENRES: Final = ("rock", "jazz", "folk", "soul")
"""The genres of the source; others are made from them."""
ROWS: Final = 150
RATE: Final = "200/1s"
PERSON: Final = "somebody"

Command = tuple[str, ...]
Actor = Callable[[Path, random.Random], Iterator[Command]]


@dataclass
class Tally:
    """What became of an actor's commands."""

    done: int = 0
    refused: dict[str, int] = field(default_factory=dict)
    """How often each sentence ended a command, without its numbers and names."""
    tracebacks: list[str] = field(default_factory=list)


def import_files(folder: Path, choose: random.Random) -> Iterator[Command]:
    """Import tables that share half of their tracks with the source and each other."""
    for number in count():
        file = folder / f"table-{number % 6}.csv"
        with file.open("w", encoding="utf-8", newline="") as text:
            writer = csv.writer(text)
            writer.writerow(("track_id", "title", "artist", "duration_ms", "genre", "energy"))
            for _ in range(120):
                owner, track = choose.randrange(len(GENRES)), choose.randrange(2 * ROWS)
                title, artist = f"Song {owner} {track}", f"Band {track % 40}"
                genre, energy = choose.choice((*GENRES, "new")), choose.random()
                row = (f"row{owner}-{track}", title, artist, 200_000, genre, energy)
                writer.writerow(row)
        yield "collector", "import", str(file)


def undo_imports(_folder: Path, choose: random.Random) -> Iterator[Command]:
    """Undo imports, the running ones among them."""
    for _ in count():
        yield "collector", "imports", "undo", str(_any_id(choose, tables.imported_file))


def harvest(_folder: Path, _choose: random.Random) -> Iterator[Command]:
    """Harvest beside the daemons."""
    for _ in count():
        yield "collector", "harvest", "--max-requests", "20"


def enrich(_folder: Path, _choose: random.Random) -> Iterator[Command]:
    """Request features beside the daemons."""
    for _ in count():
        yield "collector", "enrich", "--max-requests", "20"


def label(_folder: Path, choose: random.Random) -> Iterator[Command]:
    """Add and remove verdicts."""
    for _ in count():
        track = str(_any_id(choose, tables.track))
        if choose.random() < 0.7:
            yield "collector", "label", track, choose.choice(GENRES), "--by", PERSON
        else:
            yield "collector", "label", track, "--remove"


def edit_genres(_folder: Path, choose: random.Random) -> Iterator[Command]:
    """Add, rename, merge and remove genres while they are harvested."""
    for number in count():
        name, target = choose.choice((*GENRES, "new", "newer")), str(choose.randrange(50, 400))
        yield (
            ("collector", "genres", "add", name, "--target", target),
            ("collector", "genres", "rename", name, f"{name} {number}"),
            ("collector", "genres", "merge", f"{name} {number - 1}", choose.choice(GENRES)),
            ("collector", "genres", "merge", name, choose.choice((*GENRES, "newer"))),
            ("collector", "genres", "remove", name, "--force"),
            ("collector", "genres", "target", name, "none"),
        )[choose.choices(range(6), (6, 2, 2, 2, 3, 1))[0]]


def forget(_folder: Path, choose: random.Random) -> Iterator[Command]:
    """Forget what files or the source delivered."""
    for number in count():
        origin = "spotify" if number % 9 == 5 else f"csv:table-{choose.randrange(6)}.csv"
        yield "collector", "forget", "--origin", origin, "--older-than", "0h"
        SystemClock().sleep(0.5)  # so that the others have rows to work on


def back_up(folder: Path, _choose: random.Random) -> Iterator[Command]:
    """Save the database, each time to a new file."""
    for number in count():
        file = folder / f"backup-{number}.db"
        yield "genrebase", "backup", str(file)
        file.unlink(missing_ok=True)


def copy(folder: Path, _choose: random.Random) -> Iterator[Command]:
    """Copy the database into one SQLite file, again and again."""
    for _ in count():
        yield "genrebase", "copy", StoreSettings.load().url, f"sqlite:///{folder / 'copy.db'}"


ACTORS: Final[Mapping[str, Actor]] = {
    one.__name__: one
    for one in (
        import_files,
        undo_imports,
        harvest,
        enrich,
        label,
        edit_genres,
        forget,
        back_up,
        copy,
    )
}


def act(actor: str, seconds: float, folder: Path) -> Tally:
    """Run an actor's commands for so many seconds, and at least one."""
    clock, tally, choose = SystemClock(), Tally(), random.Random(actor)
    deadline = clock.monotonic() + seconds
    apps = {"collector": collector, "genrebase": genrebase}
    refused: Counter[str] = Counter()
    for program, *arguments in ACTORS[actor](folder, choose):
        output = io.StringIO()
        try:
            with redirect_stdout(output), redirect_stderr(output):
                apps[program](arguments, standalone_mode=False)
            tally.done += 1
        except GenrebaseError as error:
            refused[_kind(str(error))] += 1
        except SystemExit:
            refused[_kind(output.getvalue())] += 1
        except Exception:  # noqa: BLE001 - reported
            tally.tracebacks.append(f"{program} {arguments}\n{traceback.format_exc()}")
        if clock.monotonic() >= deadline:
            break
    tally.refused.update(refused)
    return tally


def _kind(sentence: str) -> str:
    return "".join("#" if letter.isdigit() else letter for letter in sentence)[:160]


def _any_id(choose: random.Random, table: Any) -> int:
    engine = connect()
    try:
        with read_transaction(engine) as connection:
            return choose.choice(connection.scalars(select(table.c.id)).all() or [1])
    finally:
        engine.dispose()


@dataclass
class Outcome:
    """How a run side by side ended."""

    tallies: dict[str, Tally]
    daemons: list[int]
    """Exit codes of the daemons."""
    log: str
    """What the daemons logged."""


def play(url: str, folder: Path, seconds: float, daemons: int = 2) -> Outcome:
    """Run all actors and some daemons on a database for so many seconds; end them all."""
    behaviour = SandboxOptions(mode="extended")
    with serve_in_thread(_catalogue(folder), behaviour) as running:
        environment = child_environment(
            STORE_URL=url,
            COLLECTOR_RATE=RATE,
            COLLECTOR_RECCOBEATS_RATE=RATE,
            COLLECTOR_INTERVAL="1",
            GENREBASE_LOG_LEVEL="INFO",
            **client_environment(running.url),
        )
        engine = connect(url)
        for genre in GENRES:
            genres.add(engine, SystemClock(), genre, 300)
        engine.dispose()
        return _run(environment, folder, seconds, daemons)


def _run(environment: Mapping[str, str], folder: Path, seconds: float, daemons: int) -> Outcome:
    log = folder / "daemons.log"
    with log.open("w", encoding="utf-8") as output:
        working = [
            subprocess.Popen(
                [sys.executable, "-m", "collector", "run", "--json"],
                env=environment,
                stdout=output,
                stderr=output,
            )
            for _ in range(daemons)
        ]
        try:
            acting = subprocess.run(
                [sys.executable, "-m", "tests.side_by_side", str(seconds), str(folder)],
                env=environment,
                stdout=subprocess.PIPE,
                text=True,
                check=True,
            )
        finally:
            for process in working:
                with suppress(ProcessLookupError):
                    process.terminate()
        codes = [process.wait() for process in working]
    tallies = {name: Tally(**fields) for name, fields in json.loads(acting.stdout).items()}
    return Outcome(tallies, codes, log.read_text(encoding="utf-8"))


def _catalogue(folder: Path) -> SandboxCatalogue:
    """Return genres that share a fifth of their tracks."""
    path = folder / "catalogue.csv"
    lines = ["track_id,track_name,artists,release_date,duration_ms,track_genre"]
    for at, genre in enumerate(GENRES):
        for row in range(ROWS):
            owner = (at + 1) % len(GENRES) if row % 5 == 0 else at
            source_id, names = (
                f"{owner:02}{row:04}{'A' * 16}",
                f"Song {owner} {row},Band {row % 40}",
            )
            lines.append(f"{source_id},{names},2001,200000,{genre}")
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return SandboxCatalogue(catalogue_file.read_table(path))


def check(url: str) -> None:
    """Compare everything that is stored although it could be derived."""
    engine = connect(url)
    with read_transaction(engine) as connection:
        assert_consistent(connection)
        alias, track, artist = tables.track_alias.c, tables.track.c, tables.artist.c
        credit, run = tables.track_artist.c, tables.job_run.c
        without_alias = select(track.id).where(track.id.not_in(select(alias.track_id)))
        orphans = select(artist.id).where(artist.id.not_in(select(credit.artist_id)))
        running = select(run.job).where(run.outcome == "running")
        leased = select(tables.shard.c.id).where(tables.shard.c.lease_owner.is_not(None))
        for query in (without_alias, orphans, running, leased):
            assert connection.scalars(query).all() == [], query
        if connection.dialect.name == "sqlite":
            assert connection.exec_driver_sql("PRAGMA foreign_key_check").all() == []
            assert connection.exec_driver_sql("PRAGMA integrity_check").scalars().all() == ["ok"]
    engine.dispose()


def _act_and_write(actor: str, seconds: float, folder: Path) -> None:
    tally = act(actor, seconds, folder)
    (folder / f"{actor}.json").write_text(json.dumps(asdict(tally)), encoding="utf-8")


def main(arguments: Sequence[str]) -> None:
    seconds, folder = float(arguments[0]), Path(arguments[1])
    fork = multiprocessing.get_context("fork")
    actors = [fork.Process(target=_act_and_write, args=(name, seconds, folder)) for name in ACTORS]
    for actor in actors:
        actor.start()
    for actor in actors:
        actor.join()
    tallies = {name: json.loads((folder / f"{name}.json").read_text("utf-8")) for name in ACTORS}
    sys.stdout.write(json.dumps(tallies))


if __name__ == "__main__":
    main(sys.argv[1:])
