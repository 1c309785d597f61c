"""Number the recordings of a name, so that one index finds a name and keeps identities unique.

Revision ID: 0029

An identity is the match key and, from the second recording, its ordinal: two indexes with nearly
the same text made every new track expensive. The index of ISRCs leaves out tracks without one.
"""

import sqlalchemy as sa
from alembic import op

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None

ORDINAL = "its number among the recordings of its name, from 1"
HAS_ISRC = sa.text("isrc IS NOT NULL")


def upgrade() -> None:
    op.drop_index("ix_track_name_key", "track")
    op.drop_index("ix_track_isrc", "track")
    op.add_column(
        "track",
        sa.Column(
            "ordinal", sa.SmallInteger(), nullable=False, server_default="1", comment=ORDINAL
        ),
    )
    op.execute(
        "UPDATE track SET ordinal = CAST(substr(identity, length(name_key) + 2) AS INTEGER)"
        " WHERE identity <> name_key AND identity LIKE '%|%|%'"
    )
    with op.batch_alter_table("track") as batch:
        batch.drop_constraint("uq_track_identity", type_="unique")
        batch.create_unique_constraint("uq_track_name_key_ordinal", ["name_key", "ordinal"])
    op.create_index(
        "ix_track_isrc", "track", ["isrc"], sqlite_where=HAS_ISRC, postgresql_where=HAS_ISRC
    )


def downgrade() -> None:
    op.drop_index("ix_track_isrc", "track")
    with op.batch_alter_table("track") as batch:
        batch.drop_constraint("uq_track_name_key_ordinal", type_="unique")
        batch.create_unique_constraint("uq_track_identity", ["identity"])
    op.execute("ALTER TABLE track DROP COLUMN ordinal")
    op.create_index("ix_track_name_key", "track", ["name_key"])
    op.create_index("ix_track_isrc", "track", ["isrc"])
