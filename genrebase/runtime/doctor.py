"""The doctor: a line for each thing that must be right, with what to do about it."""

import os
import shutil
import sqlite3
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Final

from sqlalchemy import Engine
from sqlalchemy.engine import URL
from sqlalchemy.exc import DatabaseError

from genrebase.errors import GenrebaseError
from genrebase.runtime import checks, queries
from genrebase.runtime.checks import Check
from genrebase.runtime.clock import Clock
from genrebase.store import schema
from genrebase.store.engine import MIN_WAL_VERSION, make_engine, parse_url
from genrebase.store.errors import SchemaMismatch
from genrebase.store.settings import StoreSettings

MIN_FREE_BYTES: Final = 1 << 30
"""Free bytes below which we warn: the 114,000-track dataset takes about a tenth of it, and its
import as much again for a while."""
MAX_CLOCK_SKEW: Final = timedelta(seconds=5)
"""More than that between two clocks and budgets and leases go wrong."""
_GIB: Final = 1 << 30


def run_all_checks(clock: Clock) -> Iterator[Check]:
    """Yield every check: the ground's own, then those of the sides."""
    yield check_python()
    yield check_cores()
    yield from checks.run_checks("database", lambda: check_database(clock))
    yield from checks.run_plugin_checks()


def check_python() -> Check:
    """Look at the interpreter and the SQLite it was built with."""
    lite = ".".join(map(str, sqlite3.sqlite_version_info))
    journal = (
        "with a write-ahead log"
        if sqlite3.sqlite_version_info >= MIN_WAL_VERSION
        else "with a rollback journal (its write-ahead log is safe from 3.51.3)"
    )
    here = ".".join(map(str, sys.version_info[:3]))
    return Check("python", ok=True, sentence=f"Python {here}, SQLite {lite} {journal}.")


def check_cores() -> Check:
    """Look at the cores this process may use."""
    affinity = getattr(os, "sched_getaffinity", None)  # Linux only
    cores = len(affinity(0)) if affinity else os.cpu_count() or 1
    return Check("cores", ok=True, sentence=f"{cores} usable; training takes no more threads.")


def check_database(clock: Clock) -> Iterator[Check]:
    """Look at the database, its schema, its disk and its clock, as far as one can get."""
    try:
        address = parse_url(StoreSettings.load().url)
        engine = make_engine(address)
    except GenrebaseError as error:
        yield Check("database", ok=False, sentence=str(error))
        return
    yield check_disk(address)
    missing = _missing_file(address)
    if missing is not None:
        yield Check("database", ok=False, sentence=missing)
        return
    try:
        where = f"{queries.server_version(engine)} answers at {address.render_as_string()}."
        yield Check("database", ok=True, sentence=where)
        known = _schema(engine)
        yield known
        if known.ok:
            yield _views(engine)
        yield check_clocks(clock, engine)
    except GenrebaseError as error:
        yield Check("database", ok=False, sentence=str(error))
    finally:
        engine.dispose()


def check_disk(address: URL) -> Check:
    """Look at the space left where a SQLite database lies, else in the working folder."""
    folder = Path.cwd()
    if address.get_backend_name() == "sqlite" and address.database:
        folder = Path(address.database).absolute().parent
    if not folder.is_dir():
        return Check("disk", ok=False, sentence=f"The folder {folder} is not there: make it.")
    free = shutil.disk_usage(folder).free
    sentence = f"{free / _GIB:,.1f} GiB free in {folder}"
    if free < MIN_FREE_BYTES:
        return Check("disk", ok=False, sentence=f"Only {sentence}: make room, 1 GiB at least.")
    return Check("disk", ok=True, sentence=f"{sentence}.")


def check_clocks(clock: Clock, engine: Engine) -> Check:
    """Look whether the computer's clock and the database's agree, and neither ran backwards."""
    theirs, ours = queries.server_time(engine), clock.now()
    latest = queries.latest_job_start(engine)
    if theirs is not None and abs(theirs - ours) > MAX_CLOCK_SKEW:
        apart = abs(theirs - ours).total_seconds()
        sentence = f"This computer and the database are {apart:,.0f} s apart: set both by NTP."
        return Check("clock", ok=False, sentence=sentence)
    if latest is not None and latest - ours > MAX_CLOCK_SKEW:
        sentence = f"The database holds a run that began at {latest:%Y-%m-%d %H:%M} UTC, which is "
        return Check("clock", ok=False, sentence=f"{sentence}still to come: set the clock by NTP.")
    return Check("clock", ok=True, sentence=f"{ours:%Y-%m-%d %H:%M:%S} UTC.")


def _schema(engine: Engine) -> Check:
    try:
        schema.check_revision(engine)
    except SchemaMismatch as error:
        return Check("schema", ok=False, sentence=str(error))
    return Check("schema", ok=True, sentence=f"Revision {schema.EXPECTED_REVISION}, as expected.")


def _views(engine: Engine) -> Check:
    try:
        stand = schema.views_are_current(engine, StoreSettings.load().feature_order)
    except DatabaseError as error:  # PostgreSQL compares by making views for a moment
        sentence = f"Could not be compared: {str(error.orig).strip().splitlines()[0]}."
        return Check("views", ok=None, sentence=sentence)
    if stand:
        return Check("views", ok=True, sentence="All of them, as this version defines them.")
    sentence = (
        "A view is missing, or is not as this version and COLLECTOR_FEATURE_ORDER define it: "
        "`genrebase migrate` makes them anew."
    )
    return Check("views", ok=False, sentence=sentence)


def _missing_file(address: URL) -> str | None:
    """Say that a SQLite file is not there; opening it would make an empty one."""
    if address.get_backend_name() != "sqlite" or not address.database:
        return None
    if address.database == ":memory:" or Path(address.database).exists():
        return None
    return f"There is no {address.database} yet: `genrebase migrate` makes it."
