"""Read PostgreSQL's system catalogue: a view as the SQL statements that recreate it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, text

from genrebase.store import tables, views
from genrebase.store.views.definition import MARKER

Oid = int


@dataclass(frozen=True, slots=True)
class SavedView:
    """A view or materialised view, as the statements that drop and recreate it."""

    name: str
    """Qualified and quoted."""
    drop: str
    create: list[str]
    attributes: list[str]
    """All but the definition: indexes, options, triggers, rules, defaults, owner."""
    grants: list[str]


class PostgresqlCatalogue:
    """Queries on the system catalogue, for the current schema."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def our_views(self) -> dict[str, Oid]:
        """Return the views that carry our marker, also those of another version."""
        return dict(self._rows(_OUR_VIEWS, marker=f"%{MARKER}"))

    def taken_names(self) -> list[str]:
        """Return the names of our views under which a user's view or table exists."""
        rows = self._rows(_TAKEN, names=list(views.ALL), marker=f"%{MARKER}")
        return [name for (name,) in rows]

    def dependent_views(self, ours: Mapping[str, Oid]) -> list[Oid]:
        """Return all other views on our views or tables, each after those it depends on."""
        dependents: dict[Oid, set[Oid]] = {}
        for view, used in self._rows(_DEPENDENCIES):
            dependents.setdefault(used, set()).add(view)
        our_tables = self._rows(_OUR_TABLES, names=list(tables.metadata.tables))
        roots = {*ours.values(), *(oid for (oid,) in our_tables)}
        depth = dict.fromkeys(roots, 0)
        queue = list(roots)
        while queue:
            used = queue.pop()
            for view in dependents.get(used, ()):
                if depth.get(view, -1) < depth[used] + 1:
                    depth[view] = depth[used] + 1
                    queue.append(view)
        return sorted(depth.keys() - roots, key=lambda oid: (depth[oid], oid))

    def other_dependents(self, oids: Sequence[Oid]) -> list[str]:
        """Return what else depends on these views: functions on their rows, rules of tables."""
        return [name for (name,) in self._rows(_OTHER_DEPENDENTS, oids=list(oids))]

    def definition(self, view: Oid | str) -> str:
        """Return a view's SELECT as PostgreSQL writes it; `view` is an oid or a name."""
        kind = "oid" if isinstance(view, int) else "regclass"
        return str(self._rows(f"SELECT pg_get_viewdef(CAST(:view AS {kind}))", view=view)[0][0])

    def comments(self, oid: Oid) -> dict[str | None, str]:
        """Return the comments on a view (key None) and on its columns."""
        return dict(self._rows(_COMMENTS, oid=oid))

    def saved_view(self, oid: Oid) -> SavedView:
        """Return the statements that recreate a view."""
        view = self._rows(_VIEW, oid=oid, marker=f"%{MARKER}")[0]
        kind = "MATERIALIZED VIEW" if view.kind == "m" else "VIEW"
        options = f" WITH ({view.options})" if view.options else ""
        populated = "" if view.kind == "v" or view.populated else " WITH NO DATA"
        definition = view.definition.rstrip().rstrip(";")
        create = [f"CREATE {kind} {view.name}{options} AS {definition}{populated}"]
        create += [
            f"COMMENT ON {f'COLUMN {view.name}.{column}' if column else f'{kind} {view.name}'} "
            f"IS {literal(comment)}"
            for column, comment in self._rows(_QUOTED_COMMENTS, oid=oid)
        ]
        attributes = [sql for (sql,) in self._rows(_ATTRIBUTES, oid=oid, name=view.name)]
        if view.is_ours and view.options:
            attributes.insert(0, f"ALTER VIEW {view.name} SET ({view.options})")
        if view.owner_differs:
            attributes.append(f"ALTER {kind} {view.name} OWNER TO {view.owner}")
        grants = self._grants(oid, view.name, view.owner)
        return SavedView(view.name, f"DROP {kind} {view.name}", create, attributes, grants)

    def revoke_defaults(self, view: str) -> list[str]:
        """Return the statements that revoke what default privileges granted on a new view."""
        rows = self._rows(_DEFAULT_GRANTEES, name=view)
        return [f"REVOKE ALL ON {view} FROM {grantee}" for (grantee,) in rows]

    def _grants(self, oid: Oid, name: str, owner: str) -> list[str]:
        statements = []
        for grant in self._rows(_GRANTS, oid=oid):
            columns = f" ({grant.column_name})" if grant.column_name else ""
            option = " WITH GRANT OPTION" if grant.grantable else ""
            statement = f"GRANT {grant.privilege}{columns} ON {name} TO {grant.grantee}{option}"
            if grant.grantor == owner:
                statements.append(statement)
            else:
                statements += [f"SET LOCAL ROLE {grant.grantor}", statement, "RESET ROLE"]
        return statements

    def _rows(self, statement: str, **parameters: Any) -> Sequence[Any]:
        return self._connection.execute(text(statement), parameters).all()


def literal(value: str) -> str:
    """Return a string as an SQL literal."""
    return "'" + value.replace("'", "''") + "'"


_OUR_VIEWS = """
SELECT relname, oid FROM pg_class
WHERE relkind = 'v' AND relnamespace = CAST(current_schema() AS regnamespace)
  AND obj_description(oid, 'pg_class') LIKE :marker
"""

_TAKEN = """
SELECT relname FROM pg_class
WHERE relnamespace = CAST(current_schema() AS regnamespace) AND relname = ANY(:names)
  AND coalesce(obj_description(oid, 'pg_class'), '') NOT LIKE :marker
"""

_OUR_TABLES = """
SELECT oid FROM pg_class
WHERE relkind IN ('r', 'p') AND relnamespace = CAST(current_schema() AS regnamespace)
  AND relname = ANY(:names)
"""

_DEPENDENCIES = """
SELECT DISTINCT rule.ev_class, used.refobjid
FROM pg_depend used
JOIN pg_rewrite rule ON rule.oid = used.objid AND used.classid = CAST('pg_rewrite' AS regclass)
JOIN pg_class view ON view.oid = rule.ev_class AND view.relkind IN ('v', 'm')
WHERE used.refclassid = CAST('pg_class' AS regclass) AND rule.ev_class <> used.refobjid
"""

_OTHER_DEPENDENTS = """
WITH dropped AS (
    SELECT oid, reltype, CAST('pg_class' AS regclass) AS class FROM pg_class
    WHERE oid = ANY(CAST(:oids AS oid[]))
)
SELECT DISTINCT pg_describe_object(used.classid, used.objid, 0)
FROM pg_depend used
JOIN dropped ON (used.refclassid = CAST('pg_class' AS regclass) AND used.refobjid = dropped.oid)
    OR (used.refclassid = CAST('pg_type' AS regclass) AND used.refobjid = dropped.reltype)
    OR (used.refclassid = CAST('pg_type' AS regclass)
        AND used.refobjid = (SELECT typarray FROM pg_type WHERE oid = dropped.reltype))
LEFT JOIN pg_rewrite rule
    ON used.classid = CAST('pg_rewrite' AS regclass) AND rule.oid = used.objid
WHERE used.deptype = 'n'
  AND coalesce(rule.ev_class <> ALL(CAST(:oids AS oid[])), true)
ORDER BY 1
"""

_COMMENTS = """
SELECT attribute.attname, comment.description
FROM pg_description comment
LEFT JOIN pg_attribute attribute
    ON attribute.attrelid = comment.objoid AND attribute.attnum = comment.objsubid
    AND comment.objsubid > 0
WHERE comment.objoid = CAST(:oid AS oid) AND comment.classoid = CAST('pg_class' AS regclass)
"""

_QUOTED_COMMENTS = _COMMENTS.replace("attribute.attname,", "quote_ident(attribute.attname),")

_VIEW = """
SELECT format('%I.%I', space.nspname, class.relname) AS name,
    class.relkind AS kind,
    class.relispopulated AS populated,
    array_to_string(class.reloptions, ', ') AS options,
    pg_get_viewdef(class.oid) AS definition,
    quote_ident(pg_get_userbyid(class.relowner)) AS owner,
    pg_get_userbyid(class.relowner) <> current_user AS owner_differs,
    coalesce(obj_description(class.oid, 'pg_class') LIKE :marker, false) AS is_ours
FROM pg_class class JOIN pg_namespace space ON space.oid = class.relnamespace
WHERE class.oid = CAST(:oid AS oid)
"""

_ATTRIBUTES = """
SELECT pg_get_indexdef(indexrelid) FROM pg_index WHERE indrelid = CAST(:oid AS oid)
UNION ALL
SELECT pg_get_triggerdef(oid) FROM pg_trigger
WHERE tgrelid = CAST(:oid AS oid) AND NOT tgisinternal
UNION ALL
SELECT pg_get_ruledef(oid) FROM pg_rewrite
WHERE ev_class = CAST(:oid AS oid) AND rulename <> '_RETURN'
UNION ALL
SELECT format('ALTER VIEW %s ALTER COLUMN %I SET DEFAULT %s', CAST(:name AS text),
    attribute.attname, pg_get_expr(preset.adbin, preset.adrelid))
FROM pg_attrdef preset
JOIN pg_attribute attribute
    ON attribute.attrelid = preset.adrelid AND attribute.attnum = preset.adnum
WHERE preset.adrelid = CAST(:oid AS oid)
"""

_GRANTS = """
WITH acl AS (
    SELECT relowner AS owner, CAST(NULL AS text) AS column_name, item.*
    FROM pg_class, LATERAL aclexplode(relacl) item WHERE oid = CAST(:oid AS oid)
    UNION ALL
    SELECT class.relowner, quote_ident(attribute.attname), item.*
    FROM pg_attribute attribute JOIN pg_class class ON class.oid = attribute.attrelid,
        LATERAL aclexplode(attribute.attacl) item
    WHERE attribute.attrelid = CAST(:oid AS oid) AND NOT attribute.attisdropped
)
SELECT column_name, privilege_type AS privilege, is_grantable AS grantable,
    quote_ident(pg_get_userbyid(grantor)) AS grantor,
    CASE grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(grantee)) END AS grantee
FROM acl WHERE grantee <> owner
ORDER BY grantor <> owner, grantor
"""

_DEFAULT_GRANTEES = """
SELECT DISTINCT
    CASE item.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(item.grantee)) END
FROM pg_class, LATERAL aclexplode(relacl) item
WHERE oid = CAST(CAST(:name AS text) AS regclass) AND item.grantee <> relowner
"""
