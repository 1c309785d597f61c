"""The lines that open a database in the tools people have."""

import sys
from collections.abc import Mapping


def open_commands(url: str, file: str | None) -> Mapping[str, str]:
    """Return a line to paste per tool, for the database at `url` (without its password).

    `file` is the path of a SQLite database, None on PostgreSQL, whose password the lines leave to
    `STORE_URL` and `PGPASSWORD`.
    """
    argument = "" if "***" in url else f"'{url}'"
    read = f"pandas.read_sql_table('predictions', store.connect({argument}))"
    frame = (
        f'{_quoted(sys.executable)} -c "import pandas, genrebase.store as store; print({read})"'
    )
    if file is None:
        attach = f"INSTALL postgres; ATTACH '{_libpq(url)}' AS g (TYPE postgres, READ_ONLY);"
        return {
            "psql": f'psql "{_libpq(url)}"',
            "DuckDB": f'duckdb -cmd "{attach} USE g;"',
            "pandas": frame,
        }
    return {
        "Datasette": f"datasette {_quoted(file)}",
        "DuckDB": f"duckdb -cmd \"INSTALL sqlite; ATTACH '{file}' AS g (TYPE sqlite); USE g;\"",
        "pandas": frame,
    }


def _libpq(url: str) -> str:
    return url.replace("postgresql+psycopg://", "postgresql://", 1).replace(":***@", "@", 1)


def _quoted(file: str) -> str:
    return f'"{file}"' if " " in file else file
