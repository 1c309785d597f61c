"""Who is answered: hosts, cross-site requests, tokens, headers."""

import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from web.security import CONTENT_SECURITY_POLICY, COOKIE, Access, Guard, host_headers

TOKEN = "correct horse battery"


def client(access: Access) -> TestClient:
    def answer(_request):
        return PlainTextResponse("answered")

    app = Starlette(routes=[Route("/{path:path}", answer, methods=["GET", "POST"])])
    return TestClient(Guard(app, access), base_url="http://localhost:8400", follow_redirects=False)


@pytest.fixture
def local() -> TestClient:
    return client(Access(host_headers(8400)))


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "localhost",
        "localhost:1",
        "127.0.0.1.evil.example:8400",
        "",
        "0.0.0.0:8400",
    ],
)
def test_other_hosts_are_refused(local, host):
    response = local.get("/", headers={"Host": host})
    assert (response.status_code, response.json()["title"]) == (421, "Unknown host")


@pytest.mark.parametrize(
    "host", ["localhost:8400", "127.0.0.1:8400", "[::1]:8400", "LOCALHOST:8400"]
)
def test_the_loopback_is_answered(local, host):
    assert local.get("/", headers={"Host": host}).text == "answered"


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Sec-Fetch-Site": "same-origin"}, 200),
        ({"Origin": "http://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "http://localhost:8400"}, 200),
        ({}, 200),
    ],
)
def test_writes_come_from_our_pages_or_no_page(local, headers, status):
    assert local.post("/", headers=headers).status_code == status


def test_every_response_has_the_security_headers(local):
    for response in (local.get("/"), local.get("/", headers={"Host": "evil.example"})):
        assert response.headers["content-security-policy"] == CONTENT_SECURITY_POLICY
        assert response.headers["x-content-type-options"] == "nosniff"
        assert response.headers["cache-control"] == "no-store"


def test_a_token_is_required_where_there_is_one():
    access = Access(host_headers(8400), TOKEN)
    guarded = client(access)
    assert guarded.get("/").status_code == 401
    assert guarded.get("/", headers={"Accept": "text/html"}).headers["location"] == "/login"
    assert guarded.get("/", headers={"Authorization": f"Bearer {TOKEN}"}).text == "answered"
    assert guarded.get("/", headers={"Authorization": "Bearer wrong"}).status_code == 401
    session = access.new_session()
    assert guarded.get("/", headers={"Cookie": f"{COOKIE}={session}"}).text == "answered"
    assert guarded.get("/", headers={"Cookie": f"{COOKIE}=other"}).status_code == 401
    assert guarded.get("/login").text == "answered"


def test_cookies_of_other_programs_do_not_matter():
    access = Access(host_headers(8400), TOKEN)
    cookies = f"a[b]=1; {COOKIE}={access.new_session()}; {{json}}; =x"
    assert client(access).get("/", headers={"Cookie": cookies}).text == "answered"


@pytest.mark.parametrize(
    ("port", "host", "header", "status"),
    [
        (80, "127.0.0.1", "localhost", 200),
        (80, "127.0.0.1", "localhost:80", 200),
        (80, "127.0.0.1", "[::1]", 200),
        (80, "127.0.0.1", "evil.example", 421),
        (8400, "127.0.0.2", "127.0.0.2:8400", 200),
        (8400, "127.0.0.1", "127.0.0.2:8400", 421),
        (8400, "2001:DB8::1", "[2001:db8::1]:8400", 200),
        (8400, "0.0.0.0", "0.0.0.0:8400", 421),
        (8400, "::", "[::]:8400", 421),
    ],
)
def test_the_address_is_a_name_of_the_server(port, host, header, status):
    reached = client(Access(host_headers(port, host)))
    assert reached.get("/", headers={"Host": header}).status_code == status


def test_the_token_is_not_shown():
    assert TOKEN not in repr(Access(frozenset(), TOKEN))
