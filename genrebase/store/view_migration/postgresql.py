"""PostgreSQL: save our views, the views built on them and all grants; drop and recreate them."""

from dataclasses import dataclass, field
from functools import lru_cache

from sqlalchemy import Connection
from sqlalchemy.dialects import postgresql
from sqlalchemy.exc import DatabaseError

from genrebase.store import views
from genrebase.store.errors import ViewConflict
from genrebase.store.lock_timeout import is_lock_timeout, shared_lock_timeout
from genrebase.store.view_migration.pg_catalogue import PostgresqlCatalogue, SavedView, literal
from genrebase.store.views.definition import Providers

_DIALECT = postgresql.dialect(paramstyle="named")  # type: ignore[no-untyped-call]  # SQLAlchemy's


@dataclass(slots=True)
class PostgresqlViews:
    """Our views in the current schema, and all views that depend on them or on our tables."""

    connection: Connection
    _ours: dict[str, SavedView] = field(default_factory=dict)
    _theirs: list[SavedView] = field(default_factory=list)

    def are_current(self, providers: Providers) -> bool:
        """Compare each view's definition, as PostgreSQL writes it, and its comments."""
        catalogue = PostgresqlCatalogue(self.connection)
        oids = catalogue.our_views()
        if oids.keys() != views.ALL.keys():
            return False
        savepoint = self.connection.begin_nested()
        try:
            return all(
                self._as_stored(view, providers) == catalogue.definition(oids[view.name])
                and catalogue.comments(oids[view.name])
                == {None: view.comment} | dict(view.columns)
                for view in views.ALL.values()
            )
        finally:
            savepoint.rollback()

    def drop(self) -> None:
        """Save and drop our views and their dependents; refuse what could not be recreated."""
        catalogue = PostgresqlCatalogue(self.connection)
        if taken := catalogue.taken_names():
            raise ViewConflict.names_taken(taken)
        ours = catalogue.our_views()
        theirs = catalogue.dependent_views(ours)
        if others := catalogue.other_dependents([*ours.values(), *theirs]):
            raise ViewConflict.not_restored(
                dict.fromkeys(others, "it depends on one of Genrebase's views")
            )
        self._ours = {name: catalogue.saved_view(oid) for name, oid in ours.items()}
        self._theirs = [catalogue.saved_view(oid) for oid in theirs]
        failed: dict[str, str] = {}
        with shared_lock_timeout(self.connection) as before_lock:
            for saved in (*reversed(self._theirs), *self._ours.values()):
                before_lock()
                self._try(saved.name, [saved.drop], failed)
        if failed:
            raise ViewConflict.not_restored(failed)

    def recreate(self, providers: Providers | None) -> None:
        """Create our views (unless `providers` is None), then the users' views, with their grants.

        Raises `ViewConflict` for everything that cannot be recreated.
        """
        failed: dict[str, str] = {}
        if providers is not None:
            for view in views.ALL.values():
                self._run(_statement(view.name, tuple(providers)))
                for statement in _comment_statements(view):
                    self._run(statement)
            for name, saved in self._ours.items():
                if name in views.ALL:
                    self._restore_attributes(saved, failed)
        for saved in self._theirs:
            self._try(saved.name, saved.create, failed)
            if saved.name not in failed:
                self._restore_attributes(saved, failed)
        if failed:
            raise ViewConflict.not_restored(failed)

    def _restore_attributes(self, saved: SavedView, failed: dict[str, str]) -> None:
        self._try(saved.name, saved.attributes, failed)
        if saved.name not in failed:
            revoked = PostgresqlCatalogue(self.connection).revoke_defaults(saved.name)
            self._try(saved.name, [*revoked, *saved.grants], failed)

    def _as_stored(self, view: views.View, providers: Providers) -> str:
        name = f"check_{view.name}"
        self._run(f"CREATE TEMPORARY VIEW {name} AS {_select(view.name, tuple(providers))}")
        return PostgresqlCatalogue(self.connection).definition(f"pg_temp.{name}")

    def _try(self, name: str, statements: list[str], failed: dict[str, str]) -> None:
        try:
            with self.connection.begin_nested():
                for statement in statements:
                    self._run(statement)
        except DatabaseError as error:
            if is_lock_timeout(error):
                raise
            failed[name] = str(error.orig).strip().splitlines()[0]

    def _run(self, statement: str) -> None:
        self.connection.exec_driver_sql(statement, execution_options={"no_parameters": True})


@lru_cache(maxsize=2 * len(views.ALL))
def _statement(name: str, providers: Providers) -> str:
    return str(views.ALL[name].create(providers, _DIALECT.name).compile(dialect=_DIALECT))


@lru_cache(maxsize=2 * len(views.ALL))
def _select(name: str, providers: Providers) -> str:
    select = views.ALL[name].select(providers, _DIALECT.name)
    return str(select.compile(dialect=_DIALECT, compile_kwargs={"literal_binds": True}))


def _comment_statements(view: views.View) -> list[str]:
    return [
        f"COMMENT ON VIEW {view.name} IS {literal(view.comment)}",
        *(
            f'COMMENT ON COLUMN {view.name}."{column}" IS {literal(description)}'
            for column, description in view.columns.items()
        ),
    ]
