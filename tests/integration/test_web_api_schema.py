"""Generated requests: none is an error of the server, and each response fits the document."""

import shutil
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi import checks
from starlette.types import ASGIApp

from classifier.training import train
from classifier.training_config import TrainingConfig
from genrebase.runtime.clock import SystemClock
from genrebase.store.engine import make_engine
from tests.fakes import FakeClock
from tests.synthetic_music import Music
from web.api.operations import PREFIX, Operation
from web.api.routes import ALL
from web.application import Site, application
from web.read_only import make_read_only
from web.security import Access

CHECKS = (
    not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_headers_conformance,
    checks.response_schema_conformance,
    checks.negative_data_rejection,
)
EXCLUDED = ["/predict/audio"]
"""Each request starts a process; `test_web_api` sends it files."""


@pytest.fixture(scope="module")
def app(migrated_sqlite: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ASGIApp]:
    file = shutil.copyfile(migrated_sqlite, tmp_path_factory.mktemp("schema") / "genrebase.db")
    writer, reader = make_engine(f"sqlite:///{file}"), make_engine(f"sqlite:///{file}")
    Music().fill(writer)
    train.run(writer, TrainingConfig(estimator="logistic"), FakeClock(), log=lambda _: None)
    make_read_only(reader)
    hosts = frozenset({"testserver", "localhost"})
    site = Site(reader, SystemClock(), Access(hosts), "genrebase.db", writer)
    yield application(site)
    site.predictor.close()
    reader.dispose()
    writer.dispose()


@pytest.fixture(scope="module")
def document(app: ASGIApp):
    return schemathesis.openapi.from_asgi("/api/v1/openapi.json", app)


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
@pytest.mark.parametrize(
    "operation", [one for one in ALL if one.path not in EXCLUDED], ids=lambda one: one.name
)
def test_generated_requests(document, operation: Operation, mode: GenerationMode):
    described = document[PREFIX + operation.path][operation.method]

    @settings(
        max_examples=12,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(case=described.as_strategy(generation_mode=mode))
    def request(case: schemathesis.Case):
        case.call_and_validate(checks=list(CHECKS))

    with suppress(Unsatisfiable):  # without parameters no request is a wrong one
        request()
