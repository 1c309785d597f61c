"""The pages of the documentation: every view with its columns, every metric."""

from pathlib import Path
from urllib.parse import quote, urlencode

import numpy as np
import pytest
from markupsafe import escape
from sqlalchemy import inspect
from starlette.testclient import TestClient

from classifier.evaluation.metrics import (
    LabelledPredictions,
    overall_metrics,
    per_genre_metrics,
)
from classifier.evaluation.report import SIBLING_METRICS
from genrebase.store import views
from tests.fakes import FakeClock
from web import documents
from web.application import PAGES, Site, application
from web.metric_names import METRIC_NAMES, title_of_metric
from web.pages.documentation import SHOWN_ON
from web.security import Access, host_headers


@pytest.fixture
def client(engine):
    site = Site(engine, FakeClock(), Access(host_headers(8400)), "genrebase.db")
    return TestClient(application(site), base_url="http://localhost:8400")


def test_every_view_of_the_database_is_documented(client, engine):
    listed = client.get("/docs/views.json").json()["sections"]["views"]["rows"]
    created = inspect(engine).get_view_names()
    assert {name for name, *_ in listed} == set(created) == set(views.ALL)
    for name in created:
        columns = client.get(f"/docs/views/{name}.json").json()["sections"]["columns"]["rows"]
        assert [column for column, *_ in columns] == [
            column["name"] for column in inspect(engine).get_columns(name)
        ]
        assert all(description for *_, description in columns)
    assert client.get("/docs/views/nothing").status_code == 404
    assert views.ALL["tracks"].description in client.get("/docs/views/tracks").text


def test_the_pages_that_views_are_shown_on_exist():
    assert set(SHOWN_ON) <= set(views.ALL)
    assert set(SHOWN_ON.values()) <= {*PAGES, "/"}


def test_every_operation_of_the_api_is_listed(client):
    document = client.get("/api/v1/openapi.json").json()
    operations = {
        (method.upper(), path) for path, methods in document["paths"].items() for method in methods
    }
    rows = client.get("/docs/api.json").json()["sections"]["operations"]["rows"]
    assert {(method, path) for method, path, *_ in rows} == operations
    assert all(summary for _method, _path, summary, *_ in rows)
    page = client.get("/docs/api").text
    assert 'href="/api/v1/openapi.json"' in page
    assert "<code>classifier run</code>, if it runs" in page
    assert (
        "items (required): {id (required)} or {title, artists, album, features: {danceability,"
        in (" ".join(page.split()))
    )


def test_every_operation_with_post_has_an_example(client):
    """The commands are those of docs/api.md, which run in another test."""
    sections = client.get("/docs/api.json").json()["sections"]
    examples = dict(sections["examples"]["rows"])
    assert set(examples) == {
        path for method, path, *_ in sections["operations"]["rows"] if method == "POST"
    }
    printed = (Path(documents.__file__).parents[1] / "docs" / "api.md").read_text()
    assert all(command.startswith("curl ") and command in printed for command in examples.values())
    assert "&#34;features&#34;" in client.get("/docs/api").text


def test_every_metric_is_explained(client):
    """Those that the evaluation computes, with a mapping to broad genres."""
    rows = 12
    truth = np.arange(rows) % 3
    predictions = LabelledPredictions(
        np.full((rows, 3), 1 / 3),
        truth,
        np.arange(rows),
        truth == 0,
        truth == 1,
        truth == 0,
        np.ones((rows, 3), dtype=bool),
    )
    names = {one.metric for one in overall_metrics(predictions, 0, None)}
    per_genre = per_genre_metrics(predictions, None)
    names |= {one.metric for metrics in per_genre.values() for one in metrics}
    assert names | set(SIBLING_METRICS) == set(METRIC_NAMES)
    page = client.get("/docs/metrics").text
    for name in names:
        assert f'<tr id="{name}">' in page
    assert title_of_metric("new_metric") == "new metric"


def test_the_glossary_is_that_of_the_documentation(client):
    """Each entry has an anchor; its Markdown is text in the twin."""
    text = (Path(__file__).parents[2] / "docs" / "glossary.md").read_text(encoding="utf-8")
    rows = client.get("/docs/glossary.json").json()["sections"]["glossary"]["rows"]
    assert len(rows) == text.count("\n| **")
    html = client.get("/docs/glossary").text
    for _, word, meaning in rows:
        assert f'<dt id="{quote(word, safe="")}">' in html
        assert meaning
        assert not {"`", "*"} & {*meaning}
        assert "](" not in meaning
    assert "<code>job_run</code>" in html
    assert f'<p class="say">{documents.glossary_introduction()}</p>' in html
    assert documents.glossary_introduction().endswith("meaning applies.")


def test_the_questions_of_the_documentation_are_examples(client):
    """The page of SQL links to each query."""
    html = client.get("/sql").text
    for one in documents.questions():
        assert f">{escape(one.question)}</a>" in html
        assert escape(urlencode({"q": one.sql})) in html
