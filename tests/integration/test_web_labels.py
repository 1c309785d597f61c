"""Labels given in the browser: decide and advance, skip, undo; stored at once."""

from datetime import timedelta

import pytest
from sqlalchemy import Engine, select
from starlette.testclient import TestClient

from collector.curation import verdicts
from genrebase.runtime import job_requests
from genrebase.store import tables
from genrebase.store.engine import make_engine, read_transaction, transaction
from genrebase.store.errors import DatabaseBusy, DatabaseUnreachable
from tests import database_states
from tests import factories as make
from tests.fakes import NOON, FakeClock
from web import label_routes
from web.application import Site, application
from web.pages import disputes
from web.read_only import make_read_only
from web.security import Access, host_headers


@pytest.fixture
def disputed(engine: Engine) -> Engine:
    """Twenty rock tracks that the champion predicts as jazz."""
    database_states.once(engine, __name__, lambda: add_disputes(engine))
    return engine


def add_disputes(engine: Engine) -> None:
    with transaction(engine) as connection:
        rock, jazz = make.add_genre(connection, "rock"), make.add_genre(connection, "jazz & soul")
        make.add_genre(connection, "pop")
        model = make.add_model(
            connection, feature_schema={"classes": ["rock", "jazz & soul", "pop"]}
        )
        for number in range(20):
            track = make.add_track(connection, f"Song {number}", [f"Band {number}"], genres=[rock])
            share = 0.99 - number / 100
            make.add_predictions(connection, model, track, [(jazz, share), (rock, 1 - share)])


@pytest.fixture
def site(disputed: Engine, database_url: str):
    """Read through an engine that cannot write; labels through another."""
    reader = make_engine(database_url)
    make_read_only(reader)
    yield Site(reader, FakeClock(), Access(host_headers(8400)), "genrebase.db", disputed)
    reader.dispose()


def browser(site: Site) -> TestClient:
    return TestClient(application(site), base_url="http://localhost:8400")


def labels(engine: Engine) -> dict[int, tuple[str, str]]:
    verdict, genre = tables.verdict.c, tables.genre.c
    query = select(verdict.track_id, genre.name, verdict.labelled_by).join(
        tables.genre, genre.id == verdict.genre_id
    )
    with read_transaction(engine) as connection:
        return {row.track_id: (row.name, row.labelled_by) for row in connection.execute(query)}


def decide(client: TestClient, track: int, **fields: str):
    form = {"track": str(track), "disputes": "1", "by": "Ann", **fields}
    return client.post("/label", data=form)


def track_of(response) -> int:
    return int(response.url.path.rpartition("/")[2])


def test_one_post_decides_and_leads_to_the_next(site, disputed):
    ann = browser(site)
    track = track_of(ann.get("/disputes/next"))
    seen = [track]
    for turn in range(3):
        genre = {"genre": "jazz & soul"} if turn < 2 else {"action": "skip"}
        track = track_of(decide(ann, track, **genre))
        seen.append(track)
    assert len(set(seen)) == 4
    assert labels(disputed) == dict.fromkeys(seen[:2], ("jazz & soul", "Ann"))
    page = ann.get(f"/tracks/{track}?disputes=1").text
    assert 'value="Ann"' in page
    assert "undo" in page


def test_undo_covers_skips_and_restores_an_earlier_label(site, disputed):
    ann = browser(site)
    first = track_of(ann.get("/disputes/next"))
    decide(ann, first, genre="pop", disputes="")
    decide(ann, first, genre="rock", disputes="")
    second = track_of(ann.get("/disputes/next"))
    decide(ann, second, action="skip")
    assert track_of(decide(ann, 0, action="undo")) == second
    assert track_of(ann.get("/disputes/next")) == second
    assert labels(disputed) == {first: ("rock", "Ann")}
    assert track_of(decide(ann, 0, action="undo")) == first
    assert labels(disputed) == {first: ("pop", "Ann")}
    decide(ann, 0, action="undo")
    assert labels(disputed) == {}
    assert decide(ann, 0, action="undo").status_code == 404


def test_the_latest_decisions_are_shown_by_title(site, disputed):
    """Also skipped tracks, so that a wrong key is seen."""
    ann = browser(site)
    decide(ann, 1, genre="rock")
    page = ann.post("/label", data={"track": "2", "action": "skip", "disputes": "1"})
    assert ">Song 1</a> skipped" in page.text
    assert ">Song 0</a> rock" in page.text


def test_two_browsers_get_different_tracks_until_none_is_left(site, disputed):
    people = {"Ann": browser(site), "Bo": browser(site)}
    at = {name: track_of(one.get("/disputes/next")) for name, one in people.items()}
    assert at["Ann"] != at["Bo"]
    for _turn in range(10):
        for name, client in people.items():
            response = decide(client, at[name], genre="rock", by=name)
            if response.url.path.startswith("/tracks/"):
                at[name] = track_of(response)
                assert len(set(at.values())) == 2
    given = labels(disputed)
    assert len(given) == 20
    assert {name for _, name in given.values()} == {"Ann", "Bo"}
    assert "No disputed label is left" in people["Ann"].get("/disputes/next").text


def test_labels_survive_a_restart_of_the_server(site, disputed):
    ann = browser(site)
    track = track_of(ann.get("/disputes/next"))
    decide(ann, track, genre="jazz & soul")
    again = TestClient(
        application(Site(site.engine, site.clock, site.access, site.database, disputed)),
        base_url="http://localhost:8400",
    )
    assert track_of(again.get("/disputes/next")) != track
    assert labels(disputed) == {track: ("jazz & soul", "Ann")}


def test_what_cannot_be_stored(site, disputed):
    ann = browser(site)
    assert decide(ann, 1, genre="unheard of").status_code == 422
    assert decide(ann, 1, genre="rock", by="").status_code == 422
    assert decide(ann, 999, genre="rock").status_code == 422
    assert decide(ann, 1, genre="x" * 10_000).status_code == 413
    crossed = ann.post("/label", data={"track": "1"}, headers={"Sec-Fetch-Site": "cross-site"})
    assert crossed.status_code == 403
    assert labels(disputed) == {}


def test_undo_restores_the_note_and_the_time(site, disputed):
    long_ago = NOON - timedelta(days=900)
    with transaction(disputed) as connection:
        pop = connection.scalar(select(tables.genre.c.id).where(tables.genre.c.name == "pop"))
        make.add_verdict(connection, 3, pop, "Ann", long_ago)
        connection.execute(tables.verdict.update().values(note="from the sleeve"))
    ann = browser(site)
    assert decide(ann, 3, genre="rock", by="  Ann ").status_code == 200
    assert labels(disputed)[3] == ("rock", "Ann")
    decide(ann, 0, action="undo")
    with read_transaction(disputed) as connection:
        (row,) = connection.execute(select(tables.verdict)).all()
    assert (row.genre_id, row.labelled_at, row.note) == (pop, long_ago, "from the sleeve")


def test_what_cannot_be_taken_back_can_be_tried_again(site, disputed, monkeypatch):
    ann = browser(site)
    decide(ann, 1, genre="pop")
    with monkeypatch.context() as patch:

        def busy(*_arguments):
            raise DatabaseBusy("The database is busy.")

        patch.setattr(label_routes.verdicts, "undo", busy)
        response = decide(ann, 0, action="undo")
        assert (response.status_code, "is busy" in response.text) == (503, True)
    assert labels(disputed) == {1: ("pop", "Ann")}
    decide(ann, 0, action="undo")
    assert labels(disputed) == {}


def test_undo_leaves_a_label_that_was_changed_since(site, disputed):
    ann = browser(site)
    decide(ann, 1, genre="pop")
    verdicts.add(disputed, FakeClock(NOON + timedelta(hours=1)), "1", "rock", "Ann")
    response = decide(ann, 0, action="undo")
    assert (response.status_code, "changed since" in response.text) == (422, True)
    assert labels(disputed) == {1: ("rock", "Ann")}


@pytest.mark.parametrize("digits", ["9" * 5_000, "\u0663", "-1", "1e3"])
def test_what_is_no_number_of_a_track(site, digits):
    assert decide(browser(site), digits, genre="rock").status_code == 422


def test_a_form_with_many_fields(site):
    many = "&".join(f"f{number}=1" for number in range(30))
    assert browser(site).post("/label", content=many).status_code == 400


def test_an_unreachable_database_is_named(site, monkeypatch):
    def unreachable(*_arguments, **_options):
        raise DatabaseUnreachable("The database does not respond.")

    monkeypatch.setattr(label_routes.disputes, "stored_candidates", unreachable)
    monkeypatch.setattr(label_routes.verdicts, "add", unreachable)
    ann = browser(site)
    for response in (ann.get("/disputes/next"), decide(ann, 1, genre="rock")):
        assert response.status_code == 503
        assert "does not respond" in response.text


def test_more_than_the_stored_disputes_can_be_decided(site, disputed, monkeypatch):
    monkeypatch.setattr(disputes, "_STORED", 5)
    monkeypatch.setattr(disputes, "_ALL", disputes._ALL.replace("500", "5"))
    ann = browser(site)
    track, seen = track_of(ann.get("/disputes/next")), set()
    while track not in seen:
        seen.add(track)
        response = decide(ann, track, action="skip")
        if not response.url.path.startswith("/tracks/"):
            break
        track = track_of(response)
    assert len(seen) == 20
    assert "No disputed label is left" in response.text


def test_without_a_writer_there_is_no_form(site):
    read_only = Site(site.engine, site.clock, site.access, site.database)
    client = TestClient(application(read_only), base_url="http://localhost:8400")
    assert '<form class="label"' not in client.get("/tracks/1").text
    assert client.post("/label", data={"track": "1"}).status_code == 404


def test_a_training_is_requested_by_a_button(site, disputed):
    """The request waits for a daemon, once; other websites cannot send it."""
    ann = browser(site)
    assert 'action="/jobs/request"' in ann.get("/jobs").text
    ann.cookies.set(label_routes.PERSON_COOKIE, "Ann%20B")
    for _ in range(2):
        sent = ann.post("/jobs/request", data={"job": "train"}, follow_redirects=False)
        assert (sent.status_code, sent.headers["location"]) == (303, "/jobs?request=1#requests")
    crossed = ann.post(
        "/jobs/request", data={"job": "predict"}, headers={"Sec-Fetch-Site": "cross-site"}
    )
    assert crossed.status_code == 403
    assert ann.post("/jobs/request", data={"job": "harvest"}).status_code == 404
    rows = ann.get("/jobs.json?section=requests").json()["sections"]["requests"]["rows"]
    assert [(job, by, taken) for _, job, _, by, taken, _ in rows] == [("train", "Ann B", None)]
    assert job_requests.take(disputed, FakeClock(), ["train", "predict"]) == ["train"]
    assert "<b>waits</b>" not in ann.get("/jobs").text
    reading = browser(Site(site.engine, FakeClock(), site.access, "genrebase.db"))
    assert 'action="/jobs/request"' not in reading.get("/jobs").text
    assert reading.post("/jobs/request", data={"job": "train"}).status_code in {404, 405}


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"track": "999999"}, "There is no track 999999."),
        ({"track": "9" * 30}, "There is no track &#39;999"),
        ({"track": "x"}, "There is no track &#39;x&#39;."),
        ({"track": ""}, "There is no track &#39;&#39;."),
    ],
)
@pytest.mark.parametrize("action", ["skip", "label", "withdraw"])
def test_a_decision_is_on_a_track_that_exists(site, disputed, fields, sentence, action):
    """Nothing is recorded, and the sentence names what was sent."""
    ann = browser(site)
    refused = ann.post("/label", data={"by": "Ann", "genre": "rock", "action": action, **fields})
    assert refused.status_code == 422
    if action != "withdraw" or fields["track"] != "999999":
        assert sentence in refused.text
    assert decide(ann, 0, action="undo").status_code == 404


def test_an_action_that_is_none_is_refused(site, disputed):
    """It is no label."""
    refused = decide(browser(site), 1, action="lable", genre="rock")
    assert refused.status_code == 422
    assert "There is no action &#39;lable&#39;." in refused.text
    assert labels(disputed) == {}


def test_a_name_that_is_too_long_is_refused_and_not_remembered(site, disputed):
    """The form has the same limit; a request for a job leaves out such a name in the cookie."""
    ann = browser(site)
    assert 'name="by" value="" required maxlength="100"' in ann.get("/tracks/1").text
    refused = decide(ann, 1, genre="rock", by="a" * 101)
    assert refused.status_code == 422
    assert "at most 100 characters" in refused.text
    assert labels(disputed) == {}
    decide(ann, 1, action="skip", by="a" * 101)
    assert label_routes.PERSON_COOKIE not in ann.cookies
    ann.cookies.set(label_routes.PERSON_COOKIE, "a" * 101)
    assert ann.post("/jobs/request", data={"job": "train"}).status_code == 200
    with read_transaction(disputed) as connection:
        assert [one.requested_by for one in job_requests.latest(connection, 5)] == [None]


def test_a_refused_label_shows_the_track_again_with_what_was_typed(site, disputed):
    """Enter in the name sends no genre, so it stores none; one form has the name for both ways."""
    ann = browser(site)
    page = ann.get("/tracks/1?disputes=1").text
    assert page.count('name="by"') == 1
    assert page.index('value="label" tabindex="-1"') < page.index('name="genre"')  # Enter's button
    for fields, words in (
        ({"other": "rok"}, "Did you mean"),
        ({"other": ""}, "choose a genre"),
        ({"other": "pop", "by": " "}, "Type your name"),
    ):
        refused = decide(ann, 1, order="closest", **fields)
        assert refused.status_code == 422
        assert words in refused.text
        assert "--" not in refused.text.partition('role="alert">')[2].partition("</p>")[0]
        assert 'dir="auto">Song 0</h1>' in refused.text
        assert f'name="other" value="{fields["other"]}"' in refused.text
        assert f'name="by" value="{fields.get("by", "Ann")}"' in refused.text
        assert 'name="order" value="closest"' in refused.text
    assert labels(disputed) == {}
    decide(ann, 1, other="pop")
    assert labels(disputed) == {1: ("pop", "Ann")}


def test_a_person_withdraws_a_label_of_an_earlier_session(site, disputed):
    verdicts.add(disputed, FakeClock(), "1", "rock", "Bo")
    verdicts.add(disputed, FakeClock(), "1", "pop", "Ann")
    ann = browser(site)
    assert "withdraw</button>" not in ann.get("/tracks/1").text
    decide(ann, 2, genre="pop")
    assert ann.get("/tracks/1").text.count("withdraw</button>") == 1
    ann.post("/label", data={"track": "1", "action": "withdraw"})
    assert labels(disputed) == {1: ("rock", "Bo"), 2: ("pop", "Ann")}
    ann.post("/label", data={"track": "2", "action": "withdraw"})
    assert labels(disputed) == {1: ("rock", "Bo")}
    assert decide(ann, 0, action="undo").status_code == 404
