"""Licences of imported files: of the file, of a row, of what several files delivered."""

import itertools
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, select
from typer.testing import CliRunner

from collector.catalogue import track_merging
from collector.cli import app
from collector.curation import imports
from collector.curation import licences as curation
from collector.imports.records import ImportResult
from genrebase.errors import UserError
from genrebase.store import tables, views
from genrebase.store.engine import read_transaction, transaction
from tests import factories as make
from tests.consistency import assert_consistent
from tests.fakes import NOON, FakeClock
from tests.import_runs import run_dataset

HEADER = "title,artist,genre,energy,tempo,license_url"
CC_BY = "https://creativecommons.org/licenses/by/4.0/"
Call = Callable[..., Any]


def write(path: Path, *rows: str, header: str = HEADER) -> Path:
    path.parent.mkdir(exist_ok=True)
    path.write_text("\n".join((header, *rows)) + "\n", encoding="utf-8")
    return path


def run(engine: Engine, path: Path, licence: str | None = None) -> ImportResult:
    result = run_dataset(engine, path, licence=licence)
    with read_transaction(engine) as connection:
        assert_consistent(connection)
    return result


def labels(engine: Engine) -> set[tuple[str, str, str]]:
    """Return title, source and licence of every label."""
    view, track = views.track_genre_sources.c, tables.track.c
    query = select(track.title, view.source, view.licence).where(track.id == view.track_id)
    with read_transaction(engine) as connection:
        return {tuple(row) for row in connection.execute(query)}


def features(engine: Engine) -> dict[str, str | None]:
    """Return the stored licence of every track's features."""
    features_, track = tables.audio_features.c, tables.track.c
    query = select(track.title, features_.licence).where(track.id == features_.track_id)
    with read_transaction(engine) as connection:
        return dict(map(tuple, connection.execute(query)))


def descriptors(engine: Engine) -> dict[str, set[str]]:
    """Return the licences of every descriptor set."""
    view = views.track_descriptors.c
    found: dict[str, set[str]] = {}
    with read_transaction(engine) as connection:
        for schema, licence in connection.execute(select(view.schema, view.licence)):
            found.setdefault(schema, set()).add(licence)
    return found


def sources(engine: Engine) -> dict[str, str]:
    return {one.name: one.licence for one in curation.list_sources(engine)}


def test_a_file_has_one_licence_and_its_rows_their_own(engine: Engine, tmp_path: Path) -> None:
    """A row's own licence counts; one that cannot be read is unknown, and counted."""
    rows = (f"One,Ann,rock,0.5,120,{CC_BY}", "Two,Bob,rock,0.5,120,", "Three,Cy,rock,0.5,120,mine")
    result = run(engine, write(tmp_path / "a.csv", *rows), "cc0")
    assert result.unreadable == {"license_url": 1}
    assert result.columns["licence"] == "license_url"
    assert labels(engine) == {
        ("One", "csv:a.csv", "cc-by-4.0"),
        ("Two", "csv:a.csv", "cc0"),
        ("Three", "csv:a.csv", "unknown"),
    }
    assert features(engine) == {"One": "cc-by-4.0", "Two": "cc0", "Three": None}
    assert sources(engine) == {"csv": "unknown", "csv:a.csv": "cc0"}


def test_a_repeated_import_sets_the_licence_and_counts_nothing_twice(
    engine: Engine, tmp_path: Path
) -> None:
    """It is the same import: its rows are counted, its licence is the new one."""
    path = write(tmp_path / "a.csv", f"One,Ann,rock,0.5,120,{CC_BY}", "Two,Bob,rock,0.5,120,")
    first = run(engine, path)
    assert features(engine) == {"One": "cc-by-4.0", "Two": None}
    again = run(engine, path, "cc-by-nc-4.0")
    assert again.import_id == first.import_id
    assert features(engine) == {"One": "cc-by-4.0", "Two": "cc-by-nc-4.0"}
    with read_transaction(engine) as connection:
        assert set(connection.scalars(select(tables.sighting.c.times))) == {1}
    [listed] = imports.list_imports(engine)
    assert (listed.licence, listed.options) == ("cc-by-nc-4.0", {"licence": "cc-by-nc-4.0"})


@pytest.mark.parametrize("order", list(itertools.permutations(("a.csv", "b.csv", "c.csv"))))
def test_features_of_several_files_have_the_strictest_licence(
    engine: Engine, tmp_path: Path, order: tuple[str, ...]
) -> None:
    """Whichever file comes first; an undo leaves that of the others."""
    files = {
        "a.csv": ("One,Ann,rock,0.5,,", "cc0"),
        "b.csv": ("One,Ann,rock,,120,", "cc-by-nc-4.0"),
        "c.csv": ("One,Ann,jazz,,120,", None),
    }
    ids = {}
    for name in order[:2]:
        row, licence = files[name]
        ids[name] = run(engine, write(tmp_path / name, row), licence).import_id
    given = {files[name][1] for name in order[:2]}
    expected = None if None in given else "cc-by-nc-4.0"
    assert features(engine) == {"One": expected}
    if "c.csv" in ids:
        curation.set_licence(engine, "csv:c.csv", "cc-by-3.0")
        stricter = "cc-by-nc-4.0" if "b.csv" in ids else "cc0"
        assert features(engine) == {"One": stricter}
    imports.undo(engine, FakeClock(), ids[order[0]])
    left = {"a.csv": "cc0", "b.csv": "cc-by-nc-4.0", "c.csv": "cc-by-3.0"}[order[1]]
    assert features(engine) == {"One": left}
    assert sources(engine) == {"csv": "unknown", f"csv:{order[1]}": left}


@pytest.mark.parametrize("given", [(None, "cc-by-nd-4.0"), ("cc-by-nd-4.0", None)])
def test_features_stay_restricted_beside_an_unknown_licence(
    engine: Engine, tmp_path: Path, given: tuple[str | None, str | None]
) -> None:
    """What one file's licence forbids stays forbidden, whichever file comes first."""
    for name, licence in zip("ab", given, strict=True):
        run(engine, write(tmp_path / f"{name}.csv", "One,Ann,rock,0.5,120,"), licence)
    assert features(engine) == {"One": "cc-by-nd-4.0"}


def test_an_undo_withdraws_the_label_of_its_source_only(engine: Engine, tmp_path: Path) -> None:
    """The same genre from two files: the other's label stays as it was."""
    first = run(engine, write(tmp_path / "a.csv", "One,Ann,rock,,,"), "cc0").import_id
    run(engine, write(tmp_path / "b.csv", "One,Ann,rock,,,", "Two,Bob,jazz,,,"))
    assert first is not None
    imports.undo(engine, FakeClock(), first)
    assert labels(engine) == {
        ("One", "csv:b.csv", "unknown"),
        ("Two", "csv:b.csv", "unknown"),
    }
    assert sources(engine) == {"csv:b.csv": "unknown"}


def test_a_source_keeps_its_licence_while_another_import_of_it_is_left(
    engine: Engine, tmp_path: Path
) -> None:
    """Also where it delivered neither tracks nor labels first: only features of another's."""
    run(engine, write(tmp_path / "base.csv", "One,Ann,rock,,,"))
    first = run(engine, write(tmp_path / "a.csv", "One,Ann,,0.5,,"), "cc0").import_id
    second = run(engine, write(tmp_path / "a.csv", "One,Ann,,0.5,120,")).import_id
    assert first is not None
    assert second not in (None, first)
    imports.undo(engine, FakeClock(), second)
    assert sources(engine)["csv:a.csv"] == "cc0"
    assert features(engine) == {"One": "cc0"}
    imports.undo(engine, FakeClock(), first)
    assert "csv:a.csv" not in sources(engine)


@pytest.mark.parametrize(("licence", "expected"), [(None, None), ("cc-by-nc-4.0", "cc-by-nc-4.0")])
def test_features_keep_their_licence_when_their_track_is_merged(
    engine: Engine, tmp_path: Path, licence: str | None, expected: str | None
) -> None:
    """A file that delivers the same features later does not free them; an undo removes them."""
    run(engine, write(tmp_path / "base.csv", "Old,Ann,rock,,,"))
    first = run(engine, write(tmp_path / "a.csv", "Young,Ann,rock,0.5,,"), licence).import_id
    with transaction(engine) as connection:
        older, younger = connection.scalars(select(tables.track.c.id).order_by("id"))
        track_merging.merge_pairs(connection, [(older, younger)], "spotify", NOON)
    last = run(engine, write(tmp_path / "b.csv", "Old,Ann,rock,0.5,120,"), "cc0").import_id
    assert features(engine) == {"Old": expected}
    assert first is not None
    assert last is not None
    imports.undo(engine, FakeClock(), last)
    assert features(engine) == {"Old": expected}


def test_descriptors_have_the_licence_of_the_imports_that_delivered_them(
    engine: Engine, tmp_path: Path
) -> None:
    """Not that of another file's features; a licence that is set later counts."""
    header = ",".join(("filename", *(f"chroma_{number}" for number in range(9))))
    rows = [f"{name}.wav{',0.5' * 9}" for name in "abc"]
    path = tmp_path / "chroma.csv"
    run(engine, write(path, *rows, header=header), "cc-by-4.0")
    assert descriptors(engine) == {"chroma": {"cc-by-4.0"}}
    run(engine, write(path, *rows, f"d.wav{',0.5' * 9}", header=header))
    assert descriptors(engine) == {"chroma": {"cc-by-4.0"}}
    curation.set_licence(engine, "csv:chroma.csv", "cc-by-nc-4.0")
    with transaction(engine) as connection:
        for track in connection.scalars(select(tables.track.c.id)).all():
            make.add_features(connection, track, "csv", energy=0.5, licence="cc0")
    assert descriptors(engine) == {"chroma": {"cc-by-nc-4.0"}}


def test_descriptors_keep_their_licence_when_their_track_is_merged(
    engine: Engine, tmp_path: Path
) -> None:
    """They move to the track that is kept."""
    header = ",".join(("filename", *(f"chroma_{number}" for number in range(9))))
    run(engine, write(tmp_path / "base.csv", "Old,Ann,rock,,,"))
    run(engine, write(tmp_path / "chroma.csv", f"a.wav{',0.5' * 9}", header=header), "cc-by-4.0")
    with transaction(engine) as connection:
        older, younger = connection.scalars(select(tables.track.c.id).order_by("id"))
        track_merging.merge_pairs(connection, [(older, younger)], "spotify", NOON)
    assert descriptors(engine) == {"chroma": {"cc-by-4.0"}}


@pytest.fixture
def collector(sqlite_url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Call:
    """Run a command on an empty database; return its JSON document."""
    monkeypatch.setenv("STORE_URL", sqlite_url)
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "a.csv", "One,Ann,rock,0.5,120,")

    def call(*arguments: str) -> Any:
        result = CliRunner().invoke(app, [*arguments, "--json"])
        if result.exception is not None:
            raise result.exception
        return json.loads(result.stdout)

    return call


def test_the_commands_show_and_set_licences(collector: Call) -> None:
    """A licence is given as a name or an address."""
    collector("import", "a.csv", "--licence", "Attribution-NonCommercial 3.0")
    [listed] = collector("imports", "list")
    assert listed["licence"] == "cc-by-nc-3.0"
    changed = collector("sources", "licence", "csv:a.csv", CC_BY)
    expected = {
        "name": "csv:a.csv",
        "licence": "cc-by-4.0",
        "licence_class": "open",
        "tracks": 1,
        "labels": 1,
        "features": 0,
    }
    assert changed == expected
    [csv, stored] = collector("sources", "list")
    assert stored == expected
    assert collector("sources") == [csv, stored]
    assert collector("imports") == collector("imports", "list")
    with pytest.raises(UserError, match="after the name: list --json"):
        collector("sources", "--json", "list")
    assert (csv["name"], csv["features"]) == ("csv", 1)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("import", "a.csv", "--licence", "mine"), "'mine' is not a licence that has a name here"),
        (("sources", "licence", "csv:b.csv", "cc0"), "There is no source csv:b.csv"),
        (("sources", "licence", "spotify", "cc0"), "The licence of spotify is known: terms"),
    ],
)
def test_what_is_no_licence_or_source_is_refused(
    collector: Call, arguments: tuple[str, ...], sentence: str
) -> None:
    """The message says what can be given."""
    with pytest.raises(UserError, match=sentence):
        collector(*arguments)
