-- `sum` guards the rest of its row against damage. Each pair of `…items` and `…total` counts and adds
-- up the sums of rows elsewhere, so that a missing one is noticed too: `state_…` of `objects` and
-- `facts`, `declared_…` of `declared`, `past_…` of `runs` and `revisions`; in `runs`, of `journal`.
CREATE TABLE stacks (
    id             INTEGER PRIMARY KEY,
    name           TEXT    NOT NULL,
    env            TEXT    NOT NULL,
    head           INTEGER NOT NULL,
    revision       INTEGER NOT NULL,
    last_run       INTEGER NOT NULL,
    open_run       INTEGER,
    open_at        INTEGER,
    state_items    INTEGER NOT NULL,
    state_total    INTEGER NOT NULL,
    declared_items INTEGER NOT NULL,
    declared_total INTEGER NOT NULL,
    past_items     INTEGER NOT NULL,
    past_total     INTEGER NOT NULL,
    sum            INTEGER NOT NULL,
    UNIQUE (name, env)
) STRICT;

-- A free lock has no holder; its token stays, because each grant has a greater one.
CREATE TABLE leases (
    stack  INTEGER PRIMARY KEY,
    token  INTEGER NOT NULL,
    beat   INTEGER NOT NULL,
    since  TEXT    NOT NULL,
    holder TEXT
) STRICT;

-- Ids of one stack's objects lie side by side (see `object_ids`), so that it is read in one sweep.
CREATE TABLE objects (
    id      INTEGER PRIMARY KEY,
    stack   INTEGER NOT NULL,
    oid     BLOB    NOT NULL,
    address TEXT    NOT NULL,
    body    TEXT    NOT NULL,
    sum     INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX objects_by_oid ON objects (stack, oid);
CREATE INDEX objects_by_address ON objects (stack, address);

-- Generated secrets (sealed) and small facts kept between runs.
CREATE TABLE facts (
    stack INTEGER NOT NULL,
    kind  TEXT    NOT NULL,
    key   TEXT    NOT NULL,
    body  TEXT    NOT NULL,
    sum   INTEGER NOT NULL,
    PRIMARY KEY (stack, kind, key)
) STRICT, WITHOUT ROWID;

CREATE TABLE journal (
    stack    INTEGER NOT NULL,
    position INTEGER NOT NULL,
    run      INTEGER NOT NULL,
    body     TEXT    NOT NULL,
    sum      INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX journal_by_position ON journal (stack, position);
CREATE INDEX journal_by_run ON journal (stack, run, position);

CREATE TABLE runs (
    stack INTEGER NOT NULL,
    id    INTEGER NOT NULL,
    body  TEXT    NOT NULL,
    items INTEGER NOT NULL,
    total INTEGER NOT NULL,
    sum   INTEGER NOT NULL,
    PRIMARY KEY (stack, id)
) STRICT;

-- The outputs of each revision.
CREATE TABLE revisions (
    stack    INTEGER NOT NULL,
    revision INTEGER NOT NULL,
    body     TEXT    NOT NULL,
    sum      INTEGER NOT NULL,
    PRIMARY KEY (stack, revision)
) STRICT;

-- One row per change of a declaration; without a body: no longer declared.
CREATE TABLE declared (
    stack    INTEGER NOT NULL,
    address  TEXT    NOT NULL,
    revision INTEGER NOT NULL,
    body     TEXT,
    sum      INTEGER NOT NULL,
    PRIMARY KEY (stack, address, revision)
) STRICT, WITHOUT ROWID;
