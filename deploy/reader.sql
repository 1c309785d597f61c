-- The role `reader` can read Genrebase's views, and nothing else. Run this as the owner of the
-- database, after the first migration and after upgrades that add views; it is idempotent:
--
--   psql "$STORE_URL" --file deploy/reader.sql
--   psql "$STORE_URL" --command '\password reader'

DO $$
DECLARE
    readable regclass;
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'reader') THEN
        CREATE ROLE reader;
    END IF;
    EXECUTE format('GRANT USAGE ON SCHEMA %I TO reader', current_schema());
    FOR readable IN
        SELECT oid FROM pg_class
        WHERE relkind = 'v' AND relnamespace = CAST(current_schema() AS regnamespace)
          AND obj_description(oid, 'pg_class') LIKE '%[Genrebase]'
    LOOP
        EXECUTE format('GRANT SELECT ON %s TO reader', readable);
    END LOOP;
END
$$;

ALTER ROLE reader LOGIN;
ALTER ROLE reader SET default_transaction_read_only = on;
-- Cancel queries that were left running, in a notebook for example.
ALTER ROLE reader SET statement_timeout = '5min';
