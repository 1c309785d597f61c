"""Create the tables of the search by words; all tracks wait to be indexed.

`genrebase.store.search_index` creates what belongs to them on each kind of database: triggers on
`track`, and the index itself.

Revision ID: 0024
"""

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
WORDS = "of title and artists, each between bars"
DUE = "a track that is new, renamed or deleted"


def upgrade() -> None:
    op.create_table(
        "search_text",
        sa.Column("track_id", KEY, autoincrement=False),
        sa.Column("words", sa.Text(), nullable=False, comment=WORDS),
        sa.PrimaryKeyConstraint("track_id", name="pk_search_text"),
    )
    op.create_table(
        "search_due",
        sa.Column("id", KEY),
        sa.Column("track_id", KEY, nullable=False, comment=DUE),
        sa.PrimaryKeyConstraint("id", name="pk_search_due"),
    )
    op.execute("INSERT INTO search_due (track_id) SELECT id FROM track ORDER BY id")


def downgrade() -> None:
    on = " ON track" if op.get_bind().dialect.name == "postgresql" else ""
    for event in ("inserted", "renamed", "deleted"):
        op.execute(f"DROP TRIGGER IF EXISTS track_{event}{on}")
    if on:
        op.execute("DROP TABLE search_text")
        op.execute("DROP FUNCTION IF EXISTS text_trigrams(text)")
        op.execute("DROP FUNCTION IF EXISTS note_changed_tracks()")
        op.execute("DROP FUNCTION IF EXISTS note_renamed_track()")
    else:
        op.execute("DROP TABLE IF EXISTS search_index")
        op.drop_table("search_text")
    op.drop_table("search_due")
