"""Every page, as HTML, JSON and CSV, over a database with hostile texts, on both engines."""

import csv
import html
import io
import json
import re
import shlex
import sys
from collections.abc import Iterator
from datetime import timedelta
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import urlencode

import pytest
from sqlalchemy import Engine, insert, select, text
from starlette.testclient import TestClient

from genrebase.digests import store
from genrebase.digests.refresh import refresh
from genrebase.store import tables
from genrebase.store.engine import make_engine, read_transaction, transaction
from tests import factories as make
from tests.database_states import filled_once, once
from tests.fakes import NOON, FakeClock
from web.application import Site, application
from web.read_only import make_read_only
from web.security import Access, host_headers
from web.server import command_prefix

ROOT = Path(__file__).resolve().parents[2]
CODE = re.compile("<code>([^<]+)</code>")
COMMAND = re.compile(r"\b(collector|classifier|genrebase) [a-z]")
HOSTILE = "<script>alert('x')</script> {{ 1234*5678 }} \"&amp; \u202egnol" + 10_000 * "x"
PAGES = (
    "/", "/genres", "/genres?sort=-tracks&q=r", "/genres/r%26b", "/tracks/1", "/search?q=script",
    "/search", "/disputes", "/disputes?order=closest&genre=r%26b&regime=seen_artist", "/models",
    "/models/1", "/models/compare?a=1&b=2", "/jobs", "/jobs?outcome=failed&job=train", "/login",
    "/map", "/map?genre=r%26b&x=tempo&y=energy", "/docs/views", "/docs/views/tracks",
    "/docs/metrics", "/docs/glossary", "/tracks/1?disputes=1&blind=1", "/sql",
)  # fmt: skip


COMPARISON = {
    "conditions": [
        {"condition": "new_artist", "n": 3, "accuracy": 1 / 3, "other_accuracy": 0.0}
        | {"difference": 1 / 3, "low": None, "high": None, "only_this": 1, "only_other": 0}
    ],
    "genres": [
        {"genre": "rock <b>", "n": 3, "recall": 1 / 3, "other_recall": 0.0, "hits_gained": 1}
    ],
    "tracks": [
        {"track_id": track, "label": "rock <b>", "genre": "rock <b>", "other_genre": "r&b"}
        | {"condition": "new_artist"}
        for track in (1, 999)  # the second one was deleted since
    ],
    "not_counted": 2,
}
DERIVED = {
    *("genres", "tracks", "runs", "overlaps", "decades", "profiles", "percentiles"),
    *("wrong_labels", "training", "daemons", "conditions"),
}
"""Sections of several queries, of sums, or one row shorter than their query."""


@pytest.fixture
def filled(engine: Engine) -> Engine:
    """Two genres, tracks with hostile names, a champion, jobs, a ban."""
    filled_once(engine, __name__, lambda: fill(engine))
    return engine


def fill(engine: Engine) -> None:
    with transaction(engine) as connection:
        soul = make.add_genre(connection, "r&b", target=10)
        rock = make.add_genre(connection, "rock <b>", target=2)
        tracks = [
            make.add_track(
                connection,
                HOSTILE if not number else f"Song {number}",
                [f"Band {number % 4}", HOSTILE] if number < 4 else [f"Band {number % 4}"],
                genres=[soul, rock] if number % 2 else [rock],
                release_year=1990 + number,
            )
            for number in range(12)
        ]
        for number, track in enumerate(tracks):
            make.add_features(connection, track, energy=number / 12, key=number, mode=1)
        make.add_alias(connection, tracks[0], "0" * 22)
        make.add_verdict(connection, tracks[1], rock, HOSTILE)
        model = make.add_model(
            connection, reason=HOSTILE, feature_schema={"classes": ["r&b", "rock <b>"]}
        )
        for regime in ("new_artist", "seen_artist"):
            make.add_metric(connection, model, regime, "accuracy", 0.5, low=0.4, high=0.6)
            for genre in (soul, rock):
                make.add_metric(connection, model, regime, "recall", 0.25, genre_id=genre)
        make.add_metric(connection, model, "all", "accuracy", 0.9, side="random", n=1_234)
        make.add_confusion(connection, model, soul, rock, 3)
        make.add_confusion(connection, model, soul, soul, 1)
        for track in tracks:
            make.add_predictions(connection, model, track, [(rock, 0.75), (soul, 0.25)])
        retired = make.add_model(connection, "retired")
        row = {"model_id": model, "other_id": retired, "compared_at": NOON}
        comparison = insert(tables.model_comparison).values(**row, document=COMPARISON)
        connection.execute(comparison)
        make.add_job_run(connection, "train", "failed", error=HOSTILE, counts={"rows": 7})
        make.add_budget(connection, requests=50, blocked_until=NOON.replace(year=2100).timestamp())
        make.add_budget(connection, credential="other", requests=7)


@pytest.fixture
def site(filled: Engine) -> Site:
    make_read_only(filled)
    filled.dispose()  # the connections of the fixture could write
    return Site(filled, FakeClock(), Access(host_headers(8400)), "genrebase.db")


@pytest.fixture
def pages(site: Site) -> TestClient:
    return TestClient(application(site), base_url="http://localhost:8400")


@pytest.fixture(scope="module")
def kept(module_url: str) -> Iterator[Engine]:
    """Yield a read-only engine on the filled database, shared by tests that only read."""
    engine = make_engine(module_url)
    filled_once(engine, __name__, lambda: fill(engine))
    make_read_only(engine)
    engine.dispose()  # the connections that filled it could write
    yield engine
    engine.dispose()


@pytest.fixture
def kept_pages(kept: Engine) -> TestClient:
    site = Site(kept, FakeClock(), Access(host_headers(8400)), "genrebase.db")
    return TestClient(application(site), base_url="http://localhost:8400")


class Texts(HTMLParser):
    """Collects the tags and the visible text of a page."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        assert not [name for name, _ in attrs if name.startswith("on") or name == "style"]

    def handle_data(self, data):
        self.text += data


@pytest.mark.parametrize("path", PAGES)
def test_hostile_texts_are_shown_as_text(kept_pages, path):
    response = kept_pages.get(path)
    assert response.status_code == 200
    parsed = Texts(response.text)
    assert parsed.tags.count("script") == 1  # ours
    assert "7006652" not in parsed.text.replace(",", "")  # no template was evaluated
    if path in {"/tracks/1", "/search?q=script"}:
        assert HOSTILE in parsed.text


@pytest.mark.parametrize(
    ("address", "sentence"),
    [
        ("/disputes{}?gener=rock", "no parameter 'gener': it takes genre, hide, order and regime"),
        ("/genres/r%26b{}?q=x", "This page has no parameter 'q': it takes none."),
        ("/search{}?q=a&q=b", "The parameter q is given more than once."),
        (
            "/disputes{}?order=sure",
            "The parameter order is surest, learns_most, also_seen or closest, not",
        ),
        ("/disputes{}?regime=old", "regime is new_artist or seen_artist, not 'old'."),
        ("/genres{}?sort=-name", "sort is genre, tracks"),
        ("/map{}?x=tempi", "not 'tempi'"),
        ("/disputes{}?hide=yes", "The parameter hide is 1, not 'yes'."),
        ("/tracks/1{}?why=yes", "The parameter why is 1, not 'yes'."),
        ("/jobs{}?outcome=fail", "not 'fail'"),
        ("/jobs{}?before=last", "before is a number of at most 18 digits, not 'last'."),
    ],
)
def test_a_misspelt_parameter_is_refused(kept_pages, address, sentence):
    """A filter that is ignored would show everything as if it was filtered."""
    page = kept_pages.get(address.format(""))
    assert page.status_code == 422
    assert sentence in Texts(page.text).text
    for twin in (".json", ".csv"):
        refused = kept_pages.get(address.format(twin))
        assert (refused.status_code, refused.json()["status"]) == (422, 422)


def test_links_and_forms_have_the_parameters_of_their_pages(kept_pages):
    """Those of every page, also with its filters chosen."""
    seen = set()
    for path in PAGES:
        page = kept_pages.get(path).text.replace("\n", " ")
        forms = re.findall(r'<form(?![^>]*method="post")[^>]*action="([^"]+)"(.*?)</form>', page)
        links = [html.unescape(one) for one in re.findall(r'href="(/[^"#]*\?[^"#]*)', page)]
        for action, content in forms:
            names = re.findall(r'name="([a-z_]+)"', content)
            links.append(f"{action}?{urlencode(dict.fromkeys(names, ''))}")
        seen |= {one for one in links if not one.startswith("/sql")}
    assert {one.partition("?")[0] for one in seen} >= {"/search", "/genres", "/jobs"}
    for address in sorted(seen):
        assert kept_pages.get(address).status_code in {200, 404}, address


@pytest.mark.parametrize("path", ["/overview", "/jobs"])
def test_a_source_with_two_credentials_is_one_row(kept_pages, path):
    """Its requests are added up, and the ban is shown."""
    section = kept_pages.get(f"{path}.json").json()["sections"]["sources"]
    [row] = [dict(zip(section["columns"], row, strict=True)) for row in section["rows"]]
    assert (row["source"], row["requests"]) == ("spotify", 57)
    assert row["blocked_until"].startswith("2100-")


@pytest.mark.parametrize("path", [path for path in PAGES if path != "/login"])
def test_twins_have_the_rows_of_their_queries(kept_pages, kept, path):
    name, _, query = path.partition("?")
    address = "/overview" if name == "/" else name
    twin = kept_pages.get(f"{address}.json?{query}").json()
    assert twin["sections"]
    for section_name, section in twin["sections"].items():
        written = kept_pages.get(f"{address}.csv?{query}&section={section_name}")
        rows = list(csv.reader(io.StringIO(written.text)))
        assert rows[0] == section["columns"]
        assert len(rows) == len(section["rows"]) + 1
        if section_name in DERIVED or not section["sql"]:
            continue
        with read_transaction(kept) as connection:
            result = connection.execute(text(section["sql"].replace(":", "\\:")))
            assert tuple(result.keys()) == tuple(section["columns"])
            assert len(result.all()) >= len(section["rows"])


def test_the_list_of_models_says_why_and_on_what(pages):
    page = Texts(pages.get("/models").text)
    assert HOSTILE in page.text  # the reason
    section = pages.get("/models.json").json()["sections"]["models"]
    _, row = (dict(zip(section["columns"], one, strict=True)) for one in section["rows"])
    assert (row["n_new"], row["n_seen"], row["licence_class"]) == (50, 50, None)


def test_the_page_shows_the_figures_of_its_twin(pages):
    genres = pages.get("/overview.json?section=genres").json()["sections"]["genres"]
    page = Texts(pages.get("/").text).text
    position = {name: number for number, name in enumerate(genres["columns"])}
    for row in genres["rows"]:
        assert row[position["genre"]] in page
        assert f"{row[position['recall_new']]:.0%}".replace("%", " %") in page
    assert "50 %" in page
    assert "would have claimed 90 %, on its own 1,234 test tracks" in page
    assert "blocked until 2100" in page
    assert "See why train failed" in page


def test_a_target_is_reached_by_its_own_tracks_only(pages, database_url):
    """Rock has more tracks than its target of 2; they do not count for r&b, which lacks one."""
    engine = make_engine(database_url)
    with transaction(engine) as connection:
        soul = tables.genre.update().where(tables.genre.c.name == "r&b")
        connection.execute(soul.values(target=1_000, tracks=999))
    engine.dispose()
    page = Texts(pages.get("/").text).text
    assert "99 % of 1,000" in page
    assert "1,001 of 1,002" in page


def test_the_search_does_not_speak_of_what_is_not_there(pages, database_url):
    for words, advice in (("scripz", "its spelling"), ("script scripz", "try fewer words")):
        assert advice in pages.get("/search", params={"q": words}).text
    assert "popular" not in pages.get("/search?q=song").text
    engine = make_engine(database_url)
    with transaction(engine) as connection:
        connection.execute(tables.track.update().values(popularity=50))
    engine.dispose()
    assert "the most popular of each first" in pages.get("/search?q=song").text


def test_sections_of_a_genre_without_rows_come_last(filled):
    """Their commands run in any shell, on this database."""
    site = Site(
        filled,
        FakeClock(),
        Access(host_headers(8400)),
        "x.db",
        command_prefix=command_prefix(make_engine("sqlite:///some folder/x.db")),
    )
    pages = TestClient(application(site), base_url="http://localhost:8400")
    page = Texts(pages.get("/genres/rock%20%3Cb%3E").text).text
    file = Path("some folder/x.db").resolve()
    start = f"STORE_URL='sqlite:///{file}' {shlex.quote(sys.executable)} -m classifier"
    assert f"{start} explain --genre 'rock <b>'" in page
    with_password = make_engine("postgresql://ann:secret@localhost/music")
    assert command_prefix(with_password) == f"{shlex.quote(sys.executable)} -m "
    titles = ("How well it is recognised", "May belong here", "Hardest to separate from")
    assert [*sorted(titles, key=page.index)] == [*titles]
    assert page.index("Over the decades") < page.index("Not computed yet")


def test_commands_in_sentences_run_on_this_database_too(filled):
    prefix = "STORE_URL='sqlite:///a b.db' python -m "
    site = Site(filled, FakeClock(), Access(host_headers(8400)), "x.db", command_prefix=prefix)
    pages = TestClient(application(site), base_url="http://localhost:8400")
    sentences = {
        "/predict?title=x": "classifier train",
        "/jobs": "classifier run",
        "/genres/nothing": None,
        **dict.fromkeys(("/", "/genres", "/models", "/tracks/1", "/disputes", "/map")),
    }
    for path, command in sentences.items():
        written = [html.unescape(one) for one in CODE.findall(pages.get(path).text)]
        commands = [one for one in written if COMMAND.search(one)]
        assert all(one.startswith(prefix) for one in commands), path
        assert command is None or f"{prefix}{command}" in commands, path


def test_no_template_writes_a_command_by_itself():
    """The filter `sentence` and the macro `command` do, with the prefix."""
    for file in (ROOT / "web" / "templates").glob("*.html"):
        assert not [one for one in CODE.findall(file.read_text()) if COMMAND.search(one)], file


def test_metrics_of_a_model_name_their_numbers_of_test_tracks(pages):
    """The test conditions stand side by side: each column says how many tracks it has."""
    text_of_page = " ".join(Texts(pages.get("/models/1").text.replace("><", "> <")).text.split())
    assert "test tracks 50 50 1,234" in text_of_page


def test_addresses_that_people_and_browsers_try(pages):
    assert pages.get("/docs").url.path == "/docs/views"
    assert pages.get("/favicon.ico").status_code == 204


def test_a_page_of_a_track_by_any_of_its_ids(pages):
    assert pages.get("/tracks/spotify:" + "0" * 22).status_code == 200
    assert HOSTILE in Texts(pages.get("/tracks/" + "0" * 22).text).text


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/tracks/999", 404),
        ("/tracks/nothing", 404),
        ("/genres/unknown", 404),
        ("/models/7", 404),
        ("/models/x", 404),
        ("/models/99999999999999999999999", 404),
        ("/nothing", 404),
        ("/tracks/999.json", 404),
        ("/overview.csv?section=nothing", 404),
        ("/jobs?before=99999999999999999999999", 422),
    ],
)
def test_what_is_not_there(pages, path, status):
    response = pages.get(path)
    assert response.status_code == status
    if response.headers["content-type"] == "application/problem+json":
        assert json.loads(response.text)["status"] == status


def test_pages_can_only_be_read(pages, site):
    assert pages.post("/genres").status_code == 405
    with pytest.raises(Exception, match=r"(?i)read-?only"), read_transaction(site.engine) as one:
        one.execute(text("DELETE FROM genre"))


def test_an_empty_database_names_the_ways_in(engine):
    site = Site(engine, FakeClock(), Access(host_headers(8400)), "empty.db")
    empty = TestClient(application(site), base_url="http://localhost:8400")
    page = Texts(empty.get("/").text).text
    assert "collector genres add" in page
    assert "genrebase demo" in page
    for path in ("/genres", "/disputes", "/models", "/jobs", "/search?q=a"):
        assert empty.get(path).status_code == 200


def test_the_token_is_entered_once(filled):
    site = Site(filled, FakeClock(), Access(host_headers(8400), "a long enough token"), "x.db")
    guarded = TestClient(application(site), base_url="http://localhost:8400")
    assert "Enter the token" in guarded.get("/", headers={"Accept": "text/html"}).text
    assert guarded.post("/login", data={"token": "wrong"}).status_code == 401
    assert guarded.post("/login", data={"token": "x" * 5_000}).status_code == 413
    assert "unique tracks" in guarded.post("/login", data={"token": "a long enough token"}).text
    assert guarded.get("/overview.json").status_code == 200


def with_digests(filled: Engine) -> None:
    """Refresh the digests of the fixture's database."""
    once(filled, with_digests, lambda: refresh(filled, FakeClock()))


def test_a_discarded_digest_is_not_an_empty_one(filled):
    pages = TestClient(
        application(Site(filled, FakeClock(), Access(host_headers(8400)), "x.db")),
        base_url="http://localhost:8400",
    )
    with_digests(filled)
    with transaction(filled) as connection:
        store.discard(connection, naming_tracks=True)
    for address, name in (("/genres/r%26b", "candidates"), ("/disputes?genre=r%26b", "disputes")):
        path, _, query = address.partition("?")
        section = pages.get(f"{path}.json?{query}").json()["sections"][name]
        assert (section["rows"], section.get("is_pending")) == ([], True)
        assert "genrebase digests" in Texts(pages.get(address).text).text
    refresh(filled, FakeClock())
    section = pages.get("/genres/r%26b.json").json()["sections"]["candidates"]
    assert "is_pending" not in section
    assert "genrebase digests" not in pages.get("/genres/r%26b").text


def test_features_are_drawn_on_the_scale_they_were_measured_in(engine):
    """Values of audio files have profiles of their own, also beside those of other providers."""
    with transaction(engine) as connection:
        rock = make.add_genre(connection, "rock")
        model = make.add_model(connection, feature_schema={"classes": ["rock"]})
        tracks = {}
        for number in range(8):
            provider, energy = ("audio", 0.2) if number % 2 else ("csv", 0.9)
            track = make.add_track(connection, f"Song {number}", [f"Band {number}"], genres=[rock])
            make.add_features(connection, track, provider, energy=energy, tempo=100 + number)
            tracks[provider] = track
        unlabelled = make.add_track(connection, "Alone")
        make.add_features(connection, unlabelled, energy=0.5)
        make.add_predictions(connection, model, unlabelled, [(rock, 1.0)])
        tracks["unlabelled"] = unlabelled
    pages = TestClient(
        application(Site(engine, FakeClock(), Access(host_headers(8400)), "x.db")),
        base_url="http://localhost:8400",
    )
    for kind, median in (("audio", 0.2), ("csv", 0.9), ("unlabelled", 0.9)):
        assert f"rock: median {median:g}" in pages.get(f"/tracks/{tracks[kind]}").text, kind


def test_pages_of_acousticbrainz_numbers(engine):
    """Tracks that have no other features: on their page, their genre's, and the map."""
    with transaction(engine) as connection:
        for number in range(9):
            genre = make.add_genre(connection, f"genre {number}") if number < 3 else number % 3 + 1
            track = make.add_track(connection, f"Song {number}", genres=[genre])
            only_tempo = {**dict.fromkeys(tables.FEATURES), "tempo": 100.0}
            make.add_features(connection, track, "acousticbrainz", **only_tempo)
            numbers = {"onset_rate": number % 3 + 0.1 * number, "danceability": number / 9}
            make.add_acousticbrainz(connection, track, bpm=100 + number, **numbers)
    pages = TestClient(
        application(Site(engine, FakeClock(), Access(host_headers(8400)), "x.db")),
        base_url="http://localhost:8400",
    )
    document = pages.get("/map.json").json()
    points = document["sections"]["genres"]["rows"]
    assert len(points) == 3
    assert "AcousticBrainz" in pages.get("/map").text
    page = pages.get("/tracks/1").text
    assert "onset rate <" in page
    sections = pages.get("/tracks/1.json").json()["sections"]
    percentiles = {row[0]: row[3] for row in sections["percentiles"]["rows"]}
    assert percentiles["acousticbrainz_onset_rate"] == 12.5  # the middle of min, p05 and p25
    profile = pages.get("/genres/genre 0.json").json()["sections"]["numbers"]
    columns = [profile["columns"].index(name) for name in ("feature", "n")]
    distinct = {tuple(row[place] for place in columns) for row in profile["rows"]}
    assert distinct == {("bpm", 3), ("onset_rate", 3), ("danceability", 3)}


def test_only_labelled_tracks_count_as_growth(filled):
    after = NOON + timedelta(days=1)
    with transaction(filled) as connection:
        for number in range(12):
            make.add_track(connection, f"New {number}", first_seen_at=after)
    pages = TestClient(
        application(Site(filled, FakeClock(), Access(host_headers(8400)), "x.db")),
        base_url="http://localhost:8400",
    )
    assert "Train again" not in pages.get("/").text
    with transaction(filled) as connection:
        genre = connection.scalar(select(tables.genre.c.id).limit(1))
        track = tables.track
        labelled = track.update().where(track.c.first_seen_at == after)
        connection.execute(labelled.values(genre_id=genre))
        connection.execute(
            tables.genre.update().where(tables.genre.c.id == genre).values(tracks=20)
        )
    assert "Train again" in pages.get("/").text


@pytest.mark.parametrize(
    "path", ["/search?q=%00a", "/genres/a%00", "/jobs?job=%00", "/tracks/%00"]
)
def test_characters_that_no_database_stores(kept_pages, path):
    assert kept_pages.get(path).status_code in {200, 404}


def test_the_pages_show_the_digests_where_there_are_some(filled):
    live = TestClient(
        application(Site(filled, FakeClock(), Access(host_headers(8400)), "x.db")),
        base_url="http://localhost:8400",
    )
    addresses = ("/overview.json", "/genres/r%26b.json", "/tracks/1.json", "/disputes.json")
    before = {address: live.get(address).json()["sections"] for address in addresses}
    with_digests(filled)
    for address in addresses:
        for name, section in live.get(address).json()["sections"].items():
            if name == "jobs":
                continue  # the refresh is a job
            earlier = before[address][name]
            assert section["columns"] == earlier["columns"]
            assert section["rows"] == earlier["rows"], (address, name)
    stored = {"genre", "profile", "numbers", "overlaps", "decades", "candidates"}
    after = live.get("/genres/r%26b.json").json()["sections"]
    assert {name for name, section in after.items() if section["as_of"]} == stored


def test_a_merged_track_leads_to_the_one_that_it_became(filled, database_url):
    """Its page, as HTML, JSON and CSV, and the API answer with 301; other unknown ids with 404."""
    engine = make_engine(database_url)
    with transaction(engine) as connection:
        connection.execute(insert(tables.merged_track).values(track_id=900, merged_into=2))
    site = Site(engine, FakeClock(), Access(host_headers(8400)), "genrebase.db")
    pages = TestClient(application(site), base_url="http://localhost:8400", follow_redirects=False)
    for path, target in (
        ("/tracks/900?why=1", "/tracks/2?why=1"),
        ("/tracks/900.json", "/tracks/2.json"),
        ("/tracks/900.csv?section=ids", "/tracks/2.csv?section=ids"),
        ("/api/v1/tracks/900", "/api/v1/tracks/2"),
    ):
        response = pages.get(path)
        assert (response.status_code, response.headers["location"]) == (301, target)
    assert "track 2" in response.json()["detail"]
    assert pages.get("/api/v1/tracks/900/verdicts").status_code == 200
    assert pages.get("/tracks/901").status_code == 404
    assert pages.get("/tracks/2").status_code == 200
    engine.dispose()


def test_the_page_says_why_the_champion_was_not_trained_on_a_track(engine):
    with transaction(engine) as connection:
        rock = make.add_genre(connection, "rock")
        model = make.add_model(connection, training_config={"licence": "open"})
        tracks = {
            name: make.add_track(connection, name, [name], genres=genres, side=side)
            for name, side, genres in (("limited", "train", []), ("tested", "test_new", [rock]))
        }
        make.add_sighting(connection, tracks["limited"], rock, licence="cc-by-nc-sa-4.0")
        for track in tracks.values():
            make.add_predictions(connection, model, track, [(rock, 0.9)])
    site = Site(engine, FakeClock(), Access(host_headers(8400)), "genrebase.db")
    pages = TestClient(application(site), base_url="http://localhost:8400")
    for name, reason in (
        ("limited", "its label is not under an open licence (cc-by-nc-sa-4.0)"),
        ("tested", "its side of the split is test new"),
    ):
        page = pages.get(f"/tracks/{tracks[name]}").text
        assert f"not used for training: {reason}" in page
