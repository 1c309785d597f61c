"""Run the import of a file in a test."""

from dataclasses import fields
from pathlib import Path
from typing import Any

from sqlalchemy import Engine

from collector.imports.dataset import DatasetOptions, import_dataset
from collector.imports.records import ImportContext, ImportResult
from genrebase.progress import ProgressCallback, no_progress
from genrebase.runtime.clock import Clock
from tests.fakes import FakeClock


def context_of(
    engine: Engine,
    advance: ProgressCallback | None = None,
    clock: Clock | None = None,
    **options: Any,
) -> ImportContext:
    """Return a context with a clock that stands still, and without a progress bar."""
    return ImportContext(engine, clock or FakeClock(), advance or no_progress, **options)


def run_dataset(engine: Engine, path: Path, **options: Any) -> ImportResult:
    """Import a dataset with options of its context and of its reading."""
    names = {field.name for field in fields(DatasetOptions)}
    reading = {name: options.pop(name) for name in names & options.keys()}
    return import_dataset(context_of(engine, **options), path, DatasetOptions(**reading))
