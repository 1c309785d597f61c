"""The schema migrates up, down and up again, and views that users created are preserved."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, create_engine, inspect, make_url, select, text

from genrebase.store import schema_upgrade, tables, views
from genrebase.store.engine import make_engine, read_transaction, transaction
from genrebase.store.errors import ViewConflict
from tests import factories as make
from tests import filled_database

NEXT = f"""
import sqlalchemy as sa
from alembic import op

revision = "next"
down_revision = "{schema_upgrade.EXPECTED_REVISION}"


def upgrade():
    with op.batch_alter_table("track") as batch:
        batch.add_column(sa.Column("mood", sa.Text()))
        batch.alter_column("popularity", type_=sa.Integer())


def downgrade():
    with op.batch_alter_table("track") as batch:
        batch.alter_column("popularity", type_=sa.SmallInteger())
        batch.drop_column("mood")
"""
DROPS_A_COLUMN = (
    NEXT.split("def upgrade", maxsplit=1)[0]
    + """
def upgrade():
    with op.batch_alter_table("shard") as batch:
        batch.drop_column("lease_owner")
"""
)


@pytest.fixture
def with_next(tmp_path: Path):
    """Return a function that adds an invented next revision to alembic's configuration."""

    def configure(url: str, body: str = NEXT) -> Config:
        folder = tmp_path / "versions"
        folder.mkdir(exist_ok=True)
        (folder / "next.py").write_text(body)
        config = schema_upgrade.alembic_config(url)
        ours = schema_upgrade.migrations_folder() / "versions"
        config.set_main_option("path_separator", "newline")
        config.set_main_option("version_locations", f"{ours}\n{folder}")
        return config

    return configure


@pytest.fixture
def filled(engine: Engine) -> Engine:
    """A database with a track, and views that a user created on ours."""
    with transaction(engine) as connection:
        rock = make.add_genre(connection, "rock")
        track = make.add_track(connection, "Song", ["Ann", "Bob"], genres=[rock])
        make.add_features(connection, track)
        make.add_alias(connection, track, "a" * 22)
        connection.execute(text("CREATE VIEW mine AS SELECT track_id, title, label FROM tracks"))
        connection.execute(text("CREATE VIEW mine_again AS SELECT title FROM mine"))
        connection.execute(text("CREATE VIEW on_tables AS SELECT id, popularity FROM track"))
    return engine


def url_of(engine: Engine) -> str:
    return engine.url.render_as_string(hide_password=False)


def contents(engine: Engine) -> dict[str, list[tuple]]:
    """Every row of every table, without the column that the next revision adds."""
    with read_transaction(engine) as connection:
        return {
            name: sorted(map(tuple, connection.execute(select(table))), key=repr)
            for name, table in tables.metadata.tables.items()
        }


ADDED_TABLES = (
    "import_track",
    "import_sighting",
    "acousticbrainz_recording",
    "vocabulary",
    "audio_item",
    "audio_item_genre",
    "audio_download",
    "data_source",
    "range_lease",
    "job_request",
    "daemon",
    "model_comparison",
    "digest",
    "search_text",
    "search_due",
    "merged_track",
    "feature_order",
)
ADDED_COLUMNS = {
    "sighting": ("source", "votes", "level", "licence", "playlist"),
    "audio_features": ("licence",),
    "shard": ("cursor",),
    "track": ("features_provider",),
    "model": ("track_counts",),
}


def without_provenance(rows: dict[str, list[tuple]]) -> dict[str, list[tuple]]:
    """The rows without what revision 0007 and later ones added."""
    kept = {name: rows[name] for name in rows if name not in ADDED_TABLES}
    for name, added in ADDED_COLUMNS.items():
        columns = tables.metadata.tables[name].columns.keys()
        taken = [place for place, column in enumerate(columns) if column not in added]
        kept[name] = [tuple(row[place] for place in taken) for row in rows[name]]
    return kept | {"imported_file": [row[:4] for row in rows["imported_file"]]}


def query(engine: Engine, question: str) -> list[tuple]:
    with read_transaction(engine) as connection:
        return [tuple(row) for row in connection.execute(text(question))]


def test_up_down_up(bare_url: str):
    """Upgrade, downgrade and upgrade again leave exactly the schema the tables describe."""
    config = schema_upgrade.alembic_config(bare_url)
    command.upgrade(config, "head")
    command.check(config)
    command.downgrade(config, "base")
    engine = make_engine(bare_url)
    with read_transaction(engine) as connection:
        left = inspect(connection)
        assert left.get_table_names() == ["alembic_version"]
        assert left.get_view_names() == []
    engine.dispose()
    command.upgrade(config, "head")
    command.check(config)


def test_renamed_columns_keep_their_values(engine: Engine):
    """Down to the revision before the renaming and up again, no value changes.

    What was recorded about imports since revision 0007 is lost.
    """
    filled_database.fill(engine)
    before = without_provenance(contents(engine))
    config = schema_upgrade.alembic_config(url_of(engine))
    command.downgrade(config, "0005")
    assert query(engine, "SELECT count(heard_as) FROM sound_file") == [(3,)]
    command.upgrade(config, "head")
    assert without_provenance(contents(engine)) == before


def test_expected_revision_is_the_head():
    """The expected revision is the last one."""
    script = ScriptDirectory.from_config(schema_upgrade.alembic_config())
    assert script.get_heads() == [schema_upgrade.EXPECTED_REVISION]


def test_every_table_and_view_is_readable(engine: Engine):
    """A migrated database has every table and view, all empty but for what is built in."""
    filled = (views.genre_mappings, views.catalogue_counts, tables.feature_order)
    with read_transaction(engine) as connection:
        for table in [*tables.metadata.tables.values(), *views.ALL.values()]:
            rows = connection.execute(select(table)).all()
            assert bool(rows) is (table in filled)


def test_an_upgrade_keeps_data_and_views(filled: Engine, with_next):
    """Altering `track` keeps every row, and users' views on views on our views."""
    before = contents(filled)
    command.upgrade(with_next(url_of(filled)), "head")
    assert contents(filled) == before
    assert query(filled, "SELECT mood FROM track") == [(None,)]
    assert query(filled, "SELECT title, label FROM mine") == [("Song", "rock")]
    assert query(filled, "SELECT title FROM mine_again") == [("Song",)]
    assert query(filled, "SELECT popularity FROM on_tables") == [(None,)]
    assert query(filled, "SELECT count(*) FROM training_tracks") == [(1,)]


def test_foreign_keys_hold_after_an_upgrade(filled: Engine, with_next):
    """Rebuilding `track` keeps the foreign keys of other tables to it."""
    command.upgrade(with_next(url_of(filled)), "head")
    with transaction(filled) as connection:
        connection.execute(text("DELETE FROM track"))
        assert connection.execute(text("SELECT count(*) FROM sighting")).scalar() == 0


def test_a_view_on_a_dropped_column_stops_the_upgrade(filled: Engine, with_next):
    """The view is named, and nothing has changed."""
    with transaction(filled) as connection:
        connection.execute(text("CREATE VIEW on_lease AS SELECT lease_owner FROM shard"))
    before = contents(filled)
    with pytest.raises(ViewConflict, match=r"Nothing was changed.*on_lease"):
        command.upgrade(with_next(url_of(filled), DROPS_A_COLUMN), "head")
    assert contents(filled) == before
    assert schema_upgrade.current_revision(filled) == schema_upgrade.EXPECTED_REVISION
    assert query(filled, "SELECT title FROM mine_again") == [("Song",)]


def test_views_stop_a_downgrade_to_base(filled: Engine):
    """Users' views need ours: all are named, and nothing has changed."""
    with pytest.raises(ViewConflict, match=r"mine.*mine_again.*on_tables"):
        command.downgrade(schema_upgrade.alembic_config(url_of(filled)), "base")
    assert query(filled, "SELECT title FROM mine_again") == [("Song",)]
    assert schema_upgrade.current_revision(filled) == schema_upgrade.EXPECTED_REVISION


def test_a_taken_name_stops_the_upgrade(bare_url: str):
    """A user's view with the name of one of ours is never replaced."""
    engine = make_engine(bare_url)
    with transaction(engine) as connection:
        connection.execute(text("CREATE VIEW tracks AS SELECT 1 AS one"))
    with pytest.raises(ViewConflict, match="tracks"):
        schema_upgrade.upgrade(bare_url)
    assert query(engine, "SELECT one FROM tracks") == [(1,)]
    assert schema_upgrade.current_revision(engine) is None
    engine.dispose()


def test_a_changed_order_of_providers_recreates_the_views(
    filled: Engine, monkeypatch: pytest.MonkeyPatch
):
    """An upgrade at head recreates the views when their definition changed."""
    with transaction(filled) as connection:
        make.add_features(connection, 1, "reccobeats")
    assert query(filled, "SELECT provider FROM tracks") == [("csv",)]
    monkeypatch.setenv("COLLECTOR_FEATURE_ORDER", "reccobeats, csv")
    schema_upgrade.upgrade(url_of(filled))
    assert query(filled, "SELECT provider FROM tracks") == [("reccobeats",)]
    assert query(filled, "SELECT title FROM mine_again") == [("Song",)]


def test_repair_chooses_the_providers_again(filled: Engine, monkeypatch: pytest.MonkeyPatch):
    """Rows of features that another program wrote count then; an upgrade at head reads none."""
    with transaction(filled) as connection:
        connection.execute(text("UPDATE audio_features SET provider = 'reccobeats'"))
    before = view_ids(filled)
    schema_upgrade.upgrade(url_of(filled))
    assert query(filled, "SELECT provider FROM tracks") == [(None,)]
    monkeypatch.setenv("STORE_URL", url_of(filled))
    schema_upgrade.migrate(repair=True)
    assert query(filled, "SELECT provider FROM tracks") == [("reccobeats",)]
    assert view_ids(filled) == before


def test_new_views_change_no_rows(filled: Engine):
    """An upgrade without a revision recreates views only: it does not read the tracks."""
    with transaction(filled) as connection:
        connection.execute(text("UPDATE audio_features SET provider = 'reccobeats'"))
        connection.execute(text("DROP VIEW imports"))
    schema_upgrade.upgrade(url_of(filled))
    assert query(filled, "SELECT provider FROM tracks") == [(None,)]
    assert query(filled, "SELECT count(*) FROM imports")


def view_ids(engine: Engine) -> list[tuple]:
    """Return ids by which a recreated view differs from the one before."""
    if engine.dialect.name == "sqlite":
        return query(engine, "SELECT rowid, name, sql FROM sqlite_master ORDER BY rowid")
    return query(engine, "SELECT oid, relname FROM pg_class WHERE relkind = 'v' ORDER BY oid")


def test_read_only_commands_do_not_change_views(filled: Engine):
    """`current`, `check`, `heads`, `history` and an upgrade at head change nothing."""
    before = view_ids(filled)
    config = schema_upgrade.alembic_config(url_of(filled))
    for run in (command.current, command.check, command.heads, command.history):
        run(config)
    schema_upgrade.upgrade(url_of(filled))
    assert view_ids(filled) == before


def test_triggers_survive_on_sqlite(sqlite_engine: Engine, with_next):
    """Users' triggers on our tables and on their views work after an upgrade."""
    noted = "BEGIN INSERT INTO log VALUES (new.title); END"
    with transaction(sqlite_engine) as connection:
        rock = make.add_genre(connection, "rock")
        for statement in (
            "CREATE TABLE log (title TEXT)",
            "CREATE VIEW mine AS SELECT title FROM tracks",
            f"CREATE TRIGGER noted AFTER INSERT ON track {noted}",
            f"CREATE TRIGGER handed INSTEAD OF INSERT ON mine {noted}",
        ):
            connection.execute(text(statement))
    command.upgrade(with_next(url_of(sqlite_engine)), "head")
    with transaction(sqlite_engine) as connection:
        make.add_track(connection, "One", genres=[rock])
        connection.execute(text("INSERT INTO mine VALUES ('Two')"))
    assert query(sqlite_engine, "SELECT title FROM log") == [("One",), ("Two",)]


@pytest.fixture
def reader(postgres_engine: Engine) -> Iterator[str]:
    """A role that has read access to some of the views."""
    name = f"reader_{make_url(url_of(postgres_engine)).database}"
    with transaction(postgres_engine) as connection:
        connection.execute(text(f'CREATE ROLE "{name}" LOGIN'))
    yield name
    with transaction(postgres_engine) as connection:
        connection.execute(text(f'DROP OWNED BY "{name}" CASCADE'))
        connection.execute(text(f'DROP ROLE "{name}"'))


def test_grants_survive_on_postgresql(postgres_engine: Engine, with_next, reader: str):
    """Grants on our views, on their columns and on users' own views are restored."""
    with transaction(postgres_engine) as connection:
        make.add_track(connection, "Song")
        for statement in (
            "CREATE SCHEMA lab",
            "CREATE VIEW lab.mine AS SELECT title FROM tracks",
            "CREATE MATERIALIZED VIEW lab.kept AS SELECT title FROM lab.mine",
            "CREATE UNIQUE INDEX kept_title ON lab.kept (title)",
            "CREATE VIEW lab.top WITH (security_barrier) AS SELECT title FROM lab.kept",
            "COMMENT ON COLUMN lab.top.title IS 'it''s 100% mine: really'",
            f'GRANT USAGE ON SCHEMA lab TO "{reader}"',
            f'GRANT SELECT ON tracks TO "{reader}" WITH GRANT OPTION',
            f'GRANT SELECT (genre, tracks) ON genre_progress TO "{reader}"',
            f'GRANT SELECT ON lab.top TO "{reader}"',
            "GRANT SELECT ON lab.mine TO PUBLIC",
            f'ALTER VIEW lab.mine OWNER TO "{reader}"',
            f'SET LOCAL ROLE "{reader}"',
            "GRANT SELECT ON tracks TO PUBLIC",
            "RESET ROLE",
            # default privileges of new views must not widen the restored grants
            f'ALTER DEFAULT PRIVILEGES GRANT ALL ON TABLES TO "{reader}"',
        ):
            connection.execute(text(statement.replace(":", "\\:")))
    acl = """
        SELECT CAST(CAST(oid AS regclass) AS text), pg_get_userbyid(relowner),
            CAST(reloptions AS text), pg_get_viewdef(oid), ARRAY(
                SELECT CAST(item AS text)
                FROM unnest(coalesce(relacl, acldefault('r', relowner))) item ORDER BY 1
            )
        FROM pg_class WHERE relkind IN ('v', 'm') AND relnamespace IN
            (CAST('public' AS regnamespace), CAST('lab' AS regnamespace)) ORDER BY 1
    """
    before = query(postgres_engine, acl)
    command.upgrade(with_next(url_of(postgres_engine)), "head")
    assert query(postgres_engine, acl) == before
    address = postgres_engine.url.set(username=reader)
    as_reader = create_engine(address)
    with as_reader.connect() as connection:
        assert connection.execute(text("SELECT title FROM tracks")).scalar() == "Song"
        assert connection.execute(text("SELECT title FROM lab.top")).scalar() == "Song"
        assert connection.execute(text("SELECT genre, tracks FROM genre_progress")).all() == []
    as_reader.dispose()
    indexes = query(postgres_engine, "SELECT indexname FROM pg_indexes WHERE schemaname = 'lab'")
    assert indexes == [("kept_title",)]
    assert query(postgres_engine, "SELECT col_description(CAST('lab.top' AS regclass), 1)") == [
        ("it's 100% mine: really",)
    ]


def test_a_function_over_a_view_stops_the_upgrade(postgres_engine: Engine, with_next):
    """An object that cannot be saved and restored is named before anything changes."""
    with transaction(postgres_engine) as connection:
        connection.execute(
            text(
                "CREATE FUNCTION every_track() RETURNS SETOF tracks LANGUAGE sql "
                "AS 'SELECT * FROM tracks'"
            )
        )
    with pytest.raises(ViewConflict, match="every_track"):
        command.upgrade(with_next(url_of(postgres_engine)), "head")
    assert schema_upgrade.current_revision(postgres_engine) == schema_upgrade.EXPECTED_REVISION
    assert query(postgres_engine, "SELECT count(*) FROM every_track()") == [(0,)]
