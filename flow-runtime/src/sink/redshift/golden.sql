-- daily, append: begin the session
SET statement_timeout TO 3600000;

-- daily, append: begin the session
SET timezone TO 'UTC';

-- daily, append: begin the session
SET query_group TO 'flow';

-- daily, append: begin the session
SET enable_case_sensitive_identifier TO false;

-- daily, append: is there a ledger
SELECT 1 FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = 'web' AND c.relname = 'flow_ledger_daily';

-- daily, append: make the ledger, if there is none
CREATE TABLE "web"."flow_ledger_daily" (flow varchar(1024) NOT NULL, port varchar(256) NOT NULL, epoch varchar(256) NOT NULL, iteration bigint NOT NULL, hash varchar(256) NOT NULL, row_count bigint NOT NULL, staged varchar(4096), pid integer NOT NULL, published timestamp NOT NULL);

-- daily, append: limit how long the lock is waited for
SET statement_timeout TO 300000;

-- daily, append: begin
BEGIN;

-- daily, append: lock the ledger
LOCK TABLE "web"."flow_ledger_daily";

-- daily, append: limit the others as before
SET statement_timeout TO 3600000;

-- daily, append: ask the ledger
SELECT epoch, iteration, hash FROM "web"."flow_ledger_daily" WHERE flow = 'hits' AND port = 'daily' ORDER BY CASE WHEN epoch = 'e1' THEN 1 ELSE 0 END, iteration DESC LIMIT 1;

-- daily, append: what columns the table has
SELECT c.relkind, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_attribute a ON a.attrelid = c.oid WHERE n.nspname = 'web' AND c.relname = 'daily' AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum;

-- daily, append: make the table, if there is none
CREATE TABLE "web"."daily" ("ip" varchar(65535), "day" date NOT NULL, "last" timestamp, "paid" decimal(30, 2), "count" bigint) DISTKEY ("ip") SORTKEY ("day", "ip");

-- daily, append: load
COPY "web"."daily" ("ip", "day", "last", "paid", "count") FROM 's3://warehouse/o''staged/a-1/daily/rows.csv.gz.manifest' IAM_ROLE 'arn:aws:iam::123456789012:role/loads' REGION 'eu-central-1' MANIFEST CSV NULL AS '@NULL@' GZIP DATEFORMAT 'auto' TIMEFORMAT 'auto' COMPUPDATE OFF STATUPDATE OFF;

-- daily, append: count
SELECT pg_last_copy_count();

-- daily, append: note it in the ledger
INSERT INTO "web"."flow_ledger_daily" (flow, port, epoch, iteration, hash, row_count, staged, pid, published) VALUES ('hits', 'daily', 'e1', 7, 'hash of 7', 1234, 's3://warehouse/o''staged/a-1/daily/rows.csv.gz.manifest', pg_backend_pid(), GETDATE());

-- daily, append: commit
COMMIT;

-- daily, append: a column that was added
ALTER TABLE "web"."daily" ADD COLUMN "ip" varchar(65535);

-- daily, append: who holds the ledger
SELECT t.pid, t.txn_owner, t.txn_start, t.granted FROM svv_transactions t JOIN pg_class c ON c.oid = t.relation JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = 'web' AND c.relname = 'flow_ledger_daily' ORDER BY t.txn_start;

-- daily, append: why a row was refused
SELECT file_name, line_number, column_name, column_type, column_length, error_code, error_message FROM sys_load_error_detail WHERE SUBSTRING(file_name, 1, 34) = 's3://warehouse/o''staged/a-1/daily/' ORDER BY start_time DESC LIMIT 1;

-- daily, append: the same where that view is missing
SELECT filename, line_number, colname, type, col_length, err_code, err_reason FROM stl_load_errors WHERE SUBSTRING(filename, 1, 34) = 's3://warehouse/o''staged/a-1/daily/' ORDER BY starttime DESC LIMIT 1;

-- daily, append: its value
SELECT raw_field_value FROM stl_load_errors WHERE SUBSTRING(filename, 1, 34) = 's3://warehouse/o''staged/a-1/daily/' ORDER BY starttime DESC LIMIT 1;

-- daily, append: whose is what was staged
SELECT epoch FROM "web"."flow_ledger_daily" WHERE flow = 'hits' AND port = 'daily' ORDER BY published DESC LIMIT 1;

-- daily, append: forget the flow
DELETE FROM "web"."flow_ledger_daily" WHERE flow = 'hits' AND port = 'daily';

-- daily, append: count what is there
SELECT count(*) FROM (SELECT 1 FROM "web"."daily" LIMIT 100001) counted;

-- daily, append: show the first rows
SELECT "ip", "day", "last", "paid", "count" FROM "web"."daily" ORDER BY "ip" NULLS FIRST, "day" NULLS FIRST LIMIT 20;

-- daily, append: drop the table
DROP TABLE "web"."daily";

-- daily, append: drop the ledger
DROP TABLE "web"."flow_ledger_daily";

-- daily, replace: begin the session
SET statement_timeout TO 3600000;

-- daily, replace: begin the session
SET timezone TO 'UTC';

-- daily, replace: begin the session
SET query_group TO 'flow';

-- daily, replace: begin the session
SET enable_case_sensitive_identifier TO false;

-- daily, replace: is there a ledger
SELECT 1 FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = 'web' AND c.relname = 'flow_ledger_daily';

-- daily, replace: make the ledger, if there is none
CREATE TABLE "web"."flow_ledger_daily" (flow varchar(1024) NOT NULL, port varchar(256) NOT NULL, epoch varchar(256) NOT NULL, iteration bigint NOT NULL, hash varchar(256) NOT NULL, row_count bigint NOT NULL, staged varchar(4096), pid integer NOT NULL, published timestamp NOT NULL);

-- daily, replace: limit how long the lock is waited for
SET statement_timeout TO 300000;

-- daily, replace: begin
BEGIN;

-- daily, replace: lock the ledger
LOCK TABLE "web"."flow_ledger_daily";

-- daily, replace: limit the others as before
SET statement_timeout TO 3600000;

-- daily, replace: ask the ledger
SELECT epoch, iteration, hash FROM "web"."flow_ledger_daily" WHERE flow = 'hits' AND port = 'daily' ORDER BY CASE WHEN epoch = 'e1' THEN 1 ELSE 0 END, iteration DESC LIMIT 1;

-- daily, replace: what columns the table has
SELECT c.relkind, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_attribute a ON a.attrelid = c.oid WHERE n.nspname = 'web' AND c.relname = 'daily' AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum;

-- daily, replace: make the table, if there is none
CREATE TABLE "web"."daily" ("ip" varchar(65535), "day" date NOT NULL, "last" timestamp, "paid" decimal(30, 2), "count" bigint) DISTKEY ("ip") SORTKEY ("day", "ip");

-- daily, replace: empty the table
DELETE FROM "web"."daily";

-- daily, replace: load
COPY "web"."daily" ("ip", "day", "last", "paid", "count") FROM 's3://warehouse/o''staged/a-1/daily/rows.csv.gz.manifest' IAM_ROLE 'arn:aws:iam::123456789012:role/loads' REGION 'eu-central-1' MANIFEST CSV NULL AS '@NULL@' GZIP DATEFORMAT 'auto' TIMEFORMAT 'auto' COMPUPDATE OFF STATUPDATE OFF;

-- daily, replace: count
SELECT pg_last_copy_count();

-- daily, replace: forget an entry of a table that was dropped
DELETE FROM "web"."flow_ledger_daily" WHERE flow = 'hits' AND port = 'daily' AND epoch = 'e1' AND iteration = 7;

-- daily, replace: note it in the ledger
INSERT INTO "web"."flow_ledger_daily" (flow, port, epoch, iteration, hash, row_count, staged, pid, published) VALUES ('hits', 'daily', 'e1', 7, 'hash of 7', 1234, 's3://warehouse/o''staged/a-1/daily/rows.csv.gz.manifest', pg_backend_pid(), GETDATE());

-- daily, replace: commit
COMMIT;

-- daily, replace: a column that was added
ALTER TABLE "web"."daily" ADD COLUMN "ip" varchar(65535);

-- daily, replace: who holds the ledger
SELECT t.pid, t.txn_owner, t.txn_start, t.granted FROM svv_transactions t JOIN pg_class c ON c.oid = t.relation JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = 'web' AND c.relname = 'flow_ledger_daily' ORDER BY t.txn_start;

-- daily, replace: why a row was refused
SELECT file_name, line_number, column_name, column_type, column_length, error_code, error_message FROM sys_load_error_detail WHERE SUBSTRING(file_name, 1, 34) = 's3://warehouse/o''staged/a-1/daily/' ORDER BY start_time DESC LIMIT 1;

-- daily, replace: the same where that view is missing
SELECT filename, line_number, colname, type, col_length, err_code, err_reason FROM stl_load_errors WHERE SUBSTRING(filename, 1, 34) = 's3://warehouse/o''staged/a-1/daily/' ORDER BY starttime DESC LIMIT 1;

-- daily, replace: its value
SELECT raw_field_value FROM stl_load_errors WHERE SUBSTRING(filename, 1, 34) = 's3://warehouse/o''staged/a-1/daily/' ORDER BY starttime DESC LIMIT 1;

-- daily, replace: whose is what was staged
SELECT epoch FROM "web"."flow_ledger_daily" WHERE flow = 'hits' AND port = 'daily' ORDER BY published DESC LIMIT 1;

-- daily, replace: forget the flow
DELETE FROM "web"."flow_ledger_daily" WHERE flow = 'hits' AND port = 'daily';

-- daily, replace: count what is there
SELECT count(*) FROM (SELECT 1 FROM "web"."daily" LIMIT 100001) counted;

-- daily, replace: show the first rows
SELECT "ip", "day", "last", "paid", "count" FROM "web"."daily" ORDER BY "ip" NULLS FIRST, "day" NULLS FIRST LIMIT 20;

-- daily, replace: drop the table
DROP TABLE "web"."daily";

-- daily, replace: drop the ledger
DROP TABLE "web"."flow_ledger_daily";

-- daily, merge: begin the session
SET statement_timeout TO 3600000;

-- daily, merge: begin the session
SET timezone TO 'UTC';

-- daily, merge: begin the session
SET query_group TO 'flow';

-- daily, merge: begin the session
SET enable_case_sensitive_identifier TO false;

-- daily, merge: is there a ledger
SELECT 1 FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = 'web' AND c.relname = 'flow_ledger_daily';

-- daily, merge: make the ledger, if there is none
CREATE TABLE "web"."flow_ledger_daily" (flow varchar(1024) NOT NULL, port varchar(256) NOT NULL, epoch varchar(256) NOT NULL, iteration bigint NOT NULL, hash varchar(256) NOT NULL, row_count bigint NOT NULL, staged varchar(4096), pid integer NOT NULL, published timestamp NOT NULL);

-- daily, merge: limit how long the lock is waited for
SET statement_timeout TO 300000;

-- daily, merge: begin
BEGIN;

-- daily, merge: lock the ledger
LOCK TABLE "web"."flow_ledger_daily";

-- daily, merge: limit the others as before
SET statement_timeout TO 3600000;

-- daily, merge: ask the ledger
SELECT epoch, iteration, hash FROM "web"."flow_ledger_daily" WHERE flow = 'hits' AND port = 'daily' ORDER BY CASE WHEN epoch = 'e1' THEN 1 ELSE 0 END, iteration DESC LIMIT 1;

-- daily, merge: what columns the table has
SELECT c.relkind, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_attribute a ON a.attrelid = c.oid WHERE n.nspname = 'web' AND c.relname = 'daily' AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum;

-- daily, merge: make the table, if there is none
CREATE TABLE "web"."daily" ("ip" varchar(65535), "day" date NOT NULL, "last" timestamp, "paid" decimal(30, 2), "count" bigint) DISTKEY ("ip") SORTKEY ("day", "ip");

-- daily, merge: make room for what comes
CREATE TEMPORARY TABLE flow_incoming ("flow_row" bigint NOT NULL, "ip" varchar(65535), "day" date NOT NULL, "last" timestamp, "paid" decimal(30, 2), "count" bigint);

-- daily, merge: load
COPY flow_incoming ("flow_row", "ip", "day", "last", "paid", "count") FROM 's3://warehouse/o''staged/a-1/daily/numbered.csv.gz.manifest' IAM_ROLE 'arn:aws:iam::123456789012:role/loads' REGION 'eu-central-1' MANIFEST CSV NULL AS '@NULL@' GZIP DATEFORMAT 'auto' TIMEFORMAT 'auto' COMPUPDATE OFF STATUPDATE OFF;

-- daily, merge: count
SELECT pg_last_copy_count();

-- daily, merge: one row a key
CREATE TEMPORARY TABLE flow_folded AS SELECT "ip", "day", "last", "paid", "count" FROM (SELECT "ip", "day", "last", sum("paid") OVER (PARTITION BY md5("ip"), "day") AS "paid", sum("count") OVER (PARTITION BY md5("ip"), "day") AS "count", row_number() OVER (PARTITION BY md5("ip"), "day" ORDER BY "flow_row" DESC) AS flow_rank FROM flow_incoming) ranked WHERE flow_rank = 1;

-- daily, merge: which keys are null
SELECT DISTINCT "ip" IS NULL FROM flow_folded;

-- daily, merge: change
UPDATE "web"."daily" t SET "last" = i."last", "paid" = COALESCE(t."paid" + i."paid", t."paid", i."paid"), "count" = COALESCE(t."count" + i."count", t."count", i."count") FROM flow_folded i WHERE t."ip" = i."ip" AND md5(t."ip") = md5(i."ip") AND t."day" = i."day";

-- daily, merge: add
INSERT INTO "web"."daily" ("ip", "day", "last", "paid", "count") SELECT i."ip", i."day", i."last", i."paid", i."count" FROM flow_folded i WHERE i."ip" IS NOT NULL AND i."day" IS NOT NULL AND NOT EXISTS (SELECT 1 FROM "web"."daily" t WHERE t."ip" = i."ip" AND md5(t."ip") = md5(i."ip") AND t."day" = i."day");

-- daily, merge: change
UPDATE "web"."daily" t SET "last" = i."last", "paid" = COALESCE(t."paid" + i."paid", t."paid", i."paid"), "count" = COALESCE(t."count" + i."count", t."count", i."count") FROM flow_folded i WHERE CASE WHEN t."ip" IS NULL THEN 0 END = CASE WHEN i."ip" IS NULL THEN 0 END AND t."day" = i."day";

-- daily, merge: add
INSERT INTO "web"."daily" ("ip", "day", "last", "paid", "count") SELECT i."ip", i."day", i."last", i."paid", i."count" FROM flow_folded i WHERE i."ip" IS NULL AND i."day" IS NOT NULL AND NOT EXISTS (SELECT 1 FROM "web"."daily" t WHERE CASE WHEN t."ip" IS NULL THEN 0 END = CASE WHEN i."ip" IS NULL THEN 0 END AND t."day" = i."day");

-- daily, merge: count the keys
SELECT count(*) FROM flow_folded;

-- daily, merge: note it in the ledger
INSERT INTO "web"."flow_ledger_daily" (flow, port, epoch, iteration, hash, row_count, staged, pid, published) VALUES ('hits', 'daily', 'e1', 7, 'hash of 7', 1234, 's3://warehouse/o''staged/a-1/daily/numbered.csv.gz.manifest', pg_backend_pid(), GETDATE());

-- daily, merge: commit
COMMIT;

-- daily, merge: a column that was added
ALTER TABLE "web"."daily" ADD COLUMN "ip" varchar(65535);

-- daily, merge: who holds the ledger
SELECT t.pid, t.txn_owner, t.txn_start, t.granted FROM svv_transactions t JOIN pg_class c ON c.oid = t.relation JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = 'web' AND c.relname = 'flow_ledger_daily' ORDER BY t.txn_start;

-- daily, merge: why a row was refused
SELECT file_name, line_number, column_name, column_type, column_length, error_code, error_message FROM sys_load_error_detail WHERE SUBSTRING(file_name, 1, 34) = 's3://warehouse/o''staged/a-1/daily/' ORDER BY start_time DESC LIMIT 1;

-- daily, merge: the same where that view is missing
SELECT filename, line_number, colname, type, col_length, err_code, err_reason FROM stl_load_errors WHERE SUBSTRING(filename, 1, 34) = 's3://warehouse/o''staged/a-1/daily/' ORDER BY starttime DESC LIMIT 1;

-- daily, merge: its value
SELECT raw_field_value FROM stl_load_errors WHERE SUBSTRING(filename, 1, 34) = 's3://warehouse/o''staged/a-1/daily/' ORDER BY starttime DESC LIMIT 1;

-- daily, merge: whose is what was staged
SELECT epoch FROM "web"."flow_ledger_daily" WHERE flow = 'hits' AND port = 'daily' ORDER BY published DESC LIMIT 1;

-- daily, merge: forget the flow
DELETE FROM "web"."flow_ledger_daily" WHERE flow = 'hits' AND port = 'daily';

-- daily, merge: count what is there
SELECT count(*) FROM (SELECT 1 FROM "web"."daily" LIMIT 100001) counted;

-- daily, merge: show the first rows
SELECT "ip", "day", "last", "paid", "count" FROM "web"."daily" ORDER BY "ip" NULLS FIRST, "day" NULLS FIRST LIMIT 20;

-- daily, merge: drop the table
DROP TABLE "web"."daily";

-- daily, merge: drop the ledger
DROP TABLE "web"."flow_ledger_daily";

-- hosts, merge: begin the session
SET statement_timeout TO 3600000;

-- hosts, merge: begin the session
SET timezone TO 'UTC';

-- hosts, merge: begin the session
SET query_group TO 'flow';

-- hosts, merge: begin the session
SET enable_case_sensitive_identifier TO false;

-- hosts, merge: is there a ledger
SELECT 1 FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = 'web' AND c.relname = 'flow_ledger_hosts';

-- hosts, merge: make the ledger, if there is none
CREATE TABLE "web"."flow_ledger_hosts" (flow varchar(1024) NOT NULL, port varchar(256) NOT NULL, epoch varchar(256) NOT NULL, iteration bigint NOT NULL, hash varchar(256) NOT NULL, row_count bigint NOT NULL, staged varchar(4096), pid integer NOT NULL, published timestamp NOT NULL);

-- hosts, merge: limit how long the lock is waited for
SET statement_timeout TO 300000;

-- hosts, merge: begin
BEGIN;

-- hosts, merge: lock the ledger
LOCK TABLE "web"."flow_ledger_hosts";

-- hosts, merge: limit the others as before
SET statement_timeout TO 3600000;

-- hosts, merge: ask the ledger
SELECT epoch, iteration, hash FROM "web"."flow_ledger_hosts" WHERE flow = 'hits' AND port = 'hosts' ORDER BY CASE WHEN epoch = 'e1' THEN 1 ELSE 0 END, iteration DESC LIMIT 1;

-- hosts, merge: what columns the table has
SELECT c.relkind, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_attribute a ON a.attrelid = c.oid WHERE n.nspname = 'web' AND c.relname = 'hosts' AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum;

-- hosts, merge: make the table, if there is none
CREATE TABLE "web"."hosts" ("host" varchar(65535), "count" bigint);

-- hosts, merge: make room for what comes
CREATE TEMPORARY TABLE flow_incoming ("flow_row" bigint NOT NULL, "host" varchar(65535), "count" bigint);

-- hosts, merge: load
COPY flow_incoming ("flow_row", "host", "count") FROM 's3://warehouse/o''staged/a-1/daily/numbered.csv.gz.manifest' IAM_ROLE 'arn:aws:iam::123456789012:role/loads' REGION 'eu-central-1' MANIFEST CSV NULL AS '@NULL@' GZIP DATEFORMAT 'auto' TIMEFORMAT 'auto' COMPUPDATE OFF STATUPDATE OFF;

-- hosts, merge: count
SELECT pg_last_copy_count();

-- hosts, merge: one row a key
CREATE TEMPORARY TABLE flow_folded AS SELECT "host", "count" FROM (SELECT "host", sum("count") OVER (PARTITION BY md5("host")) AS "count", row_number() OVER (PARTITION BY md5("host") ORDER BY "flow_row" DESC) AS flow_rank FROM flow_incoming) ranked WHERE flow_rank = 1;

-- hosts, merge: which keys are null
SELECT DISTINCT "host" IS NULL FROM flow_folded;

-- hosts, merge: change
UPDATE "web"."hosts" t SET "count" = COALESCE(t."count" + i."count", t."count", i."count") FROM flow_folded i WHERE t."host" = i."host" AND md5(t."host") = md5(i."host");

-- hosts, merge: add
INSERT INTO "web"."hosts" ("host", "count") SELECT i."host", i."count" FROM flow_folded i WHERE i."host" IS NOT NULL AND NOT EXISTS (SELECT 1 FROM "web"."hosts" t WHERE t."host" = i."host" AND md5(t."host") = md5(i."host"));

-- hosts, merge: change
UPDATE "web"."hosts" t SET "count" = COALESCE(t."count" + i."count", t."count", i."count") FROM flow_folded i WHERE CASE WHEN t."host" IS NULL THEN 0 END = CASE WHEN i."host" IS NULL THEN 0 END;

-- hosts, merge: add
INSERT INTO "web"."hosts" ("host", "count") SELECT i."host", i."count" FROM flow_folded i WHERE i."host" IS NULL AND NOT EXISTS (SELECT 1 FROM "web"."hosts" t WHERE CASE WHEN t."host" IS NULL THEN 0 END = CASE WHEN i."host" IS NULL THEN 0 END);

-- hosts, merge: count the keys
SELECT count(*) FROM flow_folded;

-- hosts, merge: note it in the ledger
INSERT INTO "web"."flow_ledger_hosts" (flow, port, epoch, iteration, hash, row_count, staged, pid, published) VALUES ('hits', 'hosts', 'e1', 7, 'hash of 7', 1234, 's3://warehouse/o''staged/a-1/daily/numbered.csv.gz.manifest', pg_backend_pid(), GETDATE());

-- hosts, merge: commit
COMMIT;

-- hosts, merge: a column that was added
ALTER TABLE "web"."hosts" ADD COLUMN "host" varchar(65535);

-- hosts, merge: who holds the ledger
SELECT t.pid, t.txn_owner, t.txn_start, t.granted FROM svv_transactions t JOIN pg_class c ON c.oid = t.relation JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = 'web' AND c.relname = 'flow_ledger_hosts' ORDER BY t.txn_start;

-- hosts, merge: why a row was refused
SELECT file_name, line_number, column_name, column_type, column_length, error_code, error_message FROM sys_load_error_detail WHERE SUBSTRING(file_name, 1, 34) = 's3://warehouse/o''staged/a-1/daily/' ORDER BY start_time DESC LIMIT 1;

-- hosts, merge: the same where that view is missing
SELECT filename, line_number, colname, type, col_length, err_code, err_reason FROM stl_load_errors WHERE SUBSTRING(filename, 1, 34) = 's3://warehouse/o''staged/a-1/daily/' ORDER BY starttime DESC LIMIT 1;

-- hosts, merge: its value
SELECT raw_field_value FROM stl_load_errors WHERE SUBSTRING(filename, 1, 34) = 's3://warehouse/o''staged/a-1/daily/' ORDER BY starttime DESC LIMIT 1;

-- hosts, merge: whose is what was staged
SELECT epoch FROM "web"."flow_ledger_hosts" WHERE flow = 'hits' AND port = 'hosts' ORDER BY published DESC LIMIT 1;

-- hosts, merge: forget the flow
DELETE FROM "web"."flow_ledger_hosts" WHERE flow = 'hits' AND port = 'hosts';

-- hosts, merge: count what is there
SELECT count(*) FROM (SELECT 1 FROM "web"."hosts" LIMIT 100001) counted;

-- hosts, merge: show the first rows
SELECT "host", "count" FROM "web"."hosts" ORDER BY "host" NULLS FIRST LIMIT 20;

-- hosts, merge: drop the table
DROP TABLE "web"."hosts";

-- hosts, merge: drop the ledger
DROP TABLE "web"."flow_ledger_hosts";

-- marked, append: begin the session
SET statement_timeout TO 3600000;

-- marked, append: begin the session
SET timezone TO 'UTC';

-- marked, append: begin the session
SET query_group TO 'flow';

-- marked, append: begin the session
SET enable_case_sensitive_identifier TO false;

-- marked, append: is there a ledger
SELECT 1 FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = 'web' AND c.relname = 'flow_ledger_marked';

-- marked, append: make the ledger, if there is none
CREATE TABLE "web"."flow_ledger_marked" (flow varchar(1024) NOT NULL, port varchar(256) NOT NULL, epoch varchar(256) NOT NULL, iteration bigint NOT NULL, hash varchar(256) NOT NULL, row_count bigint NOT NULL, staged varchar(4096), pid integer NOT NULL, published timestamp NOT NULL);

-- marked, append: limit how long the lock is waited for
SET statement_timeout TO 300000;

-- marked, append: begin
BEGIN;

-- marked, append: lock the ledger
LOCK TABLE "web"."flow_ledger_marked";

-- marked, append: limit the others as before
SET statement_timeout TO 3600000;

-- marked, append: ask the ledger
SELECT epoch, iteration, hash FROM "web"."flow_ledger_marked" WHERE flow = 'hits' AND port = 'hosts' ORDER BY CASE WHEN epoch = 'e1' THEN 1 ELSE 0 END, iteration DESC LIMIT 1;

-- marked, append: what columns the table has
SELECT c.relkind, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_attribute a ON a.attrelid = c.oid WHERE n.nspname = 'web' AND c.relname = 'marked' AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum;

-- marked, append: make the table, if there is none
CREATE TABLE "web"."marked" ("host" varchar(65535), "count" bigint, "flow_iteration" bigint);

-- marked, append: load
COPY "web"."marked" ("flow_iteration", "host", "count") FROM 's3://warehouse/o''staged/a-1/daily/marked.csv.gz.manifest' IAM_ROLE 'arn:aws:iam::123456789012:role/loads' REGION 'eu-central-1' MANIFEST CSV NULL AS '@NULL@' GZIP DATEFORMAT 'auto' TIMEFORMAT 'auto' COMPUPDATE OFF STATUPDATE OFF;

-- marked, append: count
SELECT pg_last_copy_count();

-- marked, append: note it in the ledger
INSERT INTO "web"."flow_ledger_marked" (flow, port, epoch, iteration, hash, row_count, staged, pid, published) VALUES ('hits', 'hosts', 'e1', 7, 'hash of 7', 1234, 's3://warehouse/o''staged/a-1/daily/marked.csv.gz.manifest', pg_backend_pid(), GETDATE());

-- marked, append: commit
COMMIT;

-- marked, append: replay in place: what the ledger has of the iteration
SELECT hash, row_count, staged FROM "web"."flow_ledger_marked" WHERE flow = 'hits' AND port = 'hosts' AND epoch = 'e1' AND iteration = 7;

-- marked, append: replay in place: remove its rows, before the others are loaded
DELETE FROM "web"."marked" WHERE "flow_iteration" = 7;

-- marked, append: replay in place: forget its entry, before it is noted again
DELETE FROM "web"."flow_ledger_marked" WHERE flow = 'hits' AND port = 'hosts' AND epoch = 'e1' AND iteration = 7;

-- marked, append: a column that was added
ALTER TABLE "web"."marked" ADD COLUMN "host" varchar(65535);

-- marked, append: who holds the ledger
SELECT t.pid, t.txn_owner, t.txn_start, t.granted FROM svv_transactions t JOIN pg_class c ON c.oid = t.relation JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = 'web' AND c.relname = 'flow_ledger_marked' ORDER BY t.txn_start;

-- marked, append: why a row was refused
SELECT file_name, line_number, column_name, column_type, column_length, error_code, error_message FROM sys_load_error_detail WHERE SUBSTRING(file_name, 1, 34) = 's3://warehouse/o''staged/a-1/daily/' ORDER BY start_time DESC LIMIT 1;

-- marked, append: the same where that view is missing
SELECT filename, line_number, colname, type, col_length, err_code, err_reason FROM stl_load_errors WHERE SUBSTRING(filename, 1, 34) = 's3://warehouse/o''staged/a-1/daily/' ORDER BY starttime DESC LIMIT 1;

-- marked, append: its value
SELECT raw_field_value FROM stl_load_errors WHERE SUBSTRING(filename, 1, 34) = 's3://warehouse/o''staged/a-1/daily/' ORDER BY starttime DESC LIMIT 1;

-- marked, append: whose is what was staged
SELECT epoch FROM "web"."flow_ledger_marked" WHERE flow = 'hits' AND port = 'hosts' ORDER BY published DESC LIMIT 1;

-- marked, append: forget the flow
DELETE FROM "web"."flow_ledger_marked" WHERE flow = 'hits' AND port = 'hosts';

-- marked, append: count what is there
SELECT count(*) FROM (SELECT 1 FROM "web"."marked" LIMIT 100001) counted;

-- marked, append: show the first rows
SELECT "host", "count" FROM "web"."marked" ORDER BY "host" NULLS FIRST LIMIT 20;

-- marked, append: drop the table
DROP TABLE "web"."marked";

-- marked, append: drop the ledger
DROP TABLE "web"."flow_ledger_marked";
