"""Command lines that open the database in the browser and in common tools."""

import sys
from collections.abc import Mapping


def open_commands(url: str, file: str | None) -> Mapping[str, str]:
    """Return a command line per tool for the database at `url` (without its password).

    `file` is the path of a SQLite database, None for PostgreSQL. The lines take PostgreSQL's
    password from `STORE_URL` and `PGPASSWORD`.
    """
    argument = "" if "***" in url else f"'{url}'"
    expression = f"pandas.read_sql_table('predictions', store.connect({argument}))"
    code = f"import pandas, genrebase.store as store; print({expression})"
    pandas = f'{_quote(sys.executable)} -c "{code}"'
    setting = "" if "***" in url else f"STORE_URL='{url}' "
    browser = f"{setting}{_quote(sys.executable)} -m genrebase serve --open"
    if file is None:
        attach = f"INSTALL postgres; ATTACH '{_libpq(url)}' AS g (TYPE postgres, READ_ONLY);"
        return {
            "browser": browser,
            "psql": f'psql "{_libpq(url)}"',
            "DuckDB": f'duckdb -cmd "{attach} USE g;"',
            "pandas": pandas,
        }
    return {
        "browser": browser,
        "Datasette": f"datasette {_quote(file)}",
        "DuckDB": f"duckdb -cmd \"INSTALL sqlite; ATTACH '{file}' AS g (TYPE sqlite); USE g;\"",
        "pandas": pandas,
    }


def _libpq(url: str) -> str:
    return url.replace("postgresql+psycopg://", "postgresql://", 1).replace(":***@", "@", 1)


def _quote(file: str) -> str:
    return f'"{file}"' if " " in file else file
