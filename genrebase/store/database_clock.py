"""The clock of the database, which all hosts share."""

from sqlalchemy import Connection


def server_time(connection: Connection) -> float:
    """Return the time of the database's clock, in seconds since 1970; on SQLite the host's.

    Not the beginning of the transaction: it may have waited.
    """
    if connection.dialect.name == "postgresql":
        query = "SELECT extract(epoch FROM clock_timestamp())"
    else:
        query = "SELECT (julianday('now') - 2440587.5) * 86400"
    return float(connection.exec_driver_sql(query).scalar_one())
