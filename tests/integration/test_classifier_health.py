"""The trainer's health checks and metrics, on both databases and as a daemon."""

import io
import re
from datetime import timedelta
from pathlib import Path

import pytest
import skops.io
from sklearn.preprocessing import FunctionTransformer
from sqlalchemy import Engine, update
from typer.testing import CliRunner

from classifier.cli import app
from classifier.daemon import doctor
from classifier.daemon import metrics as trainer_metrics
from classifier.daemon.metrics import TrainerHealth
from classifier.registry import signature
from classifier.settings import ClassifierSettings
from classifier.training import train
from classifier.training_config import TrainingConfig
from collector.monitoring.metrics import HarvesterHealth
from genrebase.errors import GenrebaseError, UserError
from genrebase.runtime.addresses import ListenAddress
from genrebase.runtime.health_server import serve
from genrebase.runtime.jobs import job_run
from genrebase.runtime.monitoring import probe, render_metrics
from genrebase.settings import InvalidSettings
from genrebase.store import tables
from genrebase.store.engine import transaction
from tests import factories as make
from tests.fakes import NOON, FakeClock
from tests.synthetic_music import Music

DOCS = Path(__file__).resolve().parents[2] / "docs"


def metrics(engine: Engine, clock: FakeClock) -> dict[str, float]:
    """Return what a monitor reads, by name and labels."""
    text = render_metrics(TrainerHealth(engine, clock)).decode()
    matches = re.findall(r"^(genrebase_\S+) (\S+)$", text, re.MULTILINE)
    return {name: float(value) for name, value in matches}


def test_measures_champion_trainings_predictions_and_drift(engine: Engine) -> None:
    """Recent tracks lack features, are predicted less confidently and as other genres."""
    clock = FakeClock(NOON + timedelta(days=10))
    with transaction(engine) as connection:
        rock, jazz = make.add_genre(connection, "rock"), make.add_genre(connection, "jazz")
        figures = {"seen_artist": {"accuracy": 0.9}, "new_artist": {"accuracy": None}}
        champion = make.add_model(
            connection, promoted_at=NOON + timedelta(days=9), metrics=figures
        )
        recent = {"first_seen_at": NOON + timedelta(days=5)}
        old = make.add_track(connection, "Old")
        new = make.add_track(connection, "New", **recent)
        make.add_track(connection, "Waiting", **recent)
        make.add_features(connection, old)
        make.add_predictions(connection, champion, old, [(rock, 0.9), (jazz, 0.1)])
        make.add_predictions(connection, champion, new, [(jazz, 0.6), (rock, 0.4)])
        make.add_job_run(connection, "train", "failed")
        make.add_job_run(connection, "train", at=NOON + timedelta(days=1))
        make.add_job_run(connection, "train moods", at=NOON + timedelta(days=2))
    day = 86_400
    assert {
        name: value for name, value in metrics(engine, clock).items() if "process" not in name
    } == pytest.approx(
        {
            'genrebase_champion_age_seconds{task="main"}': day,
            'genrebase_champion_accuracy{regime="seen_artist",task="main"}': 0.9,
            'genrebase_trainings_total{outcome="done"}': 2,
            'genrebase_trainings_total{outcome="failed"}': 1,
            'genrebase_last_training_age_seconds{outcome="done"}': 9 * day,
            "genrebase_tracks_unanswered": 1,
            "genrebase_predictions": 4,
            'genrebase_drift_missing{seen="week"}': 1.0,
            'genrebase_drift_missing{seen="before"}': 0.0,
            'genrebase_drift_confidence{seen="week"}': 0.6,
            'genrebase_drift_confidence{seen="before"}': 0.9,
            "genrebase_drift_genres": 1.0,
        }
    )


def test_an_empty_database_has_metrics(engine: Engine) -> None:
    """Before the first training the metrics are zero or missing, without errors."""
    assert metrics(engine, FakeClock())["genrebase_predictions"] == 0


@pytest.mark.parametrize("name", ["grafana.json", "alerts.yml"])
def test_dashboard_and_alerts_use_existing_metrics(sqlite_engine: Engine, name: str) -> None:
    """Every metric that they name is exported by the harvester or the trainer."""
    matches = set(re.findall(r"genrebase_[a-z_]+", (DOCS / name).read_text(encoding="utf-8")))
    ours, theirs = (
        {
            f"{metric.name}_total" if metric.type == "counter" else metric.name
            for metric in target(sqlite_engine, FakeClock()).collect()
        }
        for target in (TrainerHealth, HarvesterHealth)
    )
    assert matches & ours
    assert matches <= ours | theirs


def test_a_training_that_failed_is_not_well(
    sqlite_engine: Engine, sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The command ends with 1 then, and with 0 after one that ended well."""
    monkeypatch.setenv("STORE_URL", sqlite_url)
    clock = FakeClock()
    with pytest.raises(GenrebaseError), job_run(sqlite_engine, clock, "train", service=True):
        raise GenrebaseError("Too little memory.")
    ended = CliRunner().invoke(app, ["health", "--json"])
    assert "Too little memory." in ended.stdout
    assert "Too little memory." in str(ended.exception)
    clock.advance(60)
    with job_run(sqlite_engine, clock, "train"):
        pass
    assert CliRunner().invoke(app, ["health"]).exit_code == 0


@pytest.mark.parametrize(
    "command",
    [
        ("train", "--genres", "jaz"),
        ("train", "--refit"),
        ("train", "--estimator", "logistics"),
        ("predict", "--task", "moods"),
        ("predict", "--artist", "Nobody"),
    ],
)
def test_a_mistyped_command_does_not_make_the_trainer_unhealthy(
    sqlite_engine: Engine, sqlite_url: str, monkeypatch: pytest.MonkeyPatch, command: list[str]
) -> None:
    """It is refused with a sentence, and no run is stored; `status` shows none either."""
    monkeypatch.setenv("STORE_URL", sqlite_url)
    Music().fill(sqlite_engine)
    refused = CliRunner().invoke(app, command)
    assert isinstance(refused.exception, UserError)
    health = CliRunner().invoke(app, ["health", "--json"])
    assert (health.exit_code, '"ok": true' in health.stdout) == (0, True)
    status = CliRunner().invoke(app, ["status", "--json"])
    assert '"last_runs": []' in status.stdout


def test_a_champion_that_cannot_be_used_is_not_well(
    sqlite_engine: Engine, sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`genrebase doctor` and `classifier health` say so, and what to do."""
    monkeypatch.setenv("STORE_URL", sqlite_url)
    Music().fill(sqlite_engine)
    assert champion_check() == (None, "No model yet: run `classifier train`.")
    model = train.run(
        sqlite_engine, TrainingConfig(estimator="tree"), FakeClock(), log=lambda _: None
    ).model
    assert champion_check() == (True, f"Model {model.id} (tree) predicts 3 genres.")
    assert TrainerHealth(sqlite_engine, FakeClock()).check().ok
    unknown = skops.io.dumps({"estimator": FunctionTransformer(io.open_code)})
    with transaction(sqlite_engine) as connection:
        connection.execute(
            update(tables.model).values(
                artifact=unknown, artifact_sha256=signature.checksum(unknown)
            )
        )
    trainer_metrics._unusable_reason.cache_clear()
    health = TrainerHealth(sqlite_engine, FakeClock()).check()
    for ok, sentence in (champion_check(), (health.ok, health.sentence)):
        assert ok is False
        assert sentence.startswith(f"Model {model.id} cannot be used.")
        assert sentence.endswith("Train again with `classifier train`.")


def champion_check() -> tuple[bool | None, str]:
    (check,) = [check for check in doctor.checks() if check.name == "champion"]
    return check.ok, check.sentence


def test_health_is_served(sqlite_engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """The daemon serves it while it runs; afterwards the check fails."""
    settings = ClassifierSettings(_env_file=None, http="0")
    with serve(settings.http, TrainerHealth(sqlite_engine, FakeClock())) as url:
        assert url is not None
        address = ListenAddress("127.0.0.1", int(url.rpartition(":")[2]))
        assert probe(address).ok
    assert not probe(address).ok
    monkeypatch.setenv("CLASSIFIER_HTTP", str(address.port))
    ended = CliRunner().invoke(app, ["health"])
    assert address.url in str(ended.exception)
    monkeypatch.setenv("CLASSIFIER_HTTP", "nowhere at all")
    assert isinstance(CliRunner().invoke(app, ["health"]).exception, InvalidSettings)
    monkeypatch.delenv("CLASSIFIER_HTTP")
    off_address = ClassifierSettings(_env_file=None).http
    with serve(off_address, TrainerHealth(sqlite_engine, FakeClock())) as off:
        assert off is None
