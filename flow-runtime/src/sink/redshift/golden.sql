-- a session begins
SET statement_timeout TO 3600000;

-- a session begins
SET timezone TO 'UTC';

-- a session begins
SET query_group TO 'flow';

-- a session begins
SET enable_case_sensitive_identifier TO false;

-- append: what columns the table has
SELECT c.relkind, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_attribute a ON a.attrelid = c.oid WHERE n.nspname = 'web' AND c.relname = 'daily' AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum;

-- append: make the ledger
CREATE TABLE "web"."flow_ledger_daily" (flow varchar(1024) NOT NULL, port varchar(256) NOT NULL, epoch varchar(256) NOT NULL, iteration bigint NOT NULL, hash varchar(256) NOT NULL, row_count bigint NOT NULL, staged varchar(4096), pid integer NOT NULL, published timestamp NOT NULL);

-- append: begin
BEGIN;

-- append: lock the ledger
LOCK TABLE "web"."flow_ledger_daily";

-- append: who holds it
SELECT t.pid, t.txn_owner, t.txn_start, t.granted FROM svv_transactions t JOIN pg_class c ON c.oid = t.relation JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = 'web' AND c.relname = 'flow_ledger_daily' ORDER BY t.txn_start;

-- append: ask the ledger
SELECT epoch, iteration, hash FROM "web"."flow_ledger_daily" WHERE flow = 'hits' AND port = 'daily' ORDER BY CASE WHEN epoch = 'e1' THEN 1 ELSE 0 END, iteration DESC LIMIT 1;

-- append: make the table
CREATE TABLE "web"."daily" ("ip" varchar(65535), "day" date NOT NULL, "last" timestamp, "paid" decimal(30, 2), "count" bigint) DISTKEY ("ip") SORTKEY ("day", "ip");

-- append: a column that was added
ALTER TABLE "web"."daily" ADD COLUMN "last" timestamp;

-- append: load
COPY "web"."daily" ("ip", "day", "last", "paid", "count") FROM 's3://warehouse/o''staged/a-1/daily/rows.csv.gz.manifest' IAM_ROLE 'arn:aws:iam::123456789012:role/loads' REGION 'eu-central-1' MANIFEST CSV NULL AS '@NULL@' GZIP DATEFORMAT 'auto' TIMEFORMAT 'auto' COMPUPDATE OFF STATUPDATE OFF;

-- append: count
SELECT pg_last_copy_count();

-- append: note it in the ledger
INSERT INTO "web"."flow_ledger_daily" (flow, port, epoch, iteration, hash, row_count, staged, pid, published) VALUES ('hits', 'daily', 'e1', 7, 'hash of 7', 1234, 's3://warehouse/o''staged/a-1/daily/rows.csv.gz.manifest', pg_backend_pid(), GETDATE());

-- append: commit
COMMIT;

-- append: forget the flow
DELETE FROM "web"."flow_ledger_daily" WHERE flow = 'hits' AND port = 'daily';

-- append: why a row was refused
SELECT file_name, line_number, column_name, column_type, column_length, error_code, error_message FROM sys_load_error_detail WHERE SUBSTRING(file_name, 1, 34) = 's3://warehouse/o''staged/a-1/daily/' ORDER BY start_time DESC LIMIT 1;

-- append: the same where that view is missing
SELECT filename, line_number, colname, type, col_length, err_code, err_reason FROM stl_load_errors WHERE SUBSTRING(filename, 1, 34) = 's3://warehouse/o''staged/a-1/daily/' ORDER BY starttime DESC LIMIT 1;

-- append: count what is there
SELECT count(*) FROM (SELECT 1 FROM "web"."daily" LIMIT 100001) counted;

-- append: show the first rows
SELECT "ip", "day", "last", "paid", "count" FROM "web"."daily" ORDER BY "ip" NULLS FIRST, "day" NULLS FIRST LIMIT 20;

-- replace: what columns the table has
SELECT c.relkind, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_attribute a ON a.attrelid = c.oid WHERE n.nspname = 'web' AND c.relname = 'daily' AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum;

-- replace: make the ledger
CREATE TABLE "web"."flow_ledger_daily" (flow varchar(1024) NOT NULL, port varchar(256) NOT NULL, epoch varchar(256) NOT NULL, iteration bigint NOT NULL, hash varchar(256) NOT NULL, row_count bigint NOT NULL, staged varchar(4096), pid integer NOT NULL, published timestamp NOT NULL);

-- replace: begin
BEGIN;

-- replace: lock the ledger
LOCK TABLE "web"."flow_ledger_daily";

-- replace: who holds it
SELECT t.pid, t.txn_owner, t.txn_start, t.granted FROM svv_transactions t JOIN pg_class c ON c.oid = t.relation JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = 'web' AND c.relname = 'flow_ledger_daily' ORDER BY t.txn_start;

-- replace: ask the ledger
SELECT epoch, iteration, hash FROM "web"."flow_ledger_daily" WHERE flow = 'hits' AND port = 'daily' ORDER BY CASE WHEN epoch = 'e1' THEN 1 ELSE 0 END, iteration DESC LIMIT 1;

-- replace: make the table
CREATE TABLE "web"."daily" ("ip" varchar(65535), "day" date NOT NULL, "last" timestamp, "paid" decimal(30, 2), "count" bigint) DISTKEY ("ip") SORTKEY ("day", "ip");

-- replace: a column that was added
ALTER TABLE "web"."daily" ADD COLUMN "last" timestamp;

-- replace: empty the table
DELETE FROM "web"."daily";

-- replace: load
COPY "web"."daily" ("ip", "day", "last", "paid", "count") FROM 's3://warehouse/o''staged/a-1/daily/rows.csv.gz.manifest' IAM_ROLE 'arn:aws:iam::123456789012:role/loads' REGION 'eu-central-1' MANIFEST CSV NULL AS '@NULL@' GZIP DATEFORMAT 'auto' TIMEFORMAT 'auto' COMPUPDATE OFF STATUPDATE OFF;

-- replace: count
SELECT pg_last_copy_count();

-- replace: note it in the ledger
INSERT INTO "web"."flow_ledger_daily" (flow, port, epoch, iteration, hash, row_count, staged, pid, published) VALUES ('hits', 'daily', 'e1', 7, 'hash of 7', 1234, 's3://warehouse/o''staged/a-1/daily/rows.csv.gz.manifest', pg_backend_pid(), GETDATE());

-- replace: commit
COMMIT;

-- replace: forget the flow
DELETE FROM "web"."flow_ledger_daily" WHERE flow = 'hits' AND port = 'daily';

-- replace: why a row was refused
SELECT file_name, line_number, column_name, column_type, column_length, error_code, error_message FROM sys_load_error_detail WHERE SUBSTRING(file_name, 1, 34) = 's3://warehouse/o''staged/a-1/daily/' ORDER BY start_time DESC LIMIT 1;

-- replace: the same where that view is missing
SELECT filename, line_number, colname, type, col_length, err_code, err_reason FROM stl_load_errors WHERE SUBSTRING(filename, 1, 34) = 's3://warehouse/o''staged/a-1/daily/' ORDER BY starttime DESC LIMIT 1;

-- replace: count what is there
SELECT count(*) FROM (SELECT 1 FROM "web"."daily" LIMIT 100001) counted;

-- replace: show the first rows
SELECT "ip", "day", "last", "paid", "count" FROM "web"."daily" ORDER BY "ip" NULLS FIRST, "day" NULLS FIRST LIMIT 20;

-- merge: what columns the table has
SELECT c.relkind, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_attribute a ON a.attrelid = c.oid WHERE n.nspname = 'web' AND c.relname = 'daily' AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum;

-- merge: make the ledger
CREATE TABLE "web"."flow_ledger_daily" (flow varchar(1024) NOT NULL, port varchar(256) NOT NULL, epoch varchar(256) NOT NULL, iteration bigint NOT NULL, hash varchar(256) NOT NULL, row_count bigint NOT NULL, staged varchar(4096), pid integer NOT NULL, published timestamp NOT NULL);

-- merge: begin
BEGIN;

-- merge: lock the ledger
LOCK TABLE "web"."flow_ledger_daily";

-- merge: who holds it
SELECT t.pid, t.txn_owner, t.txn_start, t.granted FROM svv_transactions t JOIN pg_class c ON c.oid = t.relation JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = 'web' AND c.relname = 'flow_ledger_daily' ORDER BY t.txn_start;

-- merge: ask the ledger
SELECT epoch, iteration, hash FROM "web"."flow_ledger_daily" WHERE flow = 'hits' AND port = 'daily' ORDER BY CASE WHEN epoch = 'e1' THEN 1 ELSE 0 END, iteration DESC LIMIT 1;

-- merge: make the table
CREATE TABLE "web"."daily" ("ip" varchar(65535), "day" date NOT NULL, "last" timestamp, "paid" decimal(30, 2), "count" bigint) DISTKEY ("ip") SORTKEY ("day", "ip");

-- merge: a column that was added
ALTER TABLE "web"."daily" ADD COLUMN "last" timestamp;

-- merge: make room for what comes
CREATE TEMPORARY TABLE flow_incoming ("flow_row" bigint NOT NULL, "ip" varchar(65535), "day" date NOT NULL, "last" timestamp, "paid" decimal(30, 2), "count" bigint);

-- merge: load
COPY flow_incoming ("flow_row", "ip", "day", "last", "paid", "count") FROM 's3://warehouse/o''staged/a-1/daily/numbered.csv.gz.manifest' IAM_ROLE 'arn:aws:iam::123456789012:role/loads' REGION 'eu-central-1' MANIFEST CSV NULL AS '@NULL@' GZIP DATEFORMAT 'auto' TIMEFORMAT 'auto' COMPUPDATE OFF STATUPDATE OFF;

-- merge: count
SELECT pg_last_copy_count();

-- merge: one row a key
CREATE TEMPORARY TABLE flow_folded AS SELECT "ip", "day", "last", "paid", "count" FROM (SELECT "ip", "day", "last", sum("paid") OVER (PARTITION BY md5("ip"), "day") AS "paid", sum("count") OVER (PARTITION BY md5("ip"), "day") AS "count", row_number() OVER (PARTITION BY md5("ip"), "day" ORDER BY "flow_row" DESC) AS flow_rank FROM flow_incoming) ranked WHERE flow_rank = 1;

-- merge: which keys are null
SELECT DISTINCT "ip" IS NULL FROM flow_folded;

-- merge: change
UPDATE "web"."daily" t SET "last" = i."last", "paid" = COALESCE(t."paid" + i."paid", t."paid", i."paid"), "count" = COALESCE(t."count" + i."count", t."count", i."count") FROM flow_folded i WHERE t."ip" = i."ip" AND md5(t."ip") = md5(i."ip") AND t."day" = i."day";

-- merge: add
INSERT INTO "web"."daily" ("ip", "day", "last", "paid", "count") SELECT i."ip", i."day", i."last", i."paid", i."count" FROM flow_folded i WHERE i."ip" IS NOT NULL AND i."day" IS NOT NULL AND NOT EXISTS (SELECT 1 FROM "web"."daily" t WHERE t."ip" = i."ip" AND md5(t."ip") = md5(i."ip") AND t."day" = i."day");

-- merge: change
UPDATE "web"."daily" t SET "last" = i."last", "paid" = COALESCE(t."paid" + i."paid", t."paid", i."paid"), "count" = COALESCE(t."count" + i."count", t."count", i."count") FROM flow_folded i WHERE CASE WHEN t."ip" IS NULL THEN 0 END = CASE WHEN i."ip" IS NULL THEN 0 END AND t."day" = i."day";

-- merge: add
INSERT INTO "web"."daily" ("ip", "day", "last", "paid", "count") SELECT i."ip", i."day", i."last", i."paid", i."count" FROM flow_folded i WHERE i."ip" IS NULL AND i."day" IS NOT NULL AND NOT EXISTS (SELECT 1 FROM "web"."daily" t WHERE CASE WHEN t."ip" IS NULL THEN 0 END = CASE WHEN i."ip" IS NULL THEN 0 END AND t."day" = i."day");

-- merge: one row a key, of a key that is all null
CREATE TEMPORARY TABLE flow_folded AS SELECT "host", "count" FROM (SELECT "host", sum("count") OVER (PARTITION BY md5("host")) AS "count", row_number() OVER (PARTITION BY md5("host") ORDER BY "flow_row" DESC) AS flow_rank FROM flow_incoming) ranked WHERE flow_rank = 1;

-- merge: change where all of the key is null
UPDATE "web"."hosts" t SET "count" = COALESCE(t."count" + i."count", t."count", i."count") FROM flow_folded i WHERE CASE WHEN t."host" IS NULL THEN 0 END = CASE WHEN i."host" IS NULL THEN 0 END;

-- merge: add where all of the key is null
INSERT INTO "web"."hosts" ("host", "count") SELECT i."host", i."count" FROM flow_folded i WHERE i."host" IS NULL AND NOT EXISTS (SELECT 1 FROM "web"."hosts" t WHERE CASE WHEN t."host" IS NULL THEN 0 END = CASE WHEN i."host" IS NULL THEN 0 END);

-- merge: note it in the ledger
INSERT INTO "web"."flow_ledger_daily" (flow, port, epoch, iteration, hash, row_count, staged, pid, published) VALUES ('hits', 'daily', 'e1', 7, 'hash of 7', 1234, 's3://warehouse/o''staged/a-1/daily/numbered.csv.gz.manifest', pg_backend_pid(), GETDATE());

-- merge: commit
COMMIT;

-- merge: forget the flow
DELETE FROM "web"."flow_ledger_daily" WHERE flow = 'hits' AND port = 'daily';

-- merge: why a row was refused
SELECT file_name, line_number, column_name, column_type, column_length, error_code, error_message FROM sys_load_error_detail WHERE SUBSTRING(file_name, 1, 34) = 's3://warehouse/o''staged/a-1/daily/' ORDER BY start_time DESC LIMIT 1;

-- merge: the same where that view is missing
SELECT filename, line_number, colname, type, col_length, err_code, err_reason FROM stl_load_errors WHERE SUBSTRING(filename, 1, 34) = 's3://warehouse/o''staged/a-1/daily/' ORDER BY starttime DESC LIMIT 1;

-- merge: count what is there
SELECT count(*) FROM (SELECT 1 FROM "web"."daily" LIMIT 100001) counted;

-- merge: show the first rows
SELECT "ip", "day", "last", "paid", "count" FROM "web"."daily" ORDER BY "ip" NULLS FIRST, "day" NULLS FIRST LIMIT 20;
