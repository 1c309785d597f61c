"""Create the tables of audio analysis: sections, progressions, summaries, matrices.

Revision ID: 0002
"""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

TEXT, BYTES = sa.Text(), sa.LargeBinary()
WHOLE, SMALL, DOUBLE = sa.Integer(), sa.SmallInteger(), sa.Double()
KEY = sa.BigInteger().with_variant(WHOLE, "sqlite")
NAME = TEXT.with_variant(sa.Text(collation="C"), "postgresql")
MOMENT = sa.DateTime(timezone=True)

SHARES = (
    *(f"degree_{number}" for number in range(12)), "minor_share", "repeated_share", "single_share",
)  # fmt: skip
TIMBRE_MEANS, TIMBRE_DEVIATIONS, PITCH_MEANS, PITCH_DEVIATIONS = (
    [f"{name}_{number}" for number in range(12)]
    for name in ("timbre_mean", "timbre_deviation", "pitch_mean", "pitch_deviation")
)


may = sa.Column


def must(name: str, *args: Any, **options: Any) -> sa.Column[Any]:
    return sa.Column(name, *args, nullable=False, **options)


def create(table: str, *parts: Any, key: tuple[str, ...]) -> None:
    to_track = sa.ForeignKey("track.id", name=f"fk_{table}_track_id_track", ondelete="CASCADE")
    op.create_table(
        table,
        must("track_id", KEY, to_track),
        must("provider", NAME),
        *parts,
        sa.PrimaryKeyConstraint("track_id", "provider", *key, name=f"pk_{table}"),
    )


def checks(table: str, **conditions: str) -> list[sa.CheckConstraint]:
    return [
        sa.CheckConstraint(condition, name=f"ck_{table}_{name}")
        for name, condition in conditions.items()
    ]


def within(table: str, low: float, high: float, *names: str) -> list[sa.CheckConstraint]:
    between = {f"{name}_range": f"{name} BETWEEN {low} AND {high}" for name in names}
    return checks(table, **between)


def at_least(table: str, minimum: int, **names: str) -> list[sa.CheckConstraint]:
    return checks(table, **{name: f"{column} >= {minimum}" for name, column in names.items()})


def upgrade() -> None:
    sections()
    summaries()
    create(
        "progression",
        must("numerals", NAME, comment="consecutive keys, joined by blanks"),
        must("length", SMALL, comment="how many numerals"),
        must("times", WHOLE),
        must("confidence", DOUBLE, comment="how sure its keys are, 0..1"),
        *within("progression", 2, 4, "length"),
        *at_least("progression", 1, at_least_once="times"),
        *within("progression", 0, 1, "confidence"),
        key=("numerals",),
    )
    create(
        "sound_matrix",
        must("kind", NAME),
        must("version", SMALL, comment="of the way it was made and packed"),
        must("steps", WHOLE, comment="rows, in the order of time"),
        must("channels", SMALL, comment="columns"),
        must("data", BYTES, comment="float16 by rows, little-endian, zlib"),
        *checks("sound_matrix", kind_known="kind IN ('segments', 'logmel')"),
        *(
            one
            for name in ("version", "steps", "channels")
            for one in at_least("sound_matrix", 1, **{f"{name}_positive": name})
        ),
        key=("kind",),
    )


def downgrade() -> None:
    for name in ("sound_matrix", "progression", "sound_summary", "section"):
        op.drop_table(name)


def sections() -> None:
    create(
        "section",
        must("position", SMALL, comment="0 is the first"),
        must("start", DOUBLE, comment="seconds from the beginning"),
        must("duration", DOUBLE, comment="seconds"),
        may("confidence", DOUBLE, comment="that a section begins here, 0..1"),
        may("degree", SMALL, comment="its key in semitones above the track's, 0..11"),
        may("numeral", TEXT, comment="degree and mode as a Roman numeral"),
        may("mode", SMALL, comment="1 major, 0 minor"),
        may("key_confidence", DOUBLE),
        may("mode_confidence", DOUBLE),
        may("tempo_ratio", DOUBLE, comment="its tempo by the track's"),
        may("tempo_confidence", DOUBLE),
        may("loudness", DOUBLE, comment="dB"),
        *at_least("section", 0, position_not_negative="position", start_not_negative="start"),
        *checks("section", duration_positive="duration > 0"),
        *within("section", 0, 11, "degree"),
        *within("section", 0, 1, "mode", "confidence", "key_confidence", "mode_confidence"),
        *within("section", 0, 1, "tempo_confidence"),
        *within("section", 0.0025, 400.0, "tempo_ratio"),
        *within("section", -100.0, 20.0, "loudness"),
        key=("position",),
    )


def summaries() -> None:
    table = "sound_summary"
    timbres, pitches = TIMBRE_MEANS + TIMBRE_DEVIATIONS, PITCH_MEANS + PITCH_DEVIATIONS
    counted = ("sections", "degree_changes", "segments")
    create(
        table,
        may("key", SMALL, comment="the track's tonic, 0 = C"),
        may("mode", SMALL, comment="1 major, 0 minor"),
        may("key_confidence", DOUBLE),
        may("mode_confidence", DOUBLE),
        must("sections", WHOLE),
        *(may(name, DOUBLE) for name in SHARES),
        must("degrees", SMALL, comment="different ones"),
        must("degree_changes", WHOLE),
        may("numerals", TEXT, comment="of its sections in order, repetitions left out"),
        must("segments", WHOLE),
        *(may(name, DOUBLE) for name in (*timbres, *pitches)),
        must("fetched_at", MOMENT),
        *within(table, 0, 11, "key"),
        *within(table, 0, 12, "degrees"),
        *within(table, 0, 1, "mode", "key_confidence", "mode_confidence", *SHARES, *pitches),
        *at_least(table, 0, **{f"{name}_not_negative": name for name in counted}),
        *at_least(table, 0, **{f"{name}_not_negative": name for name in TIMBRE_DEVIATIONS}),
        key=(),
    )
