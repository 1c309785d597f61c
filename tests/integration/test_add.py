"""Tracks brought in by their ids, over HTTP against the sandbox, on both databases."""

import json
from contextlib import ExitStack
from pathlib import Path

import pytest
from pydantic import SecretStr
from sqlalchemy import Engine, select
from typer.testing import CliRunner

from collector import composition_root
from collector.cli import app
from collector.errors import CatalogueMismatch, TermsNotAccepted
from collector.imports.ids import AddResult, TrackAdder, parse_track_ids, spotify_tracks
from collector.rate_limits import Rate
from collector.records import RecordResult
from collector.settings import CollectorSettings
from genrebase.errors import GenrebaseError, UserError
from genrebase.store import tables, views
from genrebase.store.engine import make_engine, read_transaction, transaction
from sandbox.application import SandboxOptions
from sandbox.server import RunningSandbox, serve_in_thread
from sandbox.tracks.catalogue import SandboxCatalogue
from sandbox.tracks.catalogue_file import CatalogueTable
from tests.consistency import assert_consistent
from tests.fakes import FakeClock

COLUMNS = ("track_id", "track_name", "artists", "album_name", "duration_ms", "genre")
IDS = [f"{number:022d}" for number in range(60)]
UNKNOWN = "Z" * 22


@pytest.fixture(scope="module")
def catalogue() -> SandboxCatalogue:
    cells = [
        [source_id, f"Song {n}", "Band; Guest", "Album", "200000", "rock"]
        for n, source_id in enumerate(IDS)
    ]
    return SandboxCatalogue(CatalogueTable(COLUMNS, cells, "a test", "0" * 64))


@pytest.fixture
def serve(catalogue: SandboxCatalogue):
    with ExitStack() as running:

        def start(**behaviour: object) -> RunningSandbox:
            made = SandboxOptions(**{"mode": "development", **behaviour})  # type: ignore[arg-type]
            return running.enter_context(serve_in_thread(catalogue, made))

        yield start


def settings_for(running: RunningSandbox) -> CollectorSettings:
    return CollectorSettings(
        _env_file=None,
        spotify_client_id="an-id",
        spotify_client_secret=SecretStr("a-secret"),
        spotify_url=running.url,
        timeout=5.0,
    )


def add(engine: Engine, running: RunningSandbox, ids: list[str], **more: object) -> AddResult:
    clock, settings = FakeClock(), settings_for(running)
    _, budget = composition_root.open_source("spotify", engine, settings, clock)
    return TrackAdder(engine, spotify_tracks(settings, clock), budget, clock, **more).run(ids)  # type: ignore[arg-type]


def test_development_mode_requests_ids_one_by_one(engine: Engine, serve):
    """The closed endpoint is requested once; each id then costs one request."""
    running = serve()
    first = add(engine, running, [*IDS[:3], UNKNOWN])
    assert (first.recorded, first.not_found) == (RecordResult(tracks_new=3), [UNKNOWN])
    assert first.requests == 1 + 4
    second = add(engine, running, IDS[3:5])
    assert (second.recorded.tracks_new, second.requests) == (2, 2)
    with read_transaction(engine) as connection:
        rows = connection.execute(select(views.tracks).order_by(views.tracks.c.spotify_id)).all()
        assert_consistent(connection)
    assert [row.spotify_id for row in rows] == IDS[:5]
    assert {(row.artists, row.album, row.origin, row.label) for row in rows} == {
        ("Band; Guest", "Album", "spotify", None)
    }


def test_several_ids_are_one_call_where_that_is_open(engine: Engine, serve):
    """Fifty ids per request; an unknown one is reported and does not affect the others."""
    added = add(engine, serve(mode="extended"), [*IDS, UNKNOWN])
    assert (added.recorded.tracks_new, added.requests) == (60, 2)
    assert added.not_found == [UNKNOWN]


def test_stored_ids_cost_no_request(engine: Engine, serve):
    """Stored ids are counted and not requested."""
    running = serve(mode="extended")
    add(engine, running, IDS[:10])
    again = add(engine, running, IDS[:12])
    assert again.recorded == RecordResult(tracks_new=2, duplicates=10)
    assert (again.requests, again.processed, again.requested) == (1, 12, 12)


def test_a_ban_keeps_earlier_tracks(engine: Engine, serve):
    """Earlier responses are stored; the ban has its end."""
    running = serve(rate=Rate(3, 30.0), retry_after=900.0)
    added = add(engine, running, IDS[:6])
    assert added.stopped == "blocked"
    assert added.blocked is not None
    assert 0 < added.recorded.tracks_new < 6
    with read_transaction(engine) as connection:
        stored = connection.scalars(select(tables.track.c.id)).all()
    assert len(stored) == added.recorded.tracks_new


def test_a_stop_request_ends_between_two_requests(engine: Engine, serve):
    """A stop request ends the command before the next request."""
    stops = iter([False, False, True])  # the closed endpoint is requested first
    added = add(engine, serve(), IDS[:5], stop_requested=lambda: next(stops))
    assert added.stopped == "interrupted"
    assert added.recorded.tracks_new == 1


def test_synthetic_and_real_catalogues_are_not_mixed(engine: Engine, serve):
    """A database of another catalogue is refused before the first request."""
    with transaction(engine) as connection:
        row = {"kind": "spotify", "detail": "x", "recorded_at": FakeClock().now()}
        connection.execute(tables.catalogue_origin.insert().values(row))
    with pytest.raises(CatalogueMismatch):
        add(engine, serve(), IDS[:1])


def test_the_real_service_needs_its_terms(sqlite_engine: Engine):
    """Without accepted terms no request is made to Spotify."""
    settings = CollectorSettings(
        _env_file=None, spotify_client_id="an-id", spotify_client_secret=SecretStr("x")
    )
    with pytest.raises(TermsNotAccepted):
        composition_root.open_source("spotify", sqlite_engine, settings, FakeClock())


def test_ids_are_read_from_arguments_and_files(tmp_path: Path):
    """Ids, URIs and URLs, also from files, are read once each, in order, without comments."""
    file = tmp_path / "ids.txt"
    file.write_text(
        f"\ufeff# mine\n{IDS[2]}\n\nhttps://open.spotify.com/track/{IDS[3]}?si=x\n{IDS[0]}\n"
    )
    given = [IDS[0], f"spotify:track:{IDS[1]}", str(file)]
    assert parse_track_ids(given) == [IDS[0], IDS[1], IDS[2], IDS[3]]


@pytest.mark.parametrize("text", ["what?", "https://open.spotify.com/album/" + IDS[0]])
def test_an_invalid_id_is_refused(tmp_path: Path, text: str):
    """The message names it, and in a file its line."""
    file = tmp_path / "ids.txt"
    file.write_text(f"{IDS[0]}\n{text}\n")
    with pytest.raises(UserError, match="is no Spotify id"):
        parse_track_ids([text])
    with pytest.raises(UserError, match="Line 2 of"):
        parse_track_ids([str(file)])


@pytest.mark.parametrize(
    "text",
    [
        "artist_id,track_uri,genre\n{a},spotify:track:{0},pop\n{a},spotify:track:{1},\n",
        "n;url\n1;https://open.spotify.com/track/{0}?si=1\n2;https://open.spotify.com/track/{1}\n",
        '[{{"uri": "spotify:track:{0}"}}, {{"uri": "spotify:track:{1}"}}]',
        '{{"tracks": [{{"id": "{0}"}}, {{"id": "{1}"}}], "artists": [{{"id": "{a}"}}]}}',
        "{0},pop\n{1},rock\n",
    ],
)
def test_ids_are_read_from_tables(tmp_path: Path, text: str):
    """The column is found by its content; ids of artists are others."""
    file = tmp_path / "table"
    ids = [f"0aaaaaaaaaaaaaaaaaaaa{number}" for number in range(2)]
    file.write_text(text.format(*ids, a=UNKNOWN))
    warnings: list[str] = []
    assert parse_track_ids([str(file)], warnings.append) == ids
    assert [sentence for sentence in warnings if "artists" not in sentence] == []


def test_rows_without_an_id_are_counted(tmp_path: Path):
    """Local files of a playlist have none."""
    file = tmp_path / "list.csv"
    rows = [f"spotify:track:{IDS[0]}", "spotify:local:a:b:c:1", f"spotify:track:{IDS[1]}"]
    file.write_text("\n".join(["name,uri", *(f"x,{uri}" for uri in rows)]) + "\n")
    warnings: list[str] = []
    assert parse_track_ids([str(file)], warnings.append) == IDS[:2]
    assert warnings == [
        (
            f"1 row of {file} has no Spotify id of a track in the column 'uri': "
            "they were passed over."
        )
    ]


def test_a_table_without_ids_is_refused(tmp_path: Path):
    """Also a file that is no table."""
    file = tmp_path / "t.csv"
    file.write_text("title,artist\nBlue,Ana\n")
    with pytest.raises(UserError, match="no list of Spotify ids"):
        parse_track_ids([str(file)])
    with pytest.raises(UserError, match="no readable file"):
        parse_track_ids([str(tmp_path)])


@pytest.fixture
def environment(sqlite_url: str, serve, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("STORE_URL", sqlite_url)
    monkeypatch.setenv("SPOTIPY_CLIENT_ID", "an-id")
    monkeypatch.setenv("SPOTIPY_CLIENT_SECRET", "a-secret")
    monkeypatch.setenv("COLLECTOR_SPOTIFY_URL", serve(mode="extended").url)
    monkeypatch.setenv("COLLECTOR_RATE", "1000/30s")
    return sqlite_url


def test_the_command(environment: str, tmp_path: Path):
    """It writes one JSON document and one row of `job_run`; unknown ids give exit code 1."""
    file = tmp_path / "ids.txt"
    file.write_text("\n".join(IDS[:3]))
    result = CliRunner().invoke(app, ["add", UNKNOWN, str(file), "--json"])
    document = json.loads(result.stdout)
    assert (document["asked"], document["tracks_new"], document["unknown"]) == (4, 3, [UNKNOWN])
    assert result.exit_code == 0
    failed = CliRunner().invoke(app, ["add", UNKNOWN]).exception
    assert isinstance(failed, GenrebaseError)
    assert str(failed) == "Spotify has no track of any of these ids."
    engine = make_engine(environment)
    with read_transaction(engine) as connection:
        jobs = connection.execute(select(tables.job_run.c["job", "outcome"])).all()
    engine.dispose()
    assert jobs == [("add", "done"), ("add", "done")]
