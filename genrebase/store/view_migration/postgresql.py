"""PostgreSQL: views, what stands on them, and who may read them, remembered and put back."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from sqlalchemy import Connection
from sqlalchemy.dialects import postgresql
from sqlalchemy.exc import DatabaseError

from genrebase.store import views
from genrebase.store.view_migration import refusal
from genrebase.store.view_migration.pg_catalogue import PostgresqlCatalogue, SavedView, literal
from genrebase.store.views.definition import Providers


@dataclass(slots=True)
class PostgresqlViews:
    """Our views in the current schema, and everybody's views that stand on them or our tables."""

    connection: Connection
    _ours: dict[str, SavedView] = field(default_factory=dict)
    _theirs: list[SavedView] = field(default_factory=list)

    def are_current(self, providers: Providers) -> bool:
        """Compare each view with what PostgreSQL makes of our definition, and its comments."""
        catalogue = PostgresqlCatalogue(self.connection)
        found = catalogue.our_views()
        if found.keys() != views.ALL.keys():
            return False
        savepoint = self.connection.begin_nested()
        try:
            return all(
                self._as_stored(view, providers) == catalogue.definition(found[view.name])
                and catalogue.comments(found[view.name]) == _comments(view)
                for view in views.ALL.values()
            )
        finally:
            savepoint.rollback()

    def drop(self) -> None:
        """Drop our views and all that stands on them; refuse what could not be put back."""
        catalogue = PostgresqlCatalogue(self.connection)
        taken = catalogue.taken_names()
        if taken:
            raise refusal.names_taken(taken)
        ours = catalogue.our_views()
        standing = catalogue.dependent_views(ours)
        strange = catalogue.other_dependents([*ours.values(), *standing])
        if strange:
            raise refusal.not_restored(
                dict.fromkeys(strange, "it stands on one of Genrebase's views")
            )
        self._ours = {name: catalogue.relation(oid) for name, oid in ours.items()}
        self._theirs = [catalogue.relation(oid) for oid in standing]
        failed: dict[str, str] = {}
        for relation in (*reversed(self._theirs), *self._ours.values()):
            self._try(relation.name, [relation.drop], failed)
        if failed:
            raise refusal.not_restored(failed)

    def recreate(self, providers: Providers | None) -> None:
        """Create ours with their documentation, then theirs, each with its grants."""
        failed: dict[str, str] = {}
        if providers is not None:
            for view in views.ALL.values():
                self._run(_statement(view, providers))
                for statement in _comment_statements(view):
                    self._run(statement)
            for name, relation in self._ours.items():
                if name in views.ALL:
                    self._dress(relation, failed)
        for relation in self._theirs:
            self._try(relation.name, relation.create, failed)
            if relation.name not in failed:
                self._dress(relation, failed)
        if failed:
            raise refusal.not_restored(failed)

    def _dress(self, relation: SavedView, failed: dict[str, str]) -> None:
        """Give a new relation the owner, grants, triggers and options of the one before it."""
        self._try(relation.name, relation.attributes, failed)
        if relation.name not in failed:
            withdrawn = PostgresqlCatalogue(self.connection).unwanted_grants(relation)
            self._try(relation.name, [*withdrawn, *relation.grants], failed)

    def _as_stored(self, view: views.View, providers: Providers) -> str:
        name = f"check_{view.name}"
        wanted = view.select(providers, _DIALECT.name)
        compiled = str(wanted.compile(dialect=_DIALECT, compile_kwargs=_LITERAL))
        self._run(f"CREATE TEMPORARY VIEW {name} AS {compiled}")
        return PostgresqlCatalogue(self.connection).definition_of(f"pg_temp.{name}")

    def _try(self, name: str, statements: list[str], failed: dict[str, str]) -> None:
        try:
            with self.connection.begin_nested():
                for statement in statements:
                    self._run(statement)
        except DatabaseError as error:
            failed[name] = str(error.orig).strip().splitlines()[0]

    def _run(self, statement: str) -> None:
        self.connection.exec_driver_sql(statement, execution_options={"no_parameters": True})


_DIALECT = postgresql.dialect(paramstyle="named")  # type: ignore[no-untyped-call]  # SQLAlchemy's
_LITERAL = {"literal_binds": True}


def _statement(view: views.View, providers: Providers) -> str:
    return str(view.create(providers, _DIALECT.name).compile(dialect=_DIALECT))


def _comments(view: views.View) -> Mapping[str | None, str]:
    documented: dict[str | None, str] = {None: view.comment}
    documented.update(view.columns)
    return documented


def _comment_statements(view: views.View) -> list[str]:
    return [
        f"COMMENT ON VIEW {view.name} IS {literal(view.comment)}",
        *(
            f'COMMENT ON COLUMN {view.name}."{column}" IS {literal(sentence)}'
            for column, sentence in view.columns.items()
        ),
    ]
