"""What alembic runs for every command."""

from alembic import context

from genrebase.store import migrating

migrating.run(context)  # type: ignore[arg-type]  # the module stands for its EnvironmentContext
