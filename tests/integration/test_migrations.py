"""The schema goes up, down and up again, and people's own views stay."""

from alembic import command
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, inspect, select

from genrebase.store import schema, tables, views
from genrebase.store.engine import make_engine, reading


def test_up_down_up(bare_url: str):
    """Upgrade, downgrade and upgrade again leave exactly the schema the tables describe."""
    config = schema.alembic_config(bare_url)
    command.upgrade(config, "head")
    command.check(config)
    command.downgrade(config, "base")
    engine = make_engine(bare_url)
    with reading(engine) as connection:
        left = inspect(connection)
        assert left.get_table_names() == ["alembic_version"]
        assert left.get_view_names() == []
    engine.dispose()
    command.upgrade(config, "head")
    command.check(config)


def test_expected_revision_is_the_head():
    """The revision this version expects is the last one there is."""
    script = ScriptDirectory.from_config(schema.alembic_config())
    assert script.get_heads() == [schema.EXPECTED_REVISION]


def test_everything_can_be_asked(engine: Engine):
    """A migrated database answers every table and every view."""
    with reading(engine) as connection:
        for table in [*tables.metadata.tables.values(), *views.metadata.tables.values()]:
            assert connection.execute(select(table)).all() == []
