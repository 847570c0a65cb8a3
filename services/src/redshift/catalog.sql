-- What every database of the stand-in has beside what its users make: Redshift's functions and system views, and what they
-- are made of. Nothing here is Redshift's own text; the columns are those that AWS documents.

SET allow_system_table_mods = on;
SET default_transaction_isolation = 'read committed';

CREATE SCHEMA stand_in;

CREATE TABLE stand_in.load_errors (
    user_id integer, query_id bigint, transaction_id bigint, session_id integer, database_name text, table_id integer,
    start_time timestamp, file_name text, line_number bigint, column_name text, column_type text, column_length text,
    "position" integer, raw_line text, raw_field_value text, error_code integer, error_message text
);

-- What DDL says beside columns: {"style": "KEY", "key": "ip", "sort": ["ip"], "encodings": {"ip": "zstd"}}.
CREATE TABLE stand_in.layouts (relation oid PRIMARY KEY, layout jsonb NOT NULL);

-- Keys that are declared, and not enforced.
CREATE TABLE stand_in.keys (relation oid, name text, definition text);

CREATE FUNCTION stand_in.note_layout(relation regclass, layout jsonb) RETURNS void LANGUAGE sql AS $$
    INSERT INTO stand_in.layouts VALUES (relation, layout) ON CONFLICT DO NOTHING
$$;

-- Keys are taken off again as soon as they are made, and the length of a varchar is that of its bytes.
CREATE FUNCTION stand_in.mend() RETURNS event_trigger LANGUAGE plpgsql AS $$
DECLARE
    made record;
    found record;
BEGIN
    -- What is altered here comes here again.
    IF current_setting('stand_in.is_mending', true) = 'on' THEN
        RETURN;
    END IF;
    PERFORM set_config('stand_in.is_mending', 'on', true);
    FOR made IN
        SELECT DISTINCT c.oid, c.oid::regclass AS name FROM pg_event_trigger_ddl_commands() d
        JOIN pg_class c ON c.oid = d.objid WHERE d.classid = 'pg_class'::regclass AND c.relkind = 'r'
    LOOP
        FOR found IN
            SELECT conname, pg_get_constraintdef(oid) AS definition FROM pg_constraint
            WHERE conrelid = made.oid AND contype IN ('p', 'u', 'f', 'x')
        LOOP
            INSERT INTO stand_in.keys VALUES (made.oid, found.conname, found.definition);
            EXECUTE format('ALTER TABLE %s DROP CONSTRAINT %I', made.name, found.conname);
        END LOOP;
        FOR found IN
            SELECT c.conname, a.name, a.attname, a.bytes FROM (
                SELECT attname, atttypmod - 4 AS bytes, format('varchar_bytes_%s_%s', atttypmod - 4, attnum) AS name
                FROM pg_attribute WHERE attrelid = made.oid AND attnum > 0 AND NOT attisdropped
                AND atttypid = 'varchar'::regtype AND atttypmod > 4
            ) a FULL JOIN (
                SELECT conname::text FROM pg_constraint
                WHERE conrelid = made.oid AND starts_with(conname::text, 'varchar_bytes_')
            ) c ON c.conname = a.name WHERE c.conname IS NULL OR a.name IS NULL
        LOOP
            IF found.name IS NOT NULL THEN
                EXECUTE format('ALTER TABLE %s ADD CONSTRAINT %I CHECK (octet_length(%I) <= %s)', made.name, found.name,
                    found.attname, found.bytes);
            ELSE
                EXECUTE format('ALTER TABLE %s DROP CONSTRAINT %I', made.name, found.conname);
            END IF;
        END LOOP;
    END LOOP;
    PERFORM set_config('stand_in.is_mending', 'off', true);
END $$;

CREATE EVENT TRIGGER mend ON ddl_command_end WHEN TAG IN ('CREATE TABLE', 'CREATE TABLE AS', 'SELECT INTO', 'ALTER TABLE')
    EXECUTE FUNCTION stand_in.mend();

-- Blanks at the end of a varchar do not count where it is compared, as PostgreSQL has it of char(n) alone.
CREATE FUNCTION stand_in.lt(varchar, varchar) RETURNS boolean LANGUAGE internal IMMUTABLE STRICT AS 'bpcharlt';
CREATE FUNCTION stand_in.le(varchar, varchar) RETURNS boolean LANGUAGE internal IMMUTABLE STRICT AS 'bpcharle';
CREATE FUNCTION stand_in.eq(varchar, varchar) RETURNS boolean LANGUAGE internal IMMUTABLE STRICT AS 'bpchareq';
CREATE FUNCTION stand_in.ne(varchar, varchar) RETURNS boolean LANGUAGE internal IMMUTABLE STRICT AS 'bpcharne';
CREATE FUNCTION stand_in.ge(varchar, varchar) RETURNS boolean LANGUAGE internal IMMUTABLE STRICT AS 'bpcharge';
CREATE FUNCTION stand_in.gt(varchar, varchar) RETURNS boolean LANGUAGE internal IMMUTABLE STRICT AS 'bpchargt';
CREATE FUNCTION stand_in.cmp(varchar, varchar) RETURNS integer LANGUAGE internal IMMUTABLE STRICT AS 'bpcharcmp';
CREATE FUNCTION stand_in.hash(varchar) RETURNS integer LANGUAGE internal IMMUTABLE STRICT AS 'hashbpchar';
CREATE OPERATOR pg_catalog.= (FUNCTION = stand_in.eq, LEFTARG = varchar, RIGHTARG = varchar, COMMUTATOR = OPERATOR(pg_catalog.=),
    RESTRICT = eqsel, JOIN = eqjoinsel, HASHES, MERGES);
CREATE OPERATOR pg_catalog.<> (FUNCTION = stand_in.ne, LEFTARG = varchar, RIGHTARG = varchar,
    COMMUTATOR = OPERATOR(pg_catalog.<>), NEGATOR = OPERATOR(pg_catalog.=), RESTRICT = neqsel, JOIN = neqjoinsel);
CREATE OPERATOR pg_catalog.< (FUNCTION = stand_in.lt, LEFTARG = varchar, RIGHTARG = varchar);
CREATE OPERATOR pg_catalog.<= (FUNCTION = stand_in.le, LEFTARG = varchar, RIGHTARG = varchar);
CREATE OPERATOR pg_catalog.>= (FUNCTION = stand_in.ge, LEFTARG = varchar, RIGHTARG = varchar);
CREATE OPERATOR pg_catalog.> (FUNCTION = stand_in.gt, LEFTARG = varchar, RIGHTARG = varchar);
CREATE OPERATOR CLASS stand_in.varchar_ops DEFAULT FOR TYPE varchar USING btree AS
    OPERATOR 1 pg_catalog.< (varchar, varchar), OPERATOR 2 pg_catalog.<= (varchar, varchar),
    OPERATOR 3 pg_catalog.= (varchar, varchar), OPERATOR 4 pg_catalog.>= (varchar, varchar),
    OPERATOR 5 pg_catalog.> (varchar, varchar), FUNCTION 1 stand_in.cmp(varchar, varchar);
CREATE OPERATOR CLASS stand_in.varchar_ops DEFAULT FOR TYPE varchar USING hash AS
    OPERATOR 1 pg_catalog.= (varchar, varchar), FUNCTION 1 stand_in.hash(varchar);

CREATE FUNCTION pg_catalog.getdate() RETURNS timestamp LANGUAGE sql STABLE AS $$
    SELECT date_trunc('second', statement_timestamp() AT TIME ZONE 'UTC')
$$;

CREATE FUNCTION pg_catalog.sysdate() RETURNS timestamp LANGUAGE sql STABLE AS $$
    SELECT transaction_timestamp() AT TIME ZONE 'UTC'
$$;

CREATE FUNCTION pg_catalog.pg_last_copy_count() RETURNS bigint LANGUAGE sql VOLATILE AS $$
    SELECT coalesce(nullif(current_setting('redshift.last_copy_count', true), ''), '0')::bigint
$$;

CREATE OR REPLACE FUNCTION pg_catalog.version() RETURNS text LANGUAGE sql STABLE AS $$
    SELECT 'PostgreSQL 8.0.2 on i686-pc-linux-gnu, compiled by GCC gcc (GCC) 3.4.2, Redshift 1.0 (a stand-in)'
$$;

CREATE VIEW pg_catalog.sys_load_error_detail AS
    SELECT user_id, query_id, transaction_id, session_id, database_name::char(64), table_id, start_time,
        file_name::char(256), line_number, column_name::char(127), column_type::char(10), column_length::char(10), "position",
        error_code, error_message::char(512)
    FROM stand_in.load_errors;

CREATE VIEW pg_catalog.stl_load_errors AS
    SELECT user_id AS userid, 0 AS slice, table_id AS tbl, start_time AS starttime, session_id AS session,
        query_id::integer AS query, file_name::char(256) AS filename, line_number, column_name::char(127) AS colname,
        column_type::char(10) AS type, column_length::char(10) AS col_length, "position", raw_line::char(1024) AS raw_line,
        raw_field_value::char(1024) AS raw_field_value, error_code AS err_code, error_message::char(100) AS err_reason,
        0 AS is_partial, 0::bigint AS start_offset
    FROM stand_in.load_errors;

CREATE VIEW pg_catalog.svv_transactions AS
    SELECT a.usename::text AS txn_owner, a.datname::text AS txn_db,
        coalesce(a.backend_xid, a.backend_xmin, '0'::xid)::text::bigint AS xid, l.pid,
        a.xact_start AT TIME ZONE 'UTC' AS txn_start, l.mode AS lock_mode, l.locktype AS lockable_object_type,
        l.relation::bigint AS relation, l.granted
    FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid AND a.datname = current_database()
    WHERE l.pid <> pg_backend_pid() AND l.mode <> 'SIReadLock'
        AND (a.usename = current_user OR (SELECT rolsuper FROM pg_roles WHERE rolname = current_user));

CREATE VIEW pg_catalog.stv_locks AS
    SELECT relation AS table_id, NULL::timestamp AS last_commit, NULL::timestamp AS last_update, xid AS lock_owner,
        pid AS lock_owner_pid, txn_start AS lock_owner_start_ts, NULL::timestamp AS lock_owner_end_ts,
        CASE WHEN granted THEN 'Holding write lock' ELSE 'Waiting for write lock' END::char(22) AS lock_status
    FROM pg_catalog.svv_transactions
    WHERE lockable_object_type = 'relation' AND lock_mode IN ('ShareRowExclusiveLock', 'AccessExclusiveLock');

CREATE VIEW pg_catalog.stv_sessions AS
    SELECT backend_start AT TIME ZONE 'UTC' AS starttime, pid AS process, usename::char(50) AS user_name,
        datname::char(50) AS db_name, 0 AS timeout_sec
    FROM pg_stat_activity WHERE datname = current_database();

CREATE VIEW pg_catalog.pg_table_def AS
    SELECT n.nspname AS schemaname, c.relname AS tablename, a.attname AS "column",
        format_type(a.atttypid, a.atttypmod) AS type,
        coalesce(l.layout -> 'encodings' ->> a.attname::text, 'none') AS encoding,
        coalesce(l.layout ->> 'key' = a.attname::text, false) AS distkey,
        coalesce((SELECT s.at FROM jsonb_array_elements_text(l.layout -> 'sort') WITH ORDINALITY s (name, at)
            WHERE s.name = a.attname::text), 0)::integer AS sortkey,
        a.attnotnull AS "notnull"
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_attribute a ON a.attrelid = c.oid
    LEFT JOIN stand_in.layouts l ON l.relation = c.oid
    WHERE c.relkind = 'r' AND a.attnum > 0 AND NOT a.attisdropped AND n.nspname = ANY (current_schemas(false));

CREATE VIEW pg_catalog.svv_table_info AS
    SELECT current_database()::text AS "database", n.nspname::text AS schema, c.oid::integer AS table_id,
        c.relname::text AS "table", CASE WHEN l.layout -> 'encodings' = '{}' THEN 'N' ELSE 'Y' END AS encoded,
        CASE l.layout ->> 'style' WHEN 'KEY' THEN format('KEY(%s)', l.layout ->> 'key') WHEN 'AUTO' THEN 'AUTO(ALL)'
            ELSE l.layout ->> 'style' END AS diststyle,
        l.layout -> 'sort' ->> 0 AS sortkey1, jsonb_array_length(l.layout -> 'sort') AS sortkey_num,
        c.reltuples::numeric(38, 0) AS tbl_rows
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace JOIN stand_in.layouts l ON l.relation = c.oid
    WHERE c.relkind = 'r' AND c.relpersistence = 'p';

CREATE VIEW pg_catalog.svv_columns AS
    SELECT table_catalog, table_schema, table_name, column_name, ordinal_position, column_default, is_nullable, data_type,
        character_maximum_length, numeric_precision, numeric_precision_radix, numeric_scale, datetime_precision
    FROM information_schema.columns;

GRANT USAGE ON SCHEMA stand_in TO PUBLIC;
GRANT ALL ON ALL TABLES IN SCHEMA stand_in TO PUBLIC;
GRANT SELECT ON pg_catalog.svv_transactions, pg_catalog.pg_table_def, pg_catalog.svv_columns TO PUBLIC;

RESET allow_system_table_mods;
