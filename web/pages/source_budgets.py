"""The sources with their requests and bans: a source is one row, whatever its credentials.

A sandbox has another address after each start without `--port`, and so another budget.
"""

from typing import Final

from sqlalchemy import Connection

from web.page_sections import Section, query

_SOURCES: Final = """
SELECT name AS source, CAST(sum(requests) AS bigint) AS requests,
       max(requests_per_30s) AS requests_per_30s,
       max(CASE WHEN place = 1 THEN blocked_until END) AS blocked_until,
       max(CASE WHEN place = 1 THEN blocked_reason END) AS blocked_reason,
       max(open_shards) AS open_shards
FROM (
  SELECT name, requests, requests_per_30s, blocked_until, blocked_reason, open_shards,
         row_number() OVER (
           PARTITION BY name ORDER BY blocked_until IS NULL, blocked_until DESC, credential
         ) AS place
  FROM harvest_health WHERE kind = 'source'
) AS budgets
GROUP BY name
"""
_ORDER: Final = "ORDER BY 2 DESC, 1"


def all_sources(connection: Connection, *, only_requested: bool = False) -> Section:
    """Return the sources (that requests were sent to), those with the most requests first."""
    having = "HAVING sum(requests) > 0\n" if only_requested else ""
    return query(connection, "sources", _SOURCES + having + _ORDER)
