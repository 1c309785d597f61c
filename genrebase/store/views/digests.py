"""The digests that are stored, and of which state of the database they are."""

from typing import Any

from sqlalchemy import Select, select

from genrebase.store import tables
from genrebase.store.views import shared
from genrebase.store.views.definition import Providers, view


@view(
    "One row per digest. A digest is a stored copy of rows of a view that aggregates whole "
    "tables; `genrebase digests` computes it. The copied rows are in the table `digest`, as JSON.",
    {
        "view": "The name of the view.",
        "key": "The genre that the stored rows are about; empty if the digest has the whole view, "
        "or the first rows of a long one.",
        "as_of": "The stored rows show the database as it was at this time.",
        "rows": "The number of rows.",
    },
)
def digests(_providers: Providers) -> Select[Any]:
    return select(*shared.columns(tables.digest, "view key as_of rows"))
