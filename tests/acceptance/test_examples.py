"""Every example of every help text runs as printed, on a small sandbox and a small dataset."""

import csv
import random
import shlex
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from benchmarks.synthetic_dumps import AcousticBrainzDump, MusicBrainzDump
from classifier.cli import app as classifier_app
from collector.cli import app as collector_app
from collector.commands import import_audio
from genrebase.cli import app as genrebase_app
from genrebase.errors import CommandInterrupted
from genrebase.runtime import shutdown
from genrebase.runtime.shutdown import StopSignal
from sandbox import command as sandbox_command
from sandbox.application import SandboxOptions
from sandbox.server import serve_in_thread
from sandbox.tracks.catalogue import SandboxCatalogue
from sandbox.tracks.catalogue_file import CatalogueTable
from tests import synthetic_audio
from tests.every_command import every_command
from tests.sandbox_client import COLUMNS
from web import server as web_server

PROGRAMS = {"genrebase": genrebase_app, "collector": collector_app, "classifier": classifier_app}
EXAMPLES = {example: name for name, one in every_command().items() for example in one.examples}
GENRES = {"rock": 0.8, "pop": 0.6, "jazz": 0.3}
"""The genres of the dataset, with the mean of their energy."""

RUN_ELSEWHERE = {
    "genrebase run": "tests/acceptance/test_run.py",
    "genrebase demo": "tests/acceptance/test_demo.py",
}
"""Commands that start others and take minutes; those tests run them as processes."""

ON_THE_SANDBOX = {
    "genrebase doctor",
    *("collector harvest", "collector enrich", "collector analyse", "collector add"),
    *("collector run", "collector forget", "collector listen"),
}
"""Commands that make requests; the others run on the dataset."""

SETTINGS = {
    "collector listen": {"COLLECTOR_SOURCES": "internetarchive"},
    "genrebase matrices": {"STORE_MATRIX_FOLDER": "matrices"},
}
"""What the reader of such an example has set."""

NEEDS_A_MODEL = {
    "classifier predict", "classifier models", "classifier promote", "classifier pin",
    "classifier unpin", "classifier prune", "classifier card", "classifier explain",
    "classifier separability", "classifier run", "classifier status", "classifier annotate-next",
}  # fmt: skip

BEFORE = {
    "collector genres target": ('collector genres add "hip hop" --target 1000',),
    "collector genres pause": ('collector genres add "hip hop" --target 1000',),
    "collector genres resume": ('collector genres add "hip hop" --target 1000',),
    "collector genres rename": ('collector genres add "hip hop" --target 1000',),
    "collector genres merge": (
        "collector genres add hip-hop --target 1000",
        "collector genres add hiphop --target 1000",
    ),
    "collector genres remove": ("collector genres add polka --target 9",),
    "collector analyse": ("collector harvest --max-requests 2",),
    "collector enrich": ("collector harvest --max-requests 2",),
    "collector listen": ("collector harvest --max-requests 2",),
    "collector import acousticbrainz-lowlevel-features-*.tar.zst": (
        "collector import mbdump.tar.bz2 mbdump-derived.tar.bz2",
    ),
    "collector genres merges --mapping merged": ("collector import also.csv",),
    "classifier verdicts": ("collector label 1 pop --by Ann",),
    "classifier match": ("classifier match --all",),
    "classifier promote": ("classifier train --estimator dummy", "classifier promote 2"),
}
"""What the reader of such an example, or of one of such a command, has done before."""


def expanded(argument: str) -> list[str]:
    """Return the files that a shell names for a pattern, else the argument."""
    return (sorted(map(str, Path().glob(argument))) if "*" in argument else []) or [argument]


def invoke(line: str, *more: str) -> Any:
    program, *words = shlex.split(line, comments=True)
    arguments = [argument for word in words for argument in expanded(word)]
    return CliRunner().invoke(PROGRAMS[program], [*arguments, *more])


def succeed(line: str, *more: str) -> None:
    result = invoke(line, *more)
    assert result.exit_code == 0, f"{line}: {result.output} {result.exception!r}"


def write_dataset(file: Path, rows: int = 240) -> None:
    chance = random.Random(1)
    with file.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        writer.writerow(
            [
                "track_name",
                "artists",
                "genre",
                "energy",
                "acousticness",
                "Tempo (BPM)",
                "length",
                "year",
            ]
        )
        for number in range(rows):
            genre = list(GENRES)[number % 3]
            energy = min(1, max(0, chance.gauss(GENRES[genre], 0.15)))
            writer.writerow(
                [
                    *(f"Love {number}", f"Artist {number // 4}", genre, f"{energy:.3f}"),
                    *(
                        f"{1 - energy:.3f}",
                        f"{chance.uniform(80, 160):.1f}",
                        180 + number,
                        1980 + number % 40,
                    ),
                ]
            )


def catalogue() -> SandboxCatalogue:
    shared = ("Album", "1999-06-15", "", "False", "200000", "50", "0.5", "120.25", "4", "rock")
    tracks = ["3n3Ppam7vgaVa1iaRUc9Lp", *(f"A{number:021}" for number in range(60))]
    rows = [
        (track, f"Rock {number}", f"Artist {number % 7}", *shared)
        for number, track in enumerate(tracks)
    ]
    return SandboxCatalogue(CatalogueTable(COLUMNS, rows, "small.csv", "0" * 64))


@pytest.fixture(scope="module")
def sandbox_url() -> Iterator[str]:
    with serve_in_thread(catalogue(), SandboxOptions(mode="extended")) as running:
        yield running.url


@contextmanager
def settings(folder: Path, url: str) -> Iterator[pytest.MonkeyPatch]:
    values = {
        "SPOTIPY_CLIENT_ID": "an-id",
        "SPOTIPY_CLIENT_SECRET": "a-secret",
        "COLLECTOR_SANDBOX_URL": url,
        "COLLECTOR_RATE": "1000/1s",
        "COLLECTOR_MUSICBRAINZ_RATE": "1000/1s",
        "COLLECTOR_RECCOBEATS_RATE": "1000/1s",
        "COLLECTOR_ARCHIVE_RATE": "1000/1s",
        "COLLECTOR_DISCOGS_RATE": "1000/1s",
        "COLLECTOR_DOWNLOADS": str(folder / "downloads"),
        "CLASSIFIER_ESTIMATOR": "logistic",
        "CLASSIFIER_MIN_TRACKS": "10",
        "COLUMNS": "80",
    }
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        for name, value in values.items():
            patch.setenv(name, value)
        yield patch


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory, sandbox_url: str) -> Path:
    """Make three folders: the dataset, the same with a model, and the sandbox's."""
    folder = tmp_path_factory.mktemp("prepared")
    dataset = folder / "dataset"
    (dataset / "music" / "rock").mkdir(parents=True)
    synthetic_audio.write(dataset / "music" / "rock" / "a.wav", synthetic_audio.song(0, 1))
    write_dataset(dataset / "tracks.csv")
    header, *tracks = (dataset / "tracks.csv").read_text("utf-8").splitlines(keepends=True)
    also = [line.replace(",rock,", ",hard rock,") for line in tracks if ",rock," in line]
    (dataset / "also.csv").write_text("".join([header, *also]), encoding="utf-8")
    MusicBrainzDump(600).write(dataset)
    AcousticBrainzDump(900, 600).write(dataset)
    (dataset / "genres.txt").write_text("ska\npolka\n", encoding="utf-8")
    (dataset / "groups.csv").write_text("fine,broad\nrock,loud\n", encoding="utf-8")
    with settings(dataset, sandbox_url):
        succeed("genrebase migrate")
        succeed("collector import tracks.csv")
    shutil.copytree(dataset, folder / "model")
    with settings(folder / "model", sandbox_url):
        succeed("classifier train")
    (folder / "sandbox").mkdir()
    with settings(folder / "sandbox", sandbox_url):
        succeed("genrebase migrate")
        succeed("collector genres add rock --target 50")
    return folder


def stop_at_once(patch: pytest.MonkeyPatch) -> None:
    """Make every command behave as if Ctrl-C came at its start."""

    @contextmanager
    def stopped(*_calls: Any, **_options: Any) -> Iterator[StopSignal]:
        stop = StopSignal()
        stop.request()
        yield stop

    patch.setattr(shutdown, "stop_on_signals", stopped)
    patch.setattr(sandbox_command, "stop_on_signals", stopped)
    patch.setattr(import_audio, "stop_on_signals", stopped)
    patch.setattr(web_server, "stop_on_signals", stopped)


@pytest.mark.parametrize("example", EXAMPLES)
def test_the_example_runs(example: str, prepared: Path, tmp_path: Path, sandbox_url: str) -> None:
    """It ends with exit code 0; a daemon starts, and stops when it is asked to."""
    name = EXAMPLES[example]
    if name in RUN_ELSEWHERE:
        assert (Path(__file__).parents[2] / RUN_ELSEWHERE[name]).exists()
        return  # tests/contracts/test_command_lines.py parses it
    kind = "sandbox" if name in ON_THE_SANDBOX else "model" if name in NEEDS_A_MODEL else "dataset"
    folder = tmp_path / "folder"
    shutil.copytree(prepared / kind, folder)
    with settings(folder, sandbox_url) as patch:
        for variable, value in SETTINGS.get(name, {}).items():
            patch.setenv(variable, value)
        for line in (*BEFORE.get(name, ()), *BEFORE.get(example, ())):
            succeed(line)
        if name in {"collector run", "classifier run", "collector sandbox", "genrebase serve"}:
            stop_at_once(patch)
        succeed(example, *(["--port", "0"] if "--port" in example else []))


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        ("collector import more.csv", "dataset"),
        ("collector import-audio music", "dataset"),
        ("collector harvest", "sandbox"),
        ("collector enrich", "sandbox"),
        ("collector add 3n3Ppam7vgaVa1iaRUc9Lp", "sandbox"),
        ("collector analyse", "sandbox"),
    ],
)
def test_ctrl_c_ends_a_command_with_130(
    line: str, kind: str, prepared: Path, tmp_path: Path, sandbox_url: str
) -> None:
    """Each says that the same command continues."""
    folder = tmp_path / "folder"
    shutil.copytree(prepared / kind, folder)
    with settings(folder, sandbox_url) as patch:
        write_dataset(folder / "more.csv", rows=250)
        for before in BEFORE.get(" ".join(line.split()[:2]), ()):
            succeed(before)
        stop_at_once(patch)
        error = invoke(line).exception
    assert isinstance(error, CommandInterrupted)
    assert error.exit_code == 130
    assert str(error).startswith("Stopped")
