"""Alembic's environment script, which runs for every command.

`migration_environment` recreates the views, which `genrebase/store/views` defines.
"""

from alembic import context

from genrebase.store import migration_environment

migration_environment.run(context)  # type: ignore[arg-type]  # a proxy of its EnvironmentContext
