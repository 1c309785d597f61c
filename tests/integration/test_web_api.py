"""The API: every response fits its schema, and requests that do not fit get a sentence."""

import asyncio
import csv
import io
import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from openapi_spec_validator import validate
from sqlalchemy import Engine, select, text
from starlette.testclient import TestClient

from classifier.serving.predict_track import DescriptionPredictor, TrackDescription, predict_track
from classifier.training import promote, train
from classifier.training_config import TrainingConfig
from genrebase.audio import workers
from genrebase.digests.refresh import refresh
from genrebase.runtime.clock import SystemClock
from genrebase.store import tables, views
from genrebase.store.engine import make_engine, read_transaction, transaction
from tests import catalogue_of_all_kinds, synthetic_audio
from tests.analysers import InProcess
from tests.fakes import FakeClock
from tests.trained_music import fill_and_train
from web import predictor
from web.api import operations, uploads
from web.api.openapi import document
from web.api.routes import ALL
from web.application import Site, application
from web.predictor import ModelThread
from web.read_only import make_read_only
from web.security import Access, host_headers

DOCUMENT = document(ALL)
BASE = "http://localhost:8400"


@pytest.fixture(scope="module")
def served(migrated_sqlite: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A database of synthetic music with a champion; it is read by an engine that cannot write."""
    file = shutil.copyfile(migrated_sqlite, tmp_path_factory.mktemp("api") / "genrebase.db")
    url = f"sqlite:///{file}"
    writer, reader = make_engine(url), make_engine(url)
    fill_and_train(writer)
    refresh(writer, SystemClock())
    make_read_only(reader)
    site = Site(reader, SystemClock(), Access(host_headers(8400)), "genrebase.db", writer)
    yield site
    site.predictor.close()
    reader.dispose()
    writer.dispose()


@pytest.fixture(scope="module")
def api(served: Site) -> "Api":
    return Api(TestClient(application(served), base_url=BASE))


class Api:
    """Sends requests, and checks that each response fits the OpenAPI document."""

    def __init__(self, client: TestClient) -> None:
        self.client = client

    def __call__(self, method: str, operation: str, status: int = 200, **request: Any) -> Any:
        path, described = OPERATIONS[method, operation]
        address = path.format_map(request.pop("path", {}))
        response = self.client.request(method, address, **request)
        assert response.status_code == status, response.text
        content = described["responses"][str(status)]["content"]
        media_type = response.headers["content-type"].partition(";")[0]
        assert media_type in content
        if media_type.endswith("json"):
            schema = {**content[media_type]["schema"], "components": DOCUMENT["components"]}
            Draft202012Validator(schema).validate(response.json())
        return response

    def read(self, operation: str, status: int = 200, **request: Any) -> Any:
        return self("GET", operation, status, **request).json()

    def predict(self, *items: Any, status: int = 200, **more: Any) -> Any:
        body = {"items": list(items), **more}
        return self("POST", "predict", status, json=body).json()


OPERATIONS = {
    (method.upper(), described["operationId"]): (path, described)
    for path, methods in DOCUMENT["paths"].items()
    for method, described in methods.items()
}


def test_the_document_is_valid(api: Api):
    validate(DOCUMENT)
    assert api.read("readDocument") == DOCUMENT


@pytest.mark.parametrize(
    ("operation", "request_"),
    [
        ("listTracks", {"params": {"limit": 7, "after": 3}}),
        ("readTrack", {"path": {"track": 1}}),
        ("searchTracks", {"params": {"q": "a", "limit": 3}}),
        ("listViews", {}),
        ("listDisputes", {}),
        ("listDisputes", {"params": {"order": "closest", "regime": "seen_artist"}}),
        ("listGenres", {}),
        ("readGenre", {"path": {"genre": "metal"}}),
        ("listModels", {}),
        ("readModel", {"path": {"model": 1}}),
        ("listJobs", {}),
        ("readVerdicts", {"path": {"track": 1}}),
    ],
)
def test_reading(api: Api, operation: str, request_: dict[str, Any]):
    assert api.read(operation, **request_)


@pytest.mark.parametrize("view", sorted(views.ALL))
def test_every_view(api: Api, served: Site, view: str):
    """The rows are those of the view; packed bytes are left out."""
    rows = api.read("readView", path={"view": view}, params={"limit": 5})["rows"]
    with read_transaction(served.engine) as connection:
        count = connection.execute(text(f"SELECT count(*) FROM {view}")).scalar_one()
    assert bool(rows) == bool(count)
    if rows:
        assert set(rows[0]) <= set(views.ALL[view].columns)
        json.dumps(rows)


def test_reading_and_labelling_on_both_engines(engine: Engine):
    """Every operation that needs no model, over a catalogue of all kinds of rows."""
    catalogue_of_all_kinds.fill(engine, 60)
    site = Site(engine, SystemClock(), Access(host_headers(8400)), "genrebase.db", engine)
    api = Api(TestClient(application(site), base_url=BASE))
    for operation in ("listTracks", "listDisputes", "listGenres", "listModels", "listJobs"):
        assert api.read(operation)["rows"] is not None
    assert api.read("searchTracks", params={"q": "s"})
    (genre, *_) = (row["genre"] for row in api.read("listGenres")["rows"])
    assert api.read("readGenre", path={"genre": genre})["sections"]["genre"]
    for view in views.ALL:
        api.read("readView", path={"view": view}, params={"limit": 3})
    (track, *_) = (row["track_id"] for row in api.read("listTracks")["rows"])
    assert api.read("readTrack", path={"track": track})["track"]["track_id"] == track
    path, body = {"track": track, "person": "Ann"}, {"genre": genre}
    read = api("GET", "readVerdicts", path=path)
    labelled = api(
        "PUT", "putVerdict", path=path, json=body, headers={"If-Match": read.headers["etag"]}
    )
    again = api("GET", "readTrack", path=path)
    assert labelled.headers["etag"] == again.headers["etag"] != read.headers["etag"]
    assert api("POST", "requestJob", 202, json={"job": "train"}).json()["taken_at"] is None


def test_pages_follow_each_other(api: Api, served: Site):
    """`next` leads to the following rows, and no row is left out or repeated."""
    seen, address = [], "/api/v1/views/track_credits?limit=50"
    while address:
        page = api.client.get(address).json()
        assert len(page["rows"]) <= 50
        seen += [(row["track_id"], row["artist_id"]) for row in page["rows"]]
        address = page["next"]
    with read_transaction(served.engine) as connection:
        credits_ = connection.execute(
            select(tables.track_artist.c.track_id, tables.track_artist.c.artist_id)
        ).all()
    assert sorted(seen) == sorted(map(tuple, credits_))


def test_rows_of_a_genre_and_a_track(api: Api):
    rows = api.read("readView", path={"view": "genre_profiles"}, params={"genre": "metal"})["rows"]
    assert {row["genre"] for row in rows} == {"metal"}
    credit = api.read("readView", path={"view": "track_credits"}, params={"track_id": 2})["rows"]
    assert {row["track_id"] for row in credit} == {2}


def test_predictions_are_those_of_the_commands(api: Api, served: Site):
    """By id, by texts and by features, in one request; each names its model."""
    described = TrackDescription("Blue", ("Nobody",), "Moon", {"tempo": 120.0, "energy": 0.5})
    expected = [
        predict_track(served.engine, "1"),
        DescriptionPredictor(served.engine).predict(described),
    ]
    results = api.predict(
        {"id": 1},
        {"id": "no such track"},
        {
            "title": "Blue",
            "artists": ["Nobody"],
            "album": "Moon",
            "features": {"tempo": 120, "energy": 0.5, "valence": None},
        },
        {"id": 10**18},
    )["results"]
    for result, prediction in zip((results[0], results[2]), expected, strict=True):
        assert result["track_id"] == prediction.track
        assert result["genre"] == prediction.top[0][0]
        assert result["model_id"] == prediction.model
        assert result["regime"] == prediction.regime
        assert result["held_out"] == prediction.held_out
        shares = [one["probability"] for one in result["top"]]
        assert shares == pytest.approx([share for _, share in prediction.top], abs=1e-6)
    assert [results[at]["problem"]["status"] for at in (1, 3)] == [404, 404]


def test_a_thousand_tracks_in_one_request(api: Api, served: Site):
    """Rows of one call do not influence each other."""
    items = [
        {"title": f"Song {number}", "artists": [f"Band {number % 7}"]} for number in range(999)
    ]
    together = api.predict(*items, {"id": 3}, top=1)["results"]
    alone = [api.predict(items[at], top=1)["results"][0] for at in (0, 500, 998)]
    for at, result in zip((0, 500, 998), alone, strict=True):
        assert together[at]["genre"] == result["genre"]
        assert together[at]["probability"] == pytest.approx(result["probability"], abs=1e-6)
    assert together[999]["track_id"] == 3


@pytest.mark.parametrize(
    ("body", "status", "sentence"),
    [
        ({"items": []}, 422, "/items"),
        ({"items": [{"title": "x"}] * 1_001}, 422, "/items"),
        ({"items": [{"features": {"energy": 7}}]}, 422, '"/items/0/features/energy"'),
        ({"items": [{"title": "x"}, {"id": 1 << 70}]}, 422, '"/items/1/id"'),
        ({}, 422, '"/items"'),
        ({"items": [{"features": {"enrgy": 0.7}}]}, 422, "enrgy"),
        ({"items": [{"id": 1, "title": "x"}]}, 422, "title"),
        ({"items": [{"title": 5}]}, 422, "title"),
        ({"items": [{"features": {"tempo": "120"}}]}, 422, "tempo"),
        ({"items": [{"features": {"tempo": True}}]}, 422, "tempo"),
        ({"items": [{"features": {"explicit": True}}]}, 200, "results"),
        ({"items": [{"title": "x"}], "top": 9}, 422, "/top"),
        ([], 422, "schema"),
    ],
)
def test_items_that_do_not_fit(api: Api, body: Any, status: int, sentence: str):
    problem = api("POST", "predict", status, json=body).json()
    assert sentence in json.dumps(problem)


@pytest.mark.parametrize(
    ("content", "media_type", "status"),
    [
        (b"{", "application/json", 400),
        (b"\xff\xfe", "application/json", 400),
        (b"{}", "text/plain", 415),
        (b" " * 4_000_001, "application/json", 413),
        (b'{"items": [{"title": "\\ud800"}]}', "application/json", 400),
        (b'{"items": [{"title": "a\\u0000b", "artists": ["\\u0000"]}]}', "application/json", 200),
        (b'{"items": [{"features": {"tempo": 1e999}}]}', "application/json", 422),
        (b'{"items": [{"features": {"tempo": NaN}}]}', "application/json", 422),
        (b'{"items": [{"id": ' + b"9" * 5_000 + b"}]}", "application/json", 400),
    ],
)
def test_bodies_that_are_no_request(api: Api, content: bytes, media_type: str, status: int):
    api("POST", "predict", status, content=content, headers={"Content-Type": media_type})


@pytest.mark.parametrize(
    ("operation", "request_", "status"),
    [
        ("readTrack", {"path": {"track": 999_999}}, 404),
        ("readTrack", {"path": {"track": "9" * 5_000}}, 404),
        ("readTrack", {"path": {"track": "%00"}}, 404),
        ("readGenre", {"path": {"genre": "no such genre"}}, 404),
        ("readGenre", {"path": {"genre": "a%2Fb"}}, 404),
        ("readModel", {"path": {"model": "x"}}, 404),
        ("readView", {"path": {"view": "track"}}, 404),
        ("readView", {"path": {"view": "digests"}, "params": {"track_id": 1}}, 422),
        ("listTracks", {"params": {"limit": 1_001}}, 422),
        ("listTracks", {"params": {"after": "x"}}, 422),
        ("listTracks", {"params": {"after": 2**63}}, 422),
        ("listTracks", {"params": {"unknown": 1}}, 422),
        ("listTracks", {"params": [("limit", 1), ("limit", 2)]}, 422),
        ("searchTracks", {}, 422),
        ("listDisputes", {"params": {"order": "best"}}, 422),
    ],
)
def test_what_is_not_there(api: Api, operation: str, request_: dict[str, Any], status: int):
    problem = api.read(operation, status, **request_)
    assert problem["status"] == status
    assert problem["detail"]


def test_paths_and_methods_that_are_none(api: Api):
    assert api.client.get("/api/v1/nothing").json()["status"] == 404
    response = api.client.delete("/api/v1/tracks")
    assert response.status_code == 405
    assert "GET" in response.headers["allow"]
    assert response.json()["status"] == 405


def test_a_csv_file_comes_back_with_five_columns(api: Api, served: Site):
    """Other columns are unchanged; a row that cannot be predicted says why."""
    rows = [["Track Name", "artist", "loudness", "my id"]]
    rows += [
        [f'Song "{number}"', "Nobody; Somebody", "-5.5", f"={number}"] for number in range(1_500)
    ]
    rows[3] = ["Odd", "Nobody", "loud", "x"]
    rows[4] = ["Too loud", "Nobody", "900", "x"]
    rows[5] = ["Short", "Nobody"]
    rows[6] = ["Unknown loudness", "Nobody", "  ", "x"]
    rows[7] = [" ", ";", "", "x"]
    file = io.StringIO(newline="")
    csv.writer(file).writerows(rows)
    response = api(
        "POST",
        "predictCsv",
        content=file.getvalue().encode(),
        headers={"Content-Type": "text/csv"},
    )
    written = list(csv.reader(io.StringIO(response.text)))
    assert [row[: len(given)] for row, given in zip(written, rows, strict=True)] == rows
    assert written[6][-1] == ""
    assert written[5][2:-1] == [""] * 6  # the reason is in the column of the header
    assert [written[at][-1].partition(",")[0] for at in (3, 4, 5, 7)] == [
        "loudness is a number",
        "loudness is between -100 and 20",
        "The row has 2 cells",
        "Nothing is described: give a title",
    ]
    expected = DescriptionPredictor(served.engine).predict(
        TrackDescription('Song "9"', ("Nobody", "Somebody"), None, {"loudness": -5.5})
    )
    genre, share, regime, model, problem = written[10][-5:]
    assert (genre, regime, model, problem) == (expected.top[0][0], expected.regime, "1", "")
    assert float(share) == pytest.approx(expected.top[0][1], abs=1e-6)


@pytest.mark.parametrize(
    ("content", "status"),
    [
        (b"", 422),
        (b"a,b\n1,2\n", 422),
        (b"title\n\xff\n", 422),
        (b'title\n"' + b"x" * 200_000 + b'"\n', 422),
        (b"title\n" + b"a\n" * 100_001, 413),
        (b"title\n" + b"a" * 1_100_000, 422),
    ],
)
def test_files_that_are_no_table(api: Api, content: bytes, status: int):
    api("POST", "predictCsv", status, content=content, headers={"Content-Type": "text/csv"})


def test_a_description_of_nothing_has_no_prediction(api: Api):
    """A model would return how frequent the genres are; the other items are predicted."""
    nothing = [{}, {"title": " ", "artists": ["", "\0"]}, {"features": {}}]
    results = api.predict(*nothing, {"title": "x"})["results"]
    assert [one["problem"]["status"] for one in results[:3]] == [422, 422, 422]
    assert "give a title" in results[0]["problem"]["detail"]
    assert results[3]["genre"]
    assert len(api.predict(*nothing)["results"]) == 3


def test_a_table_that_was_predicted_before_is_refused(api: Api):
    """Two columns of one name could not be told apart; the sentence names them as sent."""
    csv_type = {"Content-Type": "text/csv"}
    once = api("POST", "predictCsv", content=b"title\nx\n", headers=csv_type)
    twice = api("POST", "predictCsv", 422, content=once.content, headers=csv_type)
    added = ", ".join(once.text.splitlines()[0].split(",")[1:])
    assert twice.json()["detail"].endswith(f"adds: {added}. Rename or remove them.")
    one = api("POST", "predictCsv", 422, content=b"title,Predicted Genre\n", headers=csv_type)
    assert one.json()["detail"].endswith("adds: Predicted Genre. Rename or remove it.")


def test_the_limits_of_parameters_are_those_of_what_was_sent(api: Api):
    """Characters that are removed count, as the schema says."""
    for operation, name in (("searchTracks", "q"), ("listDisputes", "genre")):
        api("GET", operation, 422, params={name: "rock" + "\x1c" * 600})
        api("GET", operation, 200, params={name: "rock" + "\x1c" * 9})
    for number in ("+0.0", "1_0", " 7"):
        assert "/before" in api.read("listJobs", 422, params={"before": number})["detail"]


def test_a_body_that_does_not_arrive(monkeypatch: pytest.MonkeyPatch):
    class SilentRequest:
        async def stream(self):
            await asyncio.Event().wait()
            yield b""

    async def read() -> None:
        async for _part in operations.received(SilentRequest(), 10):
            pass

    monkeypatch.setattr(operations, "BODY_SECONDS", 0.01)
    with pytest.raises(operations.Problem, match="did not arrive") as error:
        asyncio.run(read())
    assert error.value.status == 408


def test_a_file_that_is_too_large(api: Api, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(uploads, "MAX_BYTES", 1_000)
    for content in (b"x" * 2_000, (b"x" * 500 for _ in range(4))):
        api("POST", "predictCsv", 413, content=content, headers={"Content-Type": "text/csv"})


def test_labels_are_changed_by_those_who_read_them(api: Api):
    """A change needs the ETag of the labels; one that is based on others is refused."""
    path = {"track": 4, "person": "Ann"}
    before = api("GET", "readVerdicts", path=path).headers["etag"]
    assert api("GET", "readTrack", path=path).headers["etag"] == before
    api("PUT", "putVerdict", 428, path=path, json={"genre": "blues"})
    changed = api(
        "PUT",
        "putVerdict",
        path=path,
        json={"genre": "blues", "note": "n"},
        headers={"If-Match": before},
    )
    assert changed.json()["verdicts"][0]["genre"] == "blues"
    for method, operation, body in (
        ("PUT", "putVerdict", {"json": {"genre": "metal"}}),
        ("DELETE", "deleteVerdict", {}),
    ):
        api(method, operation, 412, path=path, headers={"If-Match": before}, **body)
    assert api.read("readTrack", path=path)["verdicts"][0]["note"] == "n"
    other = {"track": 4, "person": "Bo"}
    api("PUT", "putVerdict", path=other, json={"genre": "metal"}, headers={"If-Match": "*"})
    api("DELETE", "deleteVerdict", path=other, headers={"If-Match": "*"})
    left = api("DELETE", "deleteVerdict", path=path, headers={"If-Match": changed.headers["etag"]})
    assert left.json()["verdicts"] == []
    assert left.headers["etag"] == before


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ({"track": 999_999, "person": "Ann"}, {"genre": "metal"}, 404),
        ({"track": 4, "person": "Ann"}, {"genre": "no such genre"}, 422),
        ({"track": 4, "person": "%00"}, {"genre": "metal"}, 422),
        ({"track": 4, "person": "Ann"}, {"genre": "metal", "by": "x"}, 422),
    ],
)
def test_labels_that_cannot_be_stored(api: Api, path: Any, body: Any, status: int):
    api("PUT", "putVerdict", status, path=path, json=body, headers={"If-Match": "*"})


def test_the_name_of_a_person_has_a_longest_length(api: Api):
    """As on the pages and the command line; the sentence names no option of a command."""
    refused = [
        api(
            "PUT", "putVerdict", 422, path=path, json={"genre": "metal"}, headers={"If-Match": "*"}
        )
        for path in ({"track": 4, "person": "a" * 101}, {"track": 4, "person": "%20"})
    ]
    sentences = [one.json()["detail"] for one in refused]
    assert "at most 100 characters" in sentences[0]
    assert sentences[1] == "A label needs the name of the person who gives it."
    api("POST", "requestJob", 422, json={"job": "predict", "by": "a" * 101})


def test_removing_what_is_not_there(api: Api):
    api(
        "DELETE", "deleteVerdict", 404, path={"track": 4, "person": "X"}, headers={"If-Match": "*"}
    )


def test_jobs_are_requested_once(api: Api):
    body = {"job": "predict", "by": "Ann"}
    first = api("POST", "requestJob", 202, json=body).json()
    assert api("POST", "requestJob", 202, json=body).json() == first
    assert api.read("listJobRequests")["requests"] == [first]
    api("POST", "requestJob", 422, json={"job": "harvest"})


def test_other_sites_cannot_label(api: Api):
    headers = {"If-Match": "*", "Sec-Fetch-Site": "cross-site"}
    path = {"track": 4, "person": "Eve"}
    api("PUT", "putVerdict", 403, path=path, json={"genre": "metal"}, headers=headers)


def test_a_server_without_a_writer_only_reads(served: Site):
    reading = replace(served, writer=None)
    api = Api(TestClient(application(reading), base_url=BASE))
    path = {"track": 4, "person": "Ann"}
    api("PUT", "putVerdict", 403, path=path, json={"genre": "metal"}, headers={"If-Match": "*"})
    api("POST", "requestJob", 403, json={"job": "train"})


def test_too_many_waiting_predictions_are_refused(api: Api, monkeypatch: pytest.MonkeyPatch):
    """A request that would wait for more than two seconds gets 429, with the time to wait."""
    monkeypatch.setattr(ModelThread, "waiting_seconds", lambda _: 2.5)
    response = api("POST", "predict", 429, json={"items": [{"title": "x"}]})
    assert response.headers["retry-after"] == "3"


def test_an_audio_file(api: Api, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    file = synthetic_audio.write(tmp_path / "song.wav", synthetic_audio.song(3, 1, seconds=3.0))
    headers = {"Content-Type": "audio/wav"}
    result = api("POST", "predictAudio", content=file.read_bytes(), headers=headers).json()
    assert result["track_id"] is None
    assert result["genre"]
    half = file.read_bytes()[:20]
    monkeypatch.setattr(workers, "analyse_files", InProcess())
    refused = api("POST", "predictAudio", 422, content=half, headers=headers)
    assert refused.json()["detail"].endswith("chunk).")
    api("POST", "predictAudio", 415, content=half, headers={"Content-Type": "image/png"})


def test_without_a_champion(engine: Engine):
    site = Site(engine, FakeClock(), Access(host_headers(8400)), "genrebase.db")
    api = Api(TestClient(application(site), base_url=BASE))
    problem = api.predict({"title": "x"}, status=503)
    assert "has no champion yet" in problem["detail"]
    api("POST", "predictCsv", 503, content=b"title\nx\n", headers={"Content-Type": "text/csv"})


def test_another_champion_takes_over(database: Engine):
    """The former champion predicts until the other is loaded, and if that one is broken."""
    clock = FakeClock()
    fill_and_train(database)
    served = predictor.Predictor(database)
    track = TrackDescription("Blue", ("Nobody",))
    try:
        assert served.predict([track])[0].model == 1
        train.run(database, TrainingConfig(estimator="tree"), clock, log=lambda _: None)
        promote.run(database, 2, clock, log=lambda _: None)
        assert served.predict([track])[0].model == 1
        served.refresh()
        assert served.predict([track])[0].model == 2
        with transaction(database) as connection:
            connection.execute(text("UPDATE model SET artifact = NULL WHERE id = 1"))
        promote_in_table(database, 1)
        served.refresh()
        assert served.predict([track])[0].model == 2
    finally:
        served.close()


def promote_in_table(database: Engine, number: int) -> None:
    model = tables.model
    with transaction(database) as connection:
        connection.execute(model.update().values(status="retired"))
        chosen = model.update().where(model.c.id == number)
        connection.execute(chosen.values(status="champion"))
