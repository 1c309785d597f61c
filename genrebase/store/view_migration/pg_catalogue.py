"""What PostgreSQL's own catalogue says about views, as the statements that make them again."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, text

from genrebase.store import tables, views
from genrebase.store.views.definition import MARKER

Oid = int


@dataclass(frozen=True, slots=True)
class SavedView:
    """A view or materialised view, as the statements that drop it and make it again."""

    name: str
    """Qualified and quoted."""
    oid: Oid
    drop: str
    create: list[str]
    attributes: list[str]
    """What it wore besides its definition: options, triggers, rules, defaults, its owner."""
    grants: list[str]


class PostgresqlCatalogue:
    """Questions to the system catalogue of the current schema's database."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def our_views(self) -> dict[str, Oid]:
        """Return the views that carry our mark, also those of another version."""
        return dict(self._rows(_OUR_VIEWS, mark=f"%{MARKER}"))

    def taken_names(self) -> list[str]:
        """Return names of our views that somebody's own view or table has."""
        rows = self._rows(_TAKEN, names=list(views.ALL), mark=f"%{MARKER}")
        return [name for (name,) in rows]

    def dependent_views(self, ours: Mapping[str, Oid]) -> list[Oid]:
        """Return all other views over our views or tables, those that others stand on first."""
        used_by: dict[Oid, set[Oid]] = {}
        for view, used in self._rows(_USES):
            used_by.setdefault(used, set()).add(view)
        roots = {*ours.values(), *self._our_tables()}
        depth = dict.fromkeys(roots, 0)
        waiting = list(roots)
        while waiting:
            used = waiting.pop()
            for view in used_by.get(used, ()):
                if depth.get(view, -1) < depth[used] + 1:
                    depth[view] = depth[used] + 1
                    waiting.append(view)
        return sorted(depth.keys() - roots, key=lambda oid: (depth[oid], oid))

    def other_dependents(self, oids: Sequence[Oid]) -> list[str]:
        """Return what else stands on these: functions over their rows, rules of tables."""
        return [name for (name,) in self._rows(_OTHER_DEPENDENTS, oids=list(oids))]

    def definition(self, oid: Oid) -> str:
        """Return a view's select as PostgreSQL writes it."""
        return str(self._rows("SELECT pg_get_viewdef(CAST(:oid AS oid))", oid=oid)[0][0])

    def definition_of(self, name: str) -> str:
        """Return the select of the view of this name."""
        found = self._rows("SELECT pg_get_viewdef(CAST(:name AS regclass))", name=name)
        return str(found[0][0])

    def comments(self, oid: Oid) -> dict[str | None, str]:
        """Return the comments on a view (under None) and on its columns."""
        return dict(self._rows(_COMMENTS, oid=oid))

    def relation(self, oid: Oid) -> SavedView:
        """Return the statements that make a view again as it is."""
        found = self._rows(_RELATION, oid=oid, mark=f"%{MARKER}")[0]
        word = "MATERIALIZED VIEW" if found.kind == "m" else "VIEW"
        options = f" WITH ({found.options})" if found.options else ""
        populated = "" if found.kind == "v" or found.populated else " WITH NO DATA"
        definition = found.definition.rstrip().rstrip(";")
        create = [f"CREATE {word} {found.name}{options} AS {definition}{populated}"]
        create += [
            f"COMMENT ON {f'COLUMN {found.name}.{column}' if column else f'{word} {found.name}'} "
            f"IS {literal(comment)}"
            for column, comment in self._rows(_QUOTED_COMMENTS, oid=oid)
        ]
        dress = [statement for (statement,) in self._rows(_DRESS, oid=oid, name=found.name)]
        if found.is_ours and found.options:
            dress.insert(0, f"ALTER VIEW {found.name} SET ({found.options})")
        if found.owner_differs:
            dress.append(f"ALTER {word} {found.name} OWNER TO {found.owner}")
        return SavedView(
            name=found.name,
            oid=oid,
            drop=f"DROP {word} {found.name}",
            create=create,
            attributes=dress,
            grants=self._grants(oid, found.name, found.owner),
        )

    def unwanted_grants(self, relation: SavedView) -> list[str]:
        """Return the statements that take back what default privileges gave to a new relation."""
        rows = self._rows(_GIVEN, name=relation.name)
        return [f"REVOKE ALL ON {relation.name} FROM {grantee}" for (grantee,) in rows]

    def _our_tables(self) -> list[Oid]:
        return [oid for (oid,) in self._rows(_OUR_TABLES, names=list(tables.metadata.tables))]

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
    """Return a string as SQL."""
    return "'" + value.replace("'", "''") + "'"


_OUR_VIEWS = """
SELECT relname, oid FROM pg_class
WHERE relkind = 'v' AND relnamespace = CAST(current_schema() AS regnamespace)
  AND obj_description(oid, 'pg_class') LIKE :mark
"""

_TAKEN = """
SELECT relname FROM pg_class
WHERE relnamespace = CAST(current_schema() AS regnamespace) AND relname = ANY(:names)
  AND coalesce(obj_description(oid, 'pg_class'), '') NOT LIKE :mark
"""

_OUR_TABLES = """
SELECT oid FROM pg_class
WHERE relkind IN ('r', 'p') AND relnamespace = CAST(current_schema() AS regnamespace)
  AND relname = ANY(:names)
"""

_USES = """
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

_RELATION = """
SELECT format('%I.%I', space.nspname, class.relname) AS name,
    class.relkind AS kind,
    class.relispopulated AS populated,
    array_to_string(class.reloptions, ', ') AS options,
    pg_get_viewdef(class.oid) AS definition,
    quote_ident(pg_get_userbyid(class.relowner)) AS owner,
    pg_get_userbyid(class.relowner) <> current_user AS owner_differs,
    coalesce(obj_description(class.oid, 'pg_class') LIKE :mark, false) AS is_ours
FROM pg_class class JOIN pg_namespace space ON space.oid = class.relnamespace
WHERE class.oid = CAST(:oid AS oid)
"""

_DRESS = """
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

_GIVEN = """
SELECT DISTINCT
    CASE item.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(item.grantee)) END
FROM pg_class, LATERAL aclexplode(relacl) item
WHERE oid = CAST(CAST(:name AS text) AS regclass) AND item.grantee <> relowner
"""
