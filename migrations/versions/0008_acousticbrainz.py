"""Create the table of AcousticBrainz' numbers.

Revision ID: 0008
"""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

TEXT, WHOLE, SMALL = sa.Text(), sa.Integer(), sa.SmallInteger()
KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
NAME = TEXT.with_variant(sa.Text(collation="C"), "postgresql")
MOMENT = sa.DateTime(timezone=True)
TABLE = "acousticbrainz_recording"
GROUPS = ("lowlevel", "rhythm", "tonal", "strength")
NUMBERS = {
    "average_loudness": (0.0, 1.0),
    "dynamic_complexity": (0.0, 1000.0),
    "mfcc_zero_mean": (-10000.0, 10000.0),
    "bpm": (1.0, 400.0),
    "bpm_first_peak": (1.0, 400.0),
    "bpm_second_peak": (1.0, 400.0),
    "danceability": (0.0, 100.0),
    "onset_rate": (0.0, 100.0),
    "tuning_frequency": (1.0, 20000.0),
    "tuning_deviation": (0.0, 1.0),
    "key_strength": (-1.0, 1.0),
}
LIMITS = {**NUMBERS, "key": (0, 11), "mode": (0, 1), "key_share": (0, 1)}


def must(name: str, *args: Any, **options: Any) -> sa.Column[Any]:
    return sa.Column(name, *args, nullable=False, **options)


def check(name: str, condition: str) -> sa.CheckConstraint:
    return sa.CheckConstraint(condition, name=op.f(f"ck_{TABLE}_{name}"))


def upgrade() -> None:
    to_track = sa.ForeignKey("track.id", name=f"fk_{TABLE}_track_id_track", ondelete="CASCADE")
    op.create_table(
        TABLE,
        must("track_id", KEY, to_track),
        must("provider", NAME),
        must(
            "recording_id",
            NAME,
            comment="the recording's MBID; `md5:…` of the audio where a document has none",
        ),
        must(
            "origin",
            NAME,
            comment="the import that delivered it; the provider: its API",
        ),
        *(
            must(
                f"{group}_submissions",
                WHOLE,
                server_default="0",
                comment="submissions that these numbers summarise",
            )
            for group in GROUPS
        ),
        *(
            column
            for name in NUMBERS
            for column in (
                sa.Column(name, sa.Double(), comment="the lower median of its submissions"),
                sa.Column(
                    f"{name}_range",
                    sa.Double(),
                    comment="the largest minus the smallest; NULL: one",
                ),
            )
        ),
        sa.Column("key", SMALL, comment="the commonest, 0 = C"),
        sa.Column("mode", SMALL, comment="1 major, 0 minor"),
        sa.Column(
            "key_share",
            sa.Double(),
            comment="the share of submissions with this key and mode, 0..1",
        ),
        must("fetched_at", MOMENT),
        *(
            check(f"{name}_limits", f"{name} BETWEEN {low} AND {high}")
            for name, (low, high) in LIMITS.items()
        ),
        *(
            check(f"{group}_submissions_not_negative", f"{group}_submissions >= 0")
            for group in GROUPS
        ),
        sa.PrimaryKeyConstraint(
            "track_id", "provider", "recording_id", "origin", name=f"pk_{TABLE}"
        ),
    )


def downgrade() -> None:
    op.drop_table(TABLE)
