-- The role `reader` can read Genrebase's views, and nothing else. Run this as the owner of the
-- database, who needs CREATEROLE, after the first migration and after upgrades that add views; it
-- is idempotent:
--
--   psql "$STORE_URL" --file deploy/reader.sql
--   psql "$STORE_URL" --command '\password reader'
--
-- If a superuser runs it, it also revokes rights that every role has in PostgreSQL: large objects,
-- advisory locks (many of them stop the server), ending other sessions of the role, messages in the
-- write-ahead log, code in plpgsql, unlimited temporary files. The role that runs this file keeps
-- these rights, and temporary tables; grant TEMPORARY ON DATABASE to other roles that import or train.
\set ON_ERROR_STOP on

DO $$
DECLARE
    readable regclass;
    is_superuser boolean := (SELECT rolsuper FROM pg_roles WHERE rolname = current_user);
    of_everybody regprocedure;
BEGIN
    IF NOT EXISTS (
        SELECT FROM pg_roles WHERE rolname = current_user AND (rolsuper OR rolcreaterole)
    ) THEN
        RAISE EXCEPTION 'The role % must not create roles: nothing was changed.', current_user
            USING HINT = format('Let a superuser run ALTER ROLE %I CREATEROLE, or this file.', current_user);
    END IF;
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
    EXECUTE format('GRANT TEMPORARY ON DATABASE %I TO %I', current_database(), current_user);
    EXECUTE format('REVOKE TEMPORARY ON DATABASE %I FROM PUBLIC', current_database());
    EXECUTE format('REVOKE CREATE ON SCHEMA %I FROM PUBLIC', current_schema());
    IF CAST(current_setting('server_version_num') AS integer) >= 170000 THEN
        ALTER ROLE reader SET transaction_timeout = '15min';
    END IF;
    IF is_superuser THEN
        FOR of_everybody IN
            SELECT oid FROM pg_proc WHERE pronamespace = CAST('pg_catalog' AS regnamespace)
              AND (proname IN ('lo_creat', 'lo_create', 'lo_from_bytea', 'lo_import', 'pg_cancel_backend',
                               'pg_terminate_backend', 'pg_logical_emit_message')
                   OR proname LIKE 'pg\_%advisory%lock%')
        LOOP
            EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO %I', of_everybody, current_user);
            EXECUTE format('REVOKE EXECUTE ON FUNCTION %s FROM PUBLIC', of_everybody);
        END LOOP;
        EXECUTE format('GRANT USAGE ON LANGUAGE plpgsql TO %I', current_user);
        REVOKE USAGE ON LANGUAGE plpgsql FROM PUBLIC;
        ALTER ROLE reader SET temp_file_limit = '4GB';
    END IF;
END
$$;

ALTER ROLE reader LOGIN CONNECTION LIMIT 20;
ALTER ROLE reader SET default_transaction_read_only = on;
-- Cancel queries that were left running, in a notebook for example, and sessions that hold locks.
ALTER ROLE reader SET statement_timeout = '5min';
ALTER ROLE reader SET idle_in_transaction_session_timeout = '1min';
