"""`genrebase demo`: harvest, enrich, train and predict once on the sandbox.

By default it shows open sources: recordings of MusicBrainz, labels of Discogs' dump (CC0) for the
same tracks, AcousticBrainz' numbers, and a model that is trained on open licences only. The other
example is Spotify with ReccoBeats.
"""

import sys
import tempfile
from collections.abc import Iterator, Mapping
from typing import Any, Final

from genrebase.launcher import child_commands, default_genres, sandbox
from genrebase.launcher.database_location import DatabaseLocation
from genrebase.launcher.supervisor import ChildCommand
from genrebase.runtime import queries
from genrebase.runtime.clock import Clock
from genrebase.runtime.console import Output
from genrebase.runtime.shutdown import StopSignal
from genrebase.store import connect, disposing, schema_upgrade

DEFAULT_FILE: Final = "sandbox-demo.db"
SPOTIFY_FILE: Final = "sandbox-spotify.db"
_DUMP: Final = "discogs"
"""The dump that adds labels under an open licence, as the source is called."""
_RATE: Final = "6000/30s"
"""The rate limit of the sandbox and of its clients in the demo; Spotify's is far lower."""
_RATES: Final = (
    *("COLLECTOR_RATE", "COLLECTOR_RECCOBEATS_RATE", "COLLECTOR_MUSICBRAINZ_RATE"),
    *("COLLECTOR_ACOUSTICBRAINZ_RATE", "COLLECTOR_DISCOGS_RATE"),
)
_FROM_STATUS: Final = (
    "origin",
    "invented",
    "tracks",
    "sightings",
    "requests",
    "with_features",
    "genres",
)
SAMPLE_QUERIES: Final = {
    "Which genres does the model recognise best on the test tracks of unseen artists?": """\
SELECT genre, n AS tracks, value AS recall, low, high
FROM model_metrics
WHERE status = 'champion' AND task = 'main' AND side = 'test' AND regime = 'new_artist'
  AND metric = 'recall'
ORDER BY recall DESC, genre
LIMIT 5""",
    "Which tracks look most like another genre than the one they count for?": """\
SELECT title, artists, claim, genre, probability
FROM predictions
WHERE genre <> claim AND claim IN (SELECT genre FROM predictions)
ORDER BY probability DESC, track_id
LIMIT 5""",
    "Which genres share the most tracks?": """\
SELECT genre, other_genre, tracks
FROM genre_overlaps
ORDER BY tracks DESC, genre, other_genre
LIMIT 5""",
}
"""Questions, and the SQL that answers them on both engines."""


class Demo:
    """Runs the steps of the demo in order and prints their progress."""

    def __init__(
        self,
        database: DatabaseLocation,
        output: Output,
        clock: Clock,
        stop: StopSignal,
        *,
        log_level: str = "WARNING",
        estimator: str,
        spotify: bool = False,
    ) -> None:
        self._spotify = spotify
        self._estimator = estimator
        self._database, self._output, self._clock, self._stop = database, output, clock, stop
        self._environment: dict[str, str] = {
            "STORE_URL": database.url,
            "COLLECTOR_SOURCES": "spotify" if spotify else "musicbrainz",
            **dict.fromkeys(_RATES, _RATE),
            "GENREBASE_LOG_LEVEL": log_level,
            "GENREBASE_DIGESTS_EVERY": "0",  # once, at the end
        }

    def run(self, target: int, catalogue: str | None) -> dict[str, Any]:
        """Take every step; return the summary. Raises `GenrebaseError` or `LauncherStopped`."""
        started = self._clock.monotonic()
        what = f"the catalogue {catalogue}" if catalogue else sandbox.SYNTHETIC_CATALOGUE
        self._output.print(
            f"The sandbox serves {what}. Everything goes into {self._database.display_url}."
        )
        schema_upgrade.upgrade(self._database.url)
        with sandbox.run_sandbox(sandbox.sandbox_command(catalogue, rate=_RATE)) as served:
            self._environment |= sandbox.client_environment(served.url)
            self._ensure_genres(target)
            steps_done = list(self._steps())
            status = self._run("collector", "status")
            models = self._run("classifier", "models")
        summary = self._summary(steps_done, status, models)
        return summary | {"seconds": round(self._clock.monotonic() - started, 1)}

    def _steps(self) -> Iterator[dict[str, Any]]:
        yield self._step("harvest", "collector", "harvest")
        licence = []
        if not self._spotify:
            licence = ["--licence", "open"]
            sources = self._run("collector", "sources", "list")
            if not any(one["name"] == _DUMP for one in sources):
                yield from self._import_dump()
        yield self._step("enrich", "collector", "enrich")
        train = ("train", "--estimator", self._estimator, *licence)
        yield self._step("train", "classifier", *train)
        yield self._step("predict", "classifier", "predict")
        yield self._step("digests", "genrebase", "digests")

    def _import_dump(self) -> Iterator[dict[str, Any]]:
        with tempfile.TemporaryDirectory() as folder:
            download = self._step("download", "collector", "download", _DUMP, "--into", folder)
            yield download
            file = (download["answer"] or {})["file"]
            yield self._step("import", "collector", "import", str(file), "--stored-only")

    def _ensure_genres(self, target: int) -> None:
        existing = default_genres.existing_genres(self._environment, self._stop)
        if existing:
            default_genres.raise_targets(self._environment, self._stop, existing, target)
        else:
            default_genres.add_default_genres(self._environment, self._stop, target)

    def _step(self, name: str, module: str, *arguments: str) -> dict[str, Any]:
        """Run a command; return it with its document, None if there was nothing to do."""
        self._output.print(f"{name} …")
        started = self._clock.monotonic()
        document = self._run(module, *arguments, quietly=False)
        seconds = self._clock.monotonic() - started
        self._output.print(f"{name} took {seconds:.1f} s.")
        return {"name": name, "seconds": round(seconds, 1), "answer": document}

    def _run(self, module: str, *arguments: str, quietly: bool = True) -> Any:
        command = ChildCommand(module, (*arguments, "--json"), self._environment)
        return child_commands.run_command(command, self._stop, quietly=quietly)

    def _summary(self, steps: list[dict[str, Any]], status: Any, models: Any) -> dict[str, Any]:
        champion = next((one for one in models if one["status"] == "champion"), None)
        return {
            "database": self._database.display_url,
            **{name: status[name] for name in _FROM_STATUS},
            "steps": steps,
            "champion": champion,
            "questions": self._run_sample_queries(),
            "open": dict(open_commands(self._database.display_url, self._database.file)),
        }

    def _run_sample_queries(self) -> list[dict[str, Any]]:
        with disposing(connect(self._database.url)) as engine:
            return [
                {"question": question, "sql": sql, "answer": queries.run_query(engine, sql)}
                for question, sql in SAMPLE_QUERIES.items()
            ]


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
