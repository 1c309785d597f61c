"""Metadata, column types and helpers that all table modules share."""

from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy import (
    JSON,
    BigInteger,
    DateTime,
    Dialect,
    Integer,
    MetaData,
    Text,
    TypeDecorator,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    }
)
"""Every table of Genrebase."""

Key = BigInteger().with_variant(Integer(), "sqlite")
"""A 64-bit surrogate key (SQLite generates ids only for INTEGER PRIMARY KEY)."""

Name = Text().with_variant(Text(collation="C"), "postgresql")
"""Text that sorts by code point on both engines."""

Json = JSON().with_variant(JSONB(), "postgresql")

_SQLITE_FORMAT: Final = "%Y-%m-%d %H:%M:%S.%f"


class UtcDateTime(TypeDecorator[datetime]):
    """A time in UTC: `timestamptz` on PostgreSQL, sortable text without a zone on SQLite."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:
        """Convert an aware datetime to UTC; refuse a naive one."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"{value!r} has no time zone")
        utc = value.astimezone(UTC)
        return utc.replace(tzinfo=None) if dialect.name == "sqlite" else utc

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002 - the signature is SQLAlchemy's
        """Return an aware datetime in UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def as_driver_datetime(value: datetime, dialect_name: str) -> datetime | str:
    """Return a time as the driver takes it in a statement that SQLAlchemy does not compile."""
    utc = value.astimezone(UTC)
    return utc.strftime(_SQLITE_FORMAT) if dialect_name == "sqlite" else utc


def where(condition: str) -> dict[str, Any]:
    """Return the options of an index of the rows that fulfil a condition, on either engine."""
    return {"sqlite_where": text(condition), "postgresql_where": text(condition)}


def one_of(column: str, values: tuple[str, ...]) -> str:
    """Return the SQL condition that `column` holds one of `values`."""
    return f"{column} IN ({', '.join(repr(value) for value in values)})"
