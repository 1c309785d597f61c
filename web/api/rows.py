"""Rows of views as documents: their schemas follow from the columns of the views."""

import math
from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, Final

from pydantic import BaseModel, Field, create_model
from sqlalchemy import JSON, Boolean, Float, Integer, LargeBinary, Numeric
from sqlalchemy.types import TypeEngine

from genrebase.store import views
from genrebase.store.tables import UtcDateTime
from web.api.operations import Schema
from web.page_sections import Page, Section

MAX_LIMIT: Final = 1_000
_PYTHON_TYPES: Final[tuple[tuple[type, Any], ...]] = (
    *((UtcDateTime, datetime), (JSON, Any), (Boolean, bool)),
    *((Integer, int), (Float, float), (Numeric, float)),
)
Row = dict[str, Any]


class PageOfRows(Schema):
    """Rows of a view, or of a part of it."""

    as_of: datetime | None = Field(
        description="The time of the stored rows that the document was made from; null: they "
        "were read now."
    )
    rows: list[dict[str, Any]]
    next: str | None = Field(
        description="The address of the following rows; null: there are none, or the rows are "
        "aggregated: raise `limit`, or choose some by a filter."
    )


class Limit(Schema):
    """How many rows a response has at most."""

    limit: int = Field(100, ge=1, le=MAX_LIMIT, description="The maximum number of rows.")


class Following(Limit):
    """Rows after an id."""

    after: int = Field(0, ge=0, lt=2**63, description="The rows after this id; 0: from the first.")


def row_schema(name: str, view: str) -> type[BaseModel]:
    """Return the schema of a row of a view, with the descriptions of its columns."""
    definition = views.ALL[view]
    fields: dict[str, Any] = {
        column: (
            Annotated[
                _python_type(definition.table.c[column].type) | None, Field(description=text)
            ],
            ...,
        )
        for column, text in definition.columns.items()
        if column in readable_columns(view)
    }
    return create_model(name, __base__=Schema, __doc__=definition.description, **fields)


def page_schema(name: str, row: type[BaseModel], doc: str | None = None) -> type[BaseModel]:
    """Return the schema of a page of such rows."""
    return create_model(name, __base__=PageOfRows, __doc__=doc, rows=(list[row], ...))  # type: ignore[valid-type]


def readable_columns(view: str) -> list[str]:
    """Return the columns of a view but for packed bytes."""
    table = views.ALL[view].table
    return [one.name for one in table.c if not isinstance(one.type, LargeBinary)]


def page_of(
    rows: Sequence[Row], as_of: datetime | None = None, following: str | None = None
) -> Row:
    """Return the document of a page of rows."""
    return {"as_of": as_of, "rows": rows, "next": following}


def records(section: Section) -> list[Row]:
    """Return the rows of a section."""
    return [plain_row(row) for row in section.records]


def records_as(schema: type[BaseModel], section: Section) -> list[Row]:
    """Return the rows of a section with the fields of a schema."""
    return [{name: row[name] for name in schema.model_fields} for row in records(section)]


def sections(page: Page) -> dict[str, list[Row]]:
    """Return the rows of each section of a page."""
    return {name: records(section) for name, section in page.sections.items()}


def plain_row(row: Mapping[str, Any]) -> Row:
    """Return a row whose values JSON can hold."""
    return {name: _plain(value) for name, value in row.items()}


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        value = float(value)
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def _python_type(kind: TypeEngine[Any]) -> Any:
    return next((python for sql, python in _PYTHON_TYPES if isinstance(kind, sql)), str)
