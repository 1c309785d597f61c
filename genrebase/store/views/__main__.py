"""`python -m genrebase.store.views`: the documentation of every view, as docs/views.md has it."""

import sys
from typing import Final

from genrebase.store import views
from genrebase.store.settings import DEFAULT_FEATURE_ORDER

_HEADER: Final = f"""\
# The views

What the database answers, column by column. People's SQL stands on the views: new columns go at
the end, and a view whose meaning changes gets a new name. [sql.md](sql.md) has the questions they
were made for. Made by `make docs`.

Where several providers know a track's features, a view shows those of the first of
`COLLECTOR_FEATURE_ORDER` (default: {", ".join(DEFAULT_FEATURE_ORDER)}; others come last, by name),
and `provider` says whose they are. The order is part of the views: after changing it, run
`genrebase migrate`.
"""


def document() -> str:
    """Return the documentation of all views as Markdown."""
    return _HEADER + "".join(_section(view) for view in views.ALL.values())


def _section(view: views.View) -> str:
    rows = "".join(f"| `{column}` | {text} |\n" for column, text in view.columns.items())
    return f"\n## {view.name}\n\n{view.description}\n\n| column | |\n|---|---|\n{rows}"


if __name__ == "__main__":
    sys.stdout.write(document())
