"""The sandbox as Internet Archive and Jamendo, over real HTTP."""

import hashlib

import pytest
import requests

from collector.rate_limits import Rate

QUERY = 'collection:netlabels AND mediatype:audio AND subject:"techno"'


@pytest.fixture(scope="module")
def sandbox(extended):
    return extended.sandbox


def get(sandbox, path, **params):
    return requests.get(f"{sandbox.url}/{path}", params=params, timeout=20)


def search(sandbox, **params):
    return get(sandbox, "archive/services/search/v1/scrape", **{"q": QUERY, **params})


def first_item(sandbox):
    """Return the document of the first item with files."""
    for item in search(sandbox).json()["items"]:
        document = get(sandbox, f"archive/metadata/{item['identifier']}").json()
        if document:
            return document
    raise AssertionError


def test_a_search_is_read_to_its_end_by_its_cursor(sandbox):
    """Every item comes once; the last page has no cursor."""
    page = search(sandbox, count=100, fields="identifier,subject,licenseurl").json()
    identifiers = []
    while True:
        identifiers += [item["identifier"] for item in page["items"]]
        if "cursor" not in page:
            break
        page = search(sandbox, count=100, cursor=page["cursor"]).json()
    assert len(identifiers) == len(set(identifiers)) == page["total"] > 0


@pytest.mark.parametrize(
    "params", [{"count": 99}, {"count": 10_001}, {"count": "x"}, {"cursor": "x"}, {"q": "techno"}]
)
def test_a_search_that_is_refused(sandbox, params):
    assert search(sandbox, **params).status_code == 400


def test_a_file_is_behind_a_redirect_and_as_described(sandbox):
    """Size and checksum are right, a Range is served, and other names are not found."""
    document = first_item(sandbox)
    identifier = document["metadata"]["identifier"]
    file = next(one for one in document["files"] if one["name"].endswith(".flac"))
    response = get(sandbox, f"archive/download/{identifier}/{file['name']}")
    assert [one.status_code for one in response.history] == [302]
    assert len(response.content) == int(file["size"])
    assert hashlib.md5(response.content).hexdigest() == file["md5"]
    rest = requests.get(response.url, headers={"Range": "bytes=100-"}, timeout=20)
    assert (rest.status_code, rest.content) == (206, response.content[100:])
    assert (
        requests.get(response.url, headers={"Range": "bytes=9999999-"}, timeout=20).status_code
        == 416
    )
    assert get(sandbox, f"archive/download/{identifier}/other.flac").status_code == 404


def test_an_unknown_item_is_an_empty_document(sandbox):
    assert get(sandbox, "archive/metadata/nothing").json() == {}


def test_the_archive_refuses_with_429(serving):
    limited = serving(archive_rate=Rate(1, 30))
    statuses = [search(limited.sandbox).status_code for _ in range(2)]
    assert statuses == [200, 429]


def tracks(sandbox, **params):
    given = {"client_id": "abcdef12", "tags": "techno", **params}
    return get(sandbox, "jamendo/v3.0/tracks/", **given).json()


def test_jamendo_lists_tracks_by_tag(sandbox):
    """At most 200 a page; the default is 10; pages do not overlap."""
    first = tracks(sandbox, limit=500, fullcount="true")
    second = tracks(sandbox, limit=200, offset=200)
    assert first["headers"]["results_count"] == len(first["results"]) == 200
    ids = [one["id"] for one in first["results"] + second["results"]]
    assert len(ids) == len(set(ids)) == 400
    assert first["headers"]["results_fullcount"] == 1_234
    assert len(tracks(sandbox)["results"]) == 10


def test_jamendo_downloads_what_is_allowed(sandbox):
    """`audiodownload` is empty where downloads are not allowed."""
    listed = tracks(sandbox, limit=50)["results"]
    allowed = [one for one in listed if one["audiodownload_allowed"]]
    assert 0 < len(allowed) < len(listed)
    assert {bool(one["audiodownload"]) for one in allowed} == {True}
    assert requests.get(allowed[0]["audiodownload"], timeout=20).content[:4] == b"fLaC"
    refused = next(one for one in listed if not one["audiodownload_allowed"])
    assert refused["audiodownload"] == ""
    assert requests.get(refused["audio"], timeout=20).status_code == 404


def test_jamendo_finds_tracks_by_id_and_date(sandbox):
    listed = tracks(sandbox, limit=2)["results"]
    by_id = tracks(sandbox, tags="", id=" ".join(one["id"] for one in listed))
    assert by_id["results"] == listed
    dated = tracks(sandbox, datebetween="1990-01-01_1991-12-31", limit=200)["results"]
    assert {one["releasedate"][:4] for one in dated} == {"1990", "1991"}


@pytest.mark.parametrize(("client", "code"), [("", 5), ("?", 5), ("suspended", 11)])
def test_jamendo_refuses_with_status_200(sandbox, client, code):
    document = tracks(sandbox, client_id=client)
    assert (document["headers"]["code"], document["results"]) == (code, [])


def test_jamendo_limits_requests_with_a_code(serving):
    limited = serving(jamendo_rate=Rate(1, 30))
    codes = [tracks(limited.sandbox)["headers"]["code"] for _ in range(2)]
    assert codes == [0, 6]
