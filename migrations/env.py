"""Alembic's environment script, which runs for every command."""

from alembic import context

from genrebase.store import migration_runner

migration_runner.run(context)  # type: ignore[arg-type]  # a proxy of its EnvironmentContext
