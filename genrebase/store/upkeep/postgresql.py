"""PostgreSQL."""

from sqlalchemy import Connection
from genrebase.store import views


class PostgresqlViews:
    def __init__(self, connection: Connection) -> None:
        self.c = connection

    def are_current(self, providers) -> bool:
        return True

    def take_down(self) -> None:
        for v in views.ALL:
            self.c.exec_driver_sql(f"DROP VIEW IF EXISTS {v}")

    def put_up(self, providers) -> None:
        if providers is not None:
            for v in views.ALL.values():
                self.c.execute(v.create(providers))
