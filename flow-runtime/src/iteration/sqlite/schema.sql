-- The iterations of flows, by their logical names. Times are microseconds since 1970-01-01 UTC.

CREATE TABLE flows (
    name    TEXT PRIMARY KEY,
    epoch   TEXT NOT NULL,          -- random; the ledgers inside targets bear it
    created INTEGER NOT NULL
) STRICT;

CREATE TABLE attempts (             -- tries at an iteration; at most one of them is sealed, and revoked ones are gone
    id        TEXT PRIMARY KEY,
    flow      TEXT NOT NULL REFERENCES flows,
    iteration INTEGER NOT NULL,
    state     TEXT NOT NULL CHECK (state IN ('open', 'held', 'sealed')),
    owner     TEXT NOT NULL,
    opened    INTEGER NOT NULL,
    plan_hash TEXT NOT NULL,
    note      TEXT NOT NULL DEFAULT ''
) STRICT;

CREATE INDEX attempts_of_flow ON attempts (flow, iteration, state);

CREATE TABLE iterations (           -- a row appears by its seal, and never goes
    flow      TEXT NOT NULL REFERENCES flows,
    iteration INTEGER NOT NULL,
    attempt   TEXT NOT NULL UNIQUE REFERENCES attempts,
    state     TEXT NOT NULL CHECK (state IN ('sealed', 'loaded', 'done', 'held')),
    sealed    INTEGER NOT NULL,
    loaded    INTEGER,
    done      INTEGER,
    note      TEXT NOT NULL DEFAULT '',
    PRIMARY KEY (flow, iteration)
) STRICT, WITHOUT ROWID;

CREATE INDEX unfinished_iterations ON iterations (flow, iteration) WHERE state <> 'done';

CREATE TABLE ranges (               -- what was read of each shard
    flow      TEXT NOT NULL,
    iteration INTEGER NOT NULL,
    port      TEXT NOT NULL,
    place     INTEGER NOT NULL,     -- order of reading
    shard     TEXT NOT NULL,
    name      TEXT NOT NULL,
    first     TEXT NOT NULL,        -- position of the first record
    next      TEXT NOT NULL,        -- the first position not read
    records   INTEGER NOT NULL,
    bytes     INTEGER NOT NULL,
    hash      TEXT NOT NULL,
    PRIMARY KEY (flow, iteration, port, shard),
    FOREIGN KEY (flow, iteration) REFERENCES iterations
) STRICT, WITHOUT ROWID;

CREATE TABLE shards (               -- the last of each shard's ranges, written with them
    flow  TEXT NOT NULL REFERENCES flows,
    port  TEXT NOT NULL,
    shard TEXT NOT NULL,
    name  TEXT NOT NULL,
    next  TEXT NOT NULL,
    UNIQUE (flow, port, shard)
) STRICT;

CREATE TABLE tables (               -- what side inputs held
    flow      TEXT NOT NULL,
    iteration INTEGER NOT NULL,
    port      TEXT NOT NULL,
    records   INTEGER NOT NULL,
    bytes     INTEGER NOT NULL,
    hash      TEXT NOT NULL,
    PRIMARY KEY (flow, iteration, port),
    FOREIGN KEY (flow, iteration) REFERENCES iterations
) STRICT, WITHOUT ROWID;

CREATE TABLE outputs (              -- the manifest: what was staged, and which targets have it
    flow      TEXT NOT NULL,
    iteration INTEGER NOT NULL,
    port      TEXT NOT NULL,
    target    TEXT NOT NULL,        -- the address, without secrets
    mode      TEXT NOT NULL,
    file      TEXT,                 -- in the attempt's staging directory; none without rows
    rows      INTEGER NOT NULL,
    bytes     INTEGER NOT NULL,
    hash      TEXT NOT NULL,
    fields    TEXT NOT NULL,
    loaded    INTEGER NOT NULL DEFAULT 0 CHECK (loaded IN (0, 1)),
    PRIMARY KEY (flow, iteration, port),
    FOREIGN KEY (flow, iteration) REFERENCES iterations
) STRICT, WITHOUT ROWID;

CREATE INDEX outputs_of_port ON outputs (flow, port, iteration);

CREATE TABLE counts (               -- rows at each operator
    flow      TEXT NOT NULL,
    iteration INTEGER NOT NULL,
    place     INTEGER NOT NULL,     -- order of the plan
    operator  TEXT NOT NULL,
    rows_in   INTEGER NOT NULL,
    rows_out  INTEGER NOT NULL,
    filtered  INTEGER NOT NULL,
    trapped   INTEGER NOT NULL,
    PRIMARY KEY (flow, iteration, place),
    FOREIGN KEY (flow, iteration) REFERENCES iterations
) STRICT, WITHOUT ROWID;
