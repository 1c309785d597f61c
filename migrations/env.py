"""What alembic runs for every command."""

from alembic import context

from genrebase.store import migration_runner

migration_runner.run(context)  # type: ignore[arg-type]  # the module stands for its EnvironmentContext
