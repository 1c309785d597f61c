"""Genres that may be one are proposed, and a mapping of them is written; nothing is merged."""

import json

import pytest
from sqlalchemy import Engine, func, insert, select
from typer.testing import CliRunner

from classifier.training import train
from classifier.training_config import TrainingConfig
from collector.catalogue import genre_counters
from collector.cli import app
from collector.curation import mappings
from genrebase.digests import refresh
from genrebase.errors import NothingToDo, UserError
from genrebase.runtime.clock import SystemClock
from genrebase.store import tables, views
from genrebase.store.engine import read_transaction, transaction
from tests.classifier_cli import run_json, run_text
from tests.fakes import NOON
from tests.synthetic_music import Music

MUSIC = Music(genres=("blues", "metal", "techno"), artists=60)
SENTENCE = "thrash and metal: every track is under both"


def fill(engine: Engine) -> Engine:
    """Every track of metal was seen under thrash, too."""
    MUSIC.fill(engine)
    seen = {"first_seen_at": NOON, "last_seen_at": NOON}
    ids = [song.id for song in MUSIC.songs if song.genre == 1]
    with transaction(engine) as connection:
        connection.execute(insert(tables.genre).values(id=9, name="thrash", created_at=NOON))
        connection.execute(
            insert(tables.sighting),
            [
                {"track_id": one, "genre_id": 9, "source": "csv:music", "best_rank": 5, **seen}
                for one in ids
            ],
        )
        genre_counters.recount(connection)
    return engine


def rows_by_table(engine: Engine) -> dict[str, int]:
    with read_transaction(engine) as connection:
        return {
            name: connection.scalar(select(func.count()).select_from(table)) or 0
            for name, table in tables.metadata.tables.items()
        }


def test_a_mapping_is_written_and_nothing_else(engine: Engine) -> None:
    """Models of broad genres train on it; genres and labels stay."""
    fill(engine)
    proposals = mappings.proposed_merges(engine)
    assert [one.sentence() for one in proposals] == [SENTENCE]
    before = rows_by_table(engine)
    done = mappings.define_merged(engine, "merged", proposals)
    after = rows_by_table(engine)
    assert (done.genres, done.broad) == (4, ("blues", "metal", "techno"))
    assert {name for name, count in after.items() if count != before[name]} == {"genre_mapping"}
    with read_transaction(engine) as connection:
        row = views.genre_mappings.c
        query = select(row.fine, row.broad).where(row.mapping == "merged")
        assert dict(connection.execute(query).all())["thrash"] == "metal"
    config = TrainingConfig(
        task="merged", estimator="logistic", mapping="merged", level="broad", features=("audio",)
    )
    model = train.run(engine, config, SystemClock(), log=lambda _: None, cores=1).model
    assert model.classes == ("blues", "metal", "techno")


def test_without_a_proposal_no_mapping_is_written(sqlite_engine: Engine) -> None:
    """Three genres without a common track."""
    MUSIC.fill(sqlite_engine)
    assert mappings.proposed_merges(sqlite_engine) == []
    with pytest.raises(NothingToDo):
        mappings.define_merged(sqlite_engine, "mine", [])
    assert rows_by_table(sqlite_engine)["genre_mapping"] == 0


def test_a_mapping_of_that_name_is_not_replaced(sqlite_engine: Engine) -> None:
    """The sentence says how to remove it."""
    fill(sqlite_engine)
    proposals = mappings.proposed_merges(sqlite_engine)
    mappings.define_merged(sqlite_engine, "mine", proposals)
    with pytest.raises(UserError, match="--remove mine"):
        mappings.define_merged(sqlite_engine, "mine", proposals)


def test_commands_propose_it(
    sqlite_url: str, sqlite_engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`collector genres merges`, `classifier explore` and `classifier status`."""
    monkeypatch.setenv("STORE_URL", sqlite_url)
    fill(sqlite_engine)
    ran = CliRunner().invoke(app, ["genres", "merges", "--mapping", "one", "--json"])
    document = json.loads(ran.stdout)
    assert [one["sentence"] for one in document["proposals"]] == [SENTENCE]
    assert (document["mapping"], document["broad"]) == ("one", 3)
    assert run_json("explore")["merges"][0]["overlap"] == 1.0
    assert SENTENCE in " ".join(run_text("explore").split())
    assert run_json("status")["merge_proposals"] == []  # no digest yet
    refresh.refresh(sqlite_engine, SystemClock())
    assert [one["keep"] for one in run_json("status")["merge_proposals"]] == ["metal"]
