"""Diagnostics of `genrebase doctor`: interpreter, cores, database, schema, views, disk, clock."""

import platform
import shutil
import sqlite3
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Final

from sqlalchemy import Engine
from sqlalchemy.engine import URL
from sqlalchemy.exc import DatabaseError

from genrebase.counts import counted
from genrebase.errors import GenrebaseError, as_clause
from genrebase.runtime import checks, queries, settings_check
from genrebase.runtime.checks import Check
from genrebase.runtime.clock import Clock
from genrebase.runtime.cores import usable_cores
from genrebase.store import features_provider, matrix_files, schema_upgrade, search, search_index
from genrebase.store.database_clock import server_time
from genrebase.store.engine import MIN_WAL_VERSION, make_engine, read_transaction
from genrebase.store.errors import SchemaMismatch
from genrebase.store.settings import StoreSettings

MIN_FREE_BYTES: Final = 1 << 30
"""Minimum free bytes: a dataset of 114,000 tracks takes about a tenth, and temporarily twice that
during its import."""
MAX_CLOCK_SKEW: Final = timedelta(seconds=5)
"""Maximum difference between two clocks; above it, request budgets and leases go wrong."""
_GIB: Final = 1 << 30


def run_all_checks(clock: Clock) -> Iterator[Check]:
    """Yield the results of the checks here, then of those registered by packages."""
    yield check_python()
    yield check_cores()
    yield check_settings()
    yield from checks.run_checks("database", lambda: check_database(clock))
    yield from checks.run_plugin_checks()


def check_python() -> Check:
    """Report the versions of Python and SQLite."""
    journal = (
        "with a write-ahead log"
        if sqlite3.sqlite_version_info >= MIN_WAL_VERSION
        else "with a rollback journal (its write-ahead log is safe from 3.51.3)"
    )
    versions = f"Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}"
    return Check("python", ok=True, sentence=f"{versions} {journal}.")


def check_cores() -> Check:
    """Report the number of cores that this process may use."""
    cores = usable_cores()
    return Check("cores", ok=True, sentence=f"{cores} usable; training uses no more threads.")


def check_settings() -> Check:
    """Check the settings of all packages, and name those that do not exist."""
    problems = [*settings_check.invalid_settings(), *settings_check.unknown_settings()]
    if problems:
        return Check("settings", ok=False, sentence=" ".join(problems))
    return Check("settings", ok=True, sentence="All names and values can be used.")


def check_database(clock: Clock) -> Iterator[Check]:
    """Check the database, its schema, views, disk and clock, as far as it can be reached."""
    try:
        engine = make_engine()
    except GenrebaseError as error:
        yield Check("database", ok=False, sentence=str(error))
        return
    yield check_disk(engine.url)
    if schema_upgrade.is_missing_file(engine):
        # opening it would create an empty file
        sentence = f"There is no {engine.url.database} yet: `genrebase migrate` creates it."
        yield Check("database", ok=False, sentence=sentence)
        return
    try:
        sentence = f"{queries.server_version(engine)} responds at {engine.url.render_as_string()}."
        yield Check("database", ok=True, sentence=sentence)
        result = _check_schema(engine)
        yield result
        if result.ok:
            yield _check_views(engine)
            yield _check_features_providers(engine)
            yield from _check_matrices(engine)
            yield _check_search_index(engine)
        yield check_clocks(clock, engine)
    except GenrebaseError as error:
        yield Check("database", ok=False, sentence=str(error))
    finally:
        engine.dispose()


def check_disk(address: URL) -> Check:
    """Check the free space on the disk of a SQLite database, else of the working folder."""
    folder = Path.cwd()
    if address.get_backend_name() == "sqlite" and address.database:
        folder = Path(address.database).absolute().parent
    if not folder.is_dir():
        return Check("disk", ok=False, sentence=f"The folder {folder} does not exist: create it.")
    free = shutil.disk_usage(folder).free
    sentence = f"{free / _GIB:,.1f} GiB free in {folder}"
    if free < MIN_FREE_BYTES:
        return Check("disk", ok=False, sentence=f"Only {sentence}: at least 1 GiB is needed.")
    return Check("disk", ok=True, sentence=f"{sentence}.")


def check_clocks(clock: Clock, engine: Engine) -> Check:
    """Compare this computer's clock with the database's, and with the start of the last run."""
    local_time, latest = clock.now(), queries.latest_job_start(engine)
    if engine.dialect.name == "postgresql":  # SQLite has no clock of its own
        with read_transaction(engine) as connection:
            apart = abs(server_time(connection) - clock.now().timestamp())
        if apart > MAX_CLOCK_SKEW.total_seconds():
            sentence = f"This computer and the database are {apart:,.0f} s apart: set both by NTP."
            return Check("clock", ok=False, sentence=sentence)
    if latest is not None and latest - local_time > MAX_CLOCK_SKEW:
        sentence = (
            f"The database holds a run that started at {latest:%Y-%m-%d %H:%M} UTC, which is "
        )
        return Check("clock", ok=False, sentence=f"{sentence}in the future: set the clock by NTP.")
    return Check("clock", ok=True, sentence=f"{local_time:%Y-%m-%d %H:%M:%S} UTC.")


def _check_schema(engine: Engine) -> Check:
    try:
        schema_upgrade.check_revision(engine)
    except SchemaMismatch as error:
        return Check("schema", ok=False, sentence=str(error))
    return Check(
        "schema", ok=True, sentence=f"Revision {schema_upgrade.EXPECTED_REVISION}, as expected."
    )


def _check_matrices(engine: Engine) -> Iterator[Check]:
    """Compare the files of matrices with the rows that name them, where there are any."""
    folder, counts = matrix_files.folder_of(engine), matrix_files.count(engine)
    if folder is None and counts.rows == 0:
        return
    if counts.missing:
        where = "STORE_MATRIX_FOLDER is not set" if folder is None else f"not in {folder.path}"
        sentence = (
            f"{counted(counts.missing, 'file')} of matrices cannot be found ({where}): name their "
            "folder, or put them back from a backup."
        )
        yield Check("matrices", ok=False, sentence=sentence)
        return
    unnamed = (
        f"; no row names {counted(counts.unnamed, 'file')} (`genrebase matrices` deletes them)"
        if counts.unnamed
        else ""
    )
    sentence = f"{counted(counts.rows, 'matrix', 'matrices')} in files, all found{unnamed}."
    yield Check("matrices", ok=True, sentence=sentence)


def _check_search_index(engine: Engine) -> Check:
    """Check that searches by words read an index, and that it has the tracks."""
    with read_transaction(engine) as connection:
        is_usable = search_index.is_usable(connection)
        waiting = search_index.count_due(connection, search.MAX_DUE + 1)
    if waiting > search.MAX_DUE:
        sentence = (
            f"More than {counted(search.MAX_DUE, 'track')} wait to be indexed, and searches by "
            "words may not find them: `genrebase digests` indexes them, or a daemon does."
        )
        return Check("search", ok=False, sentence=sentence)
    if not is_usable:
        sentence = "This SQLite has no FTS5 with trigrams: searches by words read all names."
        return Check("search", ok=True, sentence=sentence)
    return Check("search", ok=True, sentence="Searches by words read an index of all tracks.")


def _check_views(engine: Engine) -> Check:
    try:
        current = schema_upgrade.views_are_current(engine, StoreSettings.load().feature_order)
    except DatabaseError as error:  # on PostgreSQL the comparison creates temporary views
        sentence = f"Could not be compared: {as_clause(str(error.orig).strip().splitlines()[0])}."
        return Check("views", ok=None, sentence=sentence)
    if current:
        return Check("views", ok=True, sentence="All views are as this version defines them.")
    sentence = (
        "A view is missing, or is not as this version and COLLECTOR_FEATURE_ORDER define it: "
        "`genrebase migrate` recreates them."
    )
    return Check("views", ok=False, sentence=sentence)


def _check_features_providers(engine: Engine) -> Check:
    """Compare the stored order of providers, and the provider of each track, with the rows."""
    with read_transaction(engine) as connection:
        order = features_provider.order(connection)
        wrong = features_provider.count_wrong(connection)
    if order != StoreSettings.load().feature_order:
        sentence = (
            "The views prefer the providers in another order than COLLECTOR_FEATURE_ORDER: "
            "`genrebase migrate` stores it."
        )
        return Check("features", ok=False, sentence=sentence)
    if wrong:
        sentence = (
            f"{counted(wrong, 'track')} would show no features or another provider's, because "
            "another program wrote to `audio_features`: `genrebase migrate --repair` chooses "
            "again."
        )
        return Check("features", ok=False, sentence=sentence)
    sentence = "The views show every track's features by the preferred provider."
    return Check("features", ok=True, sentence=sentence)
