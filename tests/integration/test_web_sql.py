"""The page that runs a person's SELECT: read-only, for a second; what is left out is named."""

import csv
import io
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, make_url, text
from starlette.testclient import TestClient

from genrebase.store.engine import make_engine, transaction
from tests import factories as make
from tests.fakes import FakeClock
from web import sql_queries
from web.application import Site, application
from web.security import Access, host_headers
from web.sql_queries import MAX_LENGTH, MAX_ROWS, SqlDisabled, SqlQueries, SqlRefused

READER = Path(__file__).resolve().parents[2] / "deploy" / "reader.sql"
NUMBERS = "WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t{end}) SELECT n FROM t"
"""Numbers from 1, with `end` or without one."""
REFUSED = (
    "DELETE FROM genre",
    "SELECT 1; DELETE FROM genre",
    "SELECT 1) x; DELETE FROM genre; SELECT * FROM (SELECT 1",
    "PRAGMA query_only = OFF",
    "ATTACH 'other.db' AS other",
    "SELECT load_extension('x')",
    "COPY genre TO PROGRAM 'sh'",
    "SET ROLE postgres",
    "SELECT nothing FROM nowhere",
    "BEGIN",
    ";",
    "-- nothing",
)


@pytest.fixture(scope="module")
def filled(module_url: str) -> Iterator[Engine]:
    engine = make_engine(module_url)
    with transaction(engine) as connection:
        rock = make.add_genre(connection, "rock", target=5)
        for number in range(3):
            make.add_track(connection, f"Song {number}", genres=[rock])
        make.add_model(connection)
    yield engine
    engine.dispose()


@pytest.fixture(scope="module")
def queries(filled: Engine, worker_prefix: str) -> Iterator[SqlQueries]:
    """On PostgreSQL as the role that deploy/reader.sql creates."""
    if filled.dialect.name == "sqlite":
        yield SqlQueries(filled)
        return
    role = f"{worker_prefix}_sql_reader"
    script = re.sub(r"^\\.*$", "", READER.read_text(), flags=re.MULTILINE)
    script = re.sub(r"\breader\b", role, script)
    with transaction(filled) as connection:
        connection.exec_driver_sql(script, execution_options={"no_parameters": True})
        connection.execute(text(f"ALTER ROLE {role} PASSWORD 'secret'"))
    url = filled.url.set(username=role, password="secret")
    yield SqlQueries(filled, url.render_as_string(hide_password=False))
    with transaction(filled) as connection:
        connection.execute(text(f"DROP OWNED BY {role}"))
        connection.execute(text(f"DROP ROLE {role}"))


@pytest.fixture(scope="module")
def pages(filled: Engine, queries: SqlQueries) -> TestClient:
    access = Access(host_headers(8400))
    site = Site(filled, FakeClock(), access, "genrebase.db", sql=queries)
    return TestClient(application(site), base_url="http://localhost:8400")


def test_the_page_and_its_twins_have_the_rows(pages):
    query = "SELECT genre, tracks FROM genre_progress -- the end"
    document = pages.get("/sql.json", params={"q": query}).json()["sections"]
    assert document["result"]["columns"] == ["genre", "tracks"]
    assert document["result"]["rows"] == [["rock", 3]]
    assert document["limits"]["rows"] == [[1, False]]
    table = list(csv.reader(io.StringIO(pages.get("/sql.csv", params={"q": query}).text)))
    assert table == [["genre", "tracks"], ["rock", "3"]]
    page = pages.get("/sql", params={"q": query})
    assert page.status_code == 200
    assert '<td class="cell" dir="auto">rock</td>' in page.text
    assert pages.get("/sql").status_code == 200


@pytest.mark.parametrize("query", REFUSED)
def test_nothing_but_one_select_runs(queries, pages, filled, query):
    with pytest.raises(SqlRefused):
        queries.run(query)
    assert pages.get("/sql", params={"q": query}).status_code == 422
    assert pages.get("/sql.json", params={"q": query}).json()["status"] == 422
    with transaction(filled) as connection:
        assert connection.execute(text("SELECT count(*) FROM genre")).scalar_one() == 1


def test_why_there_are_no_rows_is_shown(pages):
    """Views without rows are named, a view with rows is not."""
    for query, sentence in (
        ("SELECT title FROM harmony JOIN tracks USING (track_id)", "harmony</a> has no rows"),
        ("SELECT title FROM tracks WHERE title = 'harmony'", "No row meets the conditions"),
        ("SELECT 1 AS one WHERE 1 = 0", "No row meets the conditions"),
    ):
        page = pages.get("/sql", params={"q": query}).text
        assert sentence in page
        assert "tracks</a> has no rows" not in page


def test_a_long_query_is_stopped(queries, monkeypatch):
    assert sql_queries.SECONDS == 1.0
    monkeypatch.setattr(sql_queries, "SECONDS", 0.1)
    with pytest.raises(SqlRefused, match="took more than 0 s"):
        queries.run(f"SELECT count(*) FROM ({NUMBERS.format(end='')}) AS numbers")
    with pytest.raises(SqlRefused, match="characters"):
        queries.run("SELECT 1" + " " * MAX_LENGTH)


def test_rows_left_out_are_named(queries, pages):
    result = queries.run(NUMBERS.format(end=" WHERE n < 1000"))
    assert (len(result.rows), result.has_more) == (1000, False)
    more = NUMBERS.format(end=" WHERE n < 1001")
    result = queries.run(more)
    assert (len(result.rows), result.has_more) == (MAX_ROWS, True)
    page = pages.get("/sql", params={"q": more}).text
    assert "the first 1,000 rows" in page
    assert "The first 800 of 1,000 rows; json and csv have all of them." in page


def test_large_results_are_cut(queries, filled):
    hundred_kilobytes = {
        "sqlite": "replace(hex(zeroblob(50000)), '0', 'x')",
        "postgresql": "repeat('x', 100000)",
    }[filled.dialect.name]
    result = queries.run(
        f"SELECT n, {hundred_kilobytes} AS filler FROM "
        f"({NUMBERS.format(end=' WHERE n < 100')}) AS numbers"
    )
    assert 30 < len(result.rows) < 41
    assert result.has_more


def test_the_values_of_both_databases_can_be_written(queries, pages):
    query = (
        "SELECT NULL AS a, 1.5 AS b, 1.5 AS b, artists, first_seen_at, track_id > 0 AS c "
        "FROM tracks ORDER BY track_id"
    )
    document = pages.get("/sql.json", params={"q": query}).json()["sections"]["result"]
    assert document["columns"] == ["a", "b", "b_2", "artists", "first_seen_at", "c"]
    assert document["rows"][0][:3] == [None, 1.5, 1.5]


def test_without_permission_no_query_runs(filled):
    site = Site(filled, FakeClock(), Access(host_headers(8400)), "genrebase.db")
    client = TestClient(application(site), base_url="http://localhost:8400")
    assert client.get("/sql").status_code == 200
    response = client.get("/sql.json", params={"q": "SELECT 1"})
    assert response.status_code == 403
    assert "SERVE_SQL" in response.json()["detail"]


def test_postgresql_needs_the_role_of_readers(postgres_engine, postgres_url):
    with pytest.raises(SqlDisabled, match="SERVE_SQL_URL"):
        SqlQueries(postgres_engine).run("SELECT 1")
    own = make_url(postgres_url).render_as_string(hide_password=False)
    with pytest.raises(SqlDisabled, match="superuser"):
        SqlQueries(postgres_engine, own).run("SELECT 1")


def test_binary_cells_are_described_by_their_size(sqlite_engine):
    assert SqlQueries(sqlite_engine).run("SELECT x'0102'").rows == [["(2 bytes)"]]


def test_the_query_behind_a_table_can_be_run(filled, queries, pages):
    """Each table of a page leads to its query on SQLite, with its values in it."""
    page = pages.get("/genres/rock").text + pages.get("/genres").text
    links = re.findall(r'href="/sql\?q=([^"]+)"', page)
    if filled.dialect.name == "postgresql":
        assert links == []
        return
    assert len(links) > 5
    for link in links:
        response = pages.get(f"/sql.json?q={link.replace('&amp;', '&')}")
        assert response.status_code == 200, link
    progress = next(link for link in links if "genre_progress" in link)
    section = pages.get(f"/sql.json?q={progress}").json()["sections"]["result"]
    own = pages.get("/genres/rock.json").json()["sections"]["genre"]
    assert dict(zip(section["columns"], section["rows"][0], strict=True))["tracks"] == 3
    assert own["rows"][0][own["columns"].index("tracks")] == 3
