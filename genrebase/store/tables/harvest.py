"""Harvest tables: shards of the search space, rate limits, job runs and their leases."""

from typing import Final

from sqlalchemy import (
    CheckConstraint,
    Column,
    Double,
    ForeignKey,
    Index,
    Integer,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
)

from genrebase.store.tables.columns import Json, Key, Name, UtcDateTime, metadata, one_of, where

SHARD_STATUSES: Final = ("open", "split", "exhausted", "capped")
ALL_YEARS: Final = (0, 9999)
"""The year range of a shard without a year filter."""
CLOSED_SHARDS: Final = "status IN ('exhausted', 'capped')"
"""The condition of shards that were read as far as a search returns rows, as their indexes have
it."""
WHOLE_SHARDS: Final = "year_to = 9999"
"""The condition of shards over all years, as their index has it."""
JOB_OUTCOMES: Final = ("running", "done", "nothing_new", "blocked", "failed", "interrupted")
REQUESTED_JOBS: Final = ("train", "predict")
"""Jobs of the trainer that people can request."""

shard = Table(
    "shard",
    metadata,
    Column("id", Key, primary_key=True),
    Column("genre_id", Key, ForeignKey("genre.id", ondelete="CASCADE"), nullable=False),
    Column("source", Name, nullable=False),
    Column("query", Text, nullable=False, comment="the search query, byte for byte"),
    Column("year_from", SmallInteger, nullable=False),
    Column("year_to", SmallInteger, nullable=False),
    Column("first_rank", Integer, nullable=False, server_default="0", comment="of offset 0"),
    Column(
        "head",
        Integer,
        nullable=False,
        server_default="0",
        comment="rows at the beginning that are read last",
    ),
    Column("next_offset", Integer, nullable=False, server_default="0"),
    Column("end_offset", Integer, comment="end of its rows, while its head is read"),
    Column("cursor", Text, comment="the source's own mark of the next page, where it has one"),
    Column("status", Text, nullable=False, server_default="open"),
    Column("requests", Integer, nullable=False, server_default="0"),
    Column("items", Integer, nullable=False, server_default="0"),
    Column("tracks_new", Integer, nullable=False, server_default="0"),
    Column("dry_pages", SmallInteger, nullable=False, server_default="0"),
    Column("empty_pages", SmallInteger, nullable=False, server_default="0"),
    Column("promised", Double, comment="new tracks expected on the next page; NULL: a full page"),
    Column("lease_owner", Text),
    Column("lease_until", Double, comment="seconds since 1970"),
    Column("fencing_token", Integer, nullable=False, server_default="0"),
    Column("visited_at", UtcDateTime),
    Column("created_at", UtcDateTime, nullable=False),
    UniqueConstraint("genre_id", "source", "query", "year_from", "year_to"),
    Index("ix_shard_status", "source", "status", "visited_at"),
    Index("ix_shard_closed", "genre_id", "source", "visited_at", **where(CLOSED_SHARDS)),
    Index("ix_shard_closed_years", "genre_id", "source", "year_to", **where(CLOSED_SHARDS)),
    Index("ix_shard_whole", "genre_id", "source", **where(WHOLE_SHARDS)),
    Index("ix_shard_lease", "lease_until", **where("lease_until IS NOT NULL")),
    CheckConstraint(one_of("status", SHARD_STATUSES), name="status_known"),
    CheckConstraint("year_from <= year_to", name="years_in_order"),
    CheckConstraint("next_offset >= 0", name="offset_not_negative"),
)

source_budget = Table(
    "source_budget",
    metadata,
    Column("source", Name, primary_key=True),
    Column("credential", Name, primary_key=True, comment="a fingerprint, never the secret"),
    Column("account", Name, comment="its name, where several credentials share the row"),
    Column("next_slot_at", Double, nullable=False, server_default="0", comment="s since 1970"),
    Column("interval", Double, nullable=False, comment="seconds between two requests"),
    Column("ceiling", Double, comment="learned limit in requests per window; NULL: none"),
    Column("requests", Key, nullable=False, server_default="0"),
    Column(
        "refusals", Key, nullable=False, server_default="0", comment="responses with status 429"
    ),
    Column("banned_seconds", Double, nullable=False, server_default="0", comment="in total"),
    Column("blocked_until", Double, comment="seconds since 1970"),
    Column("blocked_reason", Text),
    Column("next_probe_at", Double, comment="seconds since 1970"),
    Column("capabilities", Json, nullable=False, comment="page limit, closed endpoints"),
)

budget_slot = Table(
    "budget_slot",
    metadata,
    Column("id", Key, primary_key=True),
    Column("source", Name, nullable=False),
    Column("credential", Name, nullable=False),
    Column("at", Double, nullable=False, comment="seconds since 1970; the last window's are kept"),
    Index(None, "source", "credential", "at"),
)

job_run = Table(
    "job_run",
    metadata,
    Column("id", Key, primary_key=True),
    Column("job", Name, nullable=False),
    Column("started_at", UtcDateTime, nullable=False),
    Column("finished_at", UtcDateTime),
    Column("outcome", Text, nullable=False, server_default="running"),
    Column("counts", Json, nullable=False),
    Column("error", Text),
    Index(None, "job", "started_at"),
    CheckConstraint(one_of("outcome", JOB_OUTCOMES), name="outcome_known"),
)

job_request = Table(
    "job_request",
    metadata,
    Column("id", Key, primary_key=True),
    Column("job", Name, nullable=False),
    Column("requested_at", UtcDateTime, nullable=False),
    Column("requested_by", Text),
    Column("taken_at", UtcDateTime, comment="when a daemon began with it"),
    CheckConstraint(one_of("job", REQUESTED_JOBS), name="job_can_be_requested"),
    comment="jobs that people want a daemon to run now",
)

daemon = Table(
    "daemon",
    metadata,
    Column("name", Name, primary_key=True),
    Column("process", Name, primary_key=True, comment="host, process id and start time"),
    Column("started_at", UtcDateTime, nullable=False),
    Column("alive_at", UtcDateTime, nullable=False, comment="its latest heartbeat"),
    comment="the daemons that run; one that ends removes its row",
)

range_lease = Table(
    "range_lease",
    metadata,
    Column("job", Name, primary_key=True, comment="what is done with the rows"),
    Column("first_id", Key, primary_key=True),
    Column("last_id", Key, nullable=False),
    Column("run_id", Key, nullable=False, comment="the run of job_run that works on them"),
    Column("lease_until", Double, nullable=False, comment="seconds since 1970"),
    comment="ranges of ids that workers of a cluster work on right now",
)
