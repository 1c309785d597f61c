"""Record which import delivered which track and sighting, so that it can be undone.

Revision ID: 0007
"""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

TEXT, WHOLE, LONG = sa.Text(), sa.Integer(), sa.BigInteger()
KEY = LONG.with_variant(sa.Integer(), "sqlite")
NAME = TEXT.with_variant(sa.Text(collation="C"), "postgresql")
JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
MOMENT = sa.DateTime(timezone=True)

ADDED = (
    sa.Column("id", KEY, comment="the import, as `imports` lists it"),
    sa.Column(
        "origin", NAME, comment="its versions share one; numbered where other tables have its name"
    ),
    sa.Column("options", JSON, comment="the options it was imported with"),
    sa.Column("schema", TEXT, comment="the descriptor schema of its values"),
    sa.Column("mapped", JSON, comment="the subgenres that it added to its mapping"),
    sa.Column("started_at", MOMENT, comment="NULL: its deliveries are not recorded"),
    sa.Column("tracks_new", WHOLE, nullable=False, server_default="0"),
    sa.Column("undo_started_at", MOMENT),
    sa.Column("undone_at", MOMENT),
)


def must(name: str, *args: Any, **options: Any) -> sa.Column[Any]:
    return sa.Column(name, *args, nullable=False, **options)


def reference(table: str, column: str, target: str, on_delete: str | None) -> sa.ForeignKey:
    name = f"fk_{table}_{column}_{target.partition('.')[0]}"
    return sa.ForeignKey(target, name=name, ondelete=on_delete)


def upgrade() -> None:
    with op.batch_alter_table("imported_file") as batch:
        for column in ADDED:
            batch.add_column(column)
        batch.alter_column("sha256", comment="of the file's bytes and its options")
    op.execute("""
        UPDATE imported_file SET origin = 'csv:' || name, id = (
            SELECT count(*) FROM imported_file earlier WHERE earlier.sha256 <= imported_file.sha256
        )
    """)
    with op.batch_alter_table("imported_file") as batch:
        batch.alter_column("id", existing_type=KEY, nullable=False)
        batch.alter_column("origin", existing_type=NAME, nullable=False)
        batch.create_unique_constraint("uq_imported_file_id", ["id"])
    op.create_table(
        "import_track",
        must("track_id", KEY, reference("import_track", "track_id", "track.id", "CASCADE")),
        must("import_id", KEY, reference("import_track", "import_id", "imported_file.id", None)),
        must("created", sa.Boolean(), comment="no source had it before"),
        must("delivered", WHOLE, comment="bits: which of its values are stored"),
        sa.Column("replaced", JSON, comment="what it filled or corrected, with the values before"),
        sa.PrimaryKeyConstraint("track_id", "import_id", name="pk_import_track"),
        sqlite_with_rowid=False,
    )
    name = "import_sighting"
    op.create_table(
        name,
        must("track_id", KEY, reference(name, "track_id", "track.id", "CASCADE")),
        must("genre_id", KEY, reference(name, "genre_id", "genre.id", "CASCADE")),
        must("import_id", KEY, reference(name, "import_id", "imported_file.id", None)),
        must("best_rank", WHOLE),
        must("times", WHOLE, comment="its part of `sighting.times`"),
        sa.Column(
            "rank_before", WHOLE, comment="the best rank before it; NULL: it was not sighted"
        ),
        sa.CheckConstraint("best_rank >= 0", name=op.f("ck_import_sighting_rank_not_negative")),
        sa.CheckConstraint("times >= 0", name=op.f("ck_import_sighting_times_not_negative")),
        sa.PrimaryKeyConstraint("track_id", "genre_id", "import_id", name="pk_import_sighting"),
        sqlite_with_rowid=False,
    )


def downgrade() -> None:
    op.drop_table("import_sighting")
    op.drop_table("import_track")
    with op.batch_alter_table("imported_file") as batch:
        batch.drop_constraint("uq_imported_file_id", type_="unique")
        for column in ADDED:
            batch.drop_column(column.name)
