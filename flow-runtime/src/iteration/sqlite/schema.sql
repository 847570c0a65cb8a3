-- The iterations of flows, by their logical names. Times are microseconds since 1970-01-01 UTC.

-- Everything else is kept under a flow's epoch, not its name: a reset is a new epoch, and what was there is out of sight.

CREATE TABLE flows (
    name    TEXT PRIMARY KEY,
    epoch   TEXT NOT NULL UNIQUE,   -- random; the ledgers inside targets bear it
    created INTEGER NOT NULL
) STRICT;

CREATE TABLE former_epochs (        -- what an epoch was before a reset; its rows stay until they are cleaned away
    epoch TEXT PRIMARY KEY,
    flow  TEXT NOT NULL,
    ended INTEGER NOT NULL
) STRICT;

CREATE TABLE attempts (             -- tries at an iteration; at most one of them is sealed
    id        TEXT PRIMARY KEY,
    epoch     TEXT NOT NULL,
    iteration INTEGER NOT NULL,
    state     TEXT NOT NULL CHECK (state IN ('open', 'revoked', 'held', 'sealed')),
    owner     TEXT NOT NULL,
    opened    INTEGER NOT NULL,
    plan_hash TEXT NOT NULL,
    note      TEXT NOT NULL DEFAULT ''
) STRICT;

CREATE INDEX attempts_of_epoch ON attempts (epoch, iteration, state);

CREATE TABLE iterations (           -- a row appears by its seal, and never goes
    epoch     TEXT NOT NULL,
    iteration INTEGER NOT NULL,
    attempt   TEXT NOT NULL UNIQUE REFERENCES attempts,
    state     TEXT NOT NULL CHECK (state IN ('sealed', 'loaded', 'done', 'held')),
    sealed    INTEGER NOT NULL,
    loaded    INTEGER,
    done      INTEGER,
    note      TEXT NOT NULL DEFAULT '',
    PRIMARY KEY (epoch, iteration)
) STRICT, WITHOUT ROWID;

CREATE INDEX unfinished_iterations ON iterations (epoch, iteration) WHERE state <> 'done';

CREATE TABLE ranges (               -- what was read of each shard
    epoch     TEXT NOT NULL,
    iteration INTEGER NOT NULL,
    port      TEXT NOT NULL,
    place     INTEGER NOT NULL,     -- order of reading
    shard     TEXT NOT NULL,
    name      TEXT NOT NULL,
    mark      TEXT NOT NULL,        -- what the source knew it by
    first     TEXT NOT NULL,        -- position of the first record
    next      TEXT NOT NULL,        -- the first position not read
    records   INTEGER NOT NULL,
    bytes     INTEGER NOT NULL,
    hash      TEXT NOT NULL,
    covered   INTEGER,              -- what arrived before this was read, where the source knows times
    PRIMARY KEY (epoch, iteration, port, shard),
    FOREIGN KEY (epoch, iteration) REFERENCES iterations
) STRICT, WITHOUT ROWID;

CREATE TABLE shards (               -- how far each shard was read, written with its ranges
    epoch TEXT NOT NULL,
    port  TEXT NOT NULL,
    shard TEXT NOT NULL,
    name  TEXT NOT NULL,
    mark  TEXT NOT NULL,
    first TEXT NOT NULL,            -- of the last range that is not empty
    next  TEXT NOT NULL,
    hash  TEXT NOT NULL,            -- of the same range
    covered INTEGER,                -- of the last range that has it
    UNIQUE (epoch, port, shard)
) STRICT;

CREATE TABLE tables (               -- what side inputs held
    epoch     TEXT NOT NULL,
    iteration INTEGER NOT NULL,
    port      TEXT NOT NULL,
    records   INTEGER NOT NULL,
    bytes     INTEGER NOT NULL,
    hash      TEXT NOT NULL,
    PRIMARY KEY (epoch, iteration, port),
    FOREIGN KEY (epoch, iteration) REFERENCES iterations
) STRICT, WITHOUT ROWID;

CREATE TABLE outputs (              -- the manifest: what was staged, and which targets have it
    epoch     TEXT NOT NULL,
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
    PRIMARY KEY (epoch, iteration, port),
    FOREIGN KEY (epoch, iteration) REFERENCES iterations
) STRICT, WITHOUT ROWID;

CREATE INDEX outputs_of_port ON outputs (epoch, port, iteration);

CREATE TABLE counts (               -- rows at each operator
    epoch     TEXT NOT NULL,
    iteration INTEGER NOT NULL,
    place     INTEGER NOT NULL,     -- order of the plan
    operator  TEXT NOT NULL,
    rows_in   INTEGER NOT NULL,
    rows_out  INTEGER NOT NULL,
    filtered  INTEGER NOT NULL,
    trapped   INTEGER NOT NULL,
    PRIMARY KEY (epoch, iteration, place),
    FOREIGN KEY (epoch, iteration) REFERENCES iterations
) STRICT, WITHOUT ROWID;
