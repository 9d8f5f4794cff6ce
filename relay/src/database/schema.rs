//! Creates and updates the tables with numbered migrations, which are appended, never edited.

/// Each migration brings the schema from its index to the next number.
pub(super) const MIGRATIONS: &[&str] = &[
    // 1: tokens, tunnels, the queue.
    "
    CREATE TABLE tokens (
        id           TEXT PRIMARY KEY,      -- the public part of the token
        owner        TEXT NOT NULL,
        hash         BLOB NOT NULL,         -- SHA-256 of the whole token
        created_at   INTEGER NOT NULL,      -- milliseconds since 1970, as all times here
        last_used_at INTEGER,
        revoked_at   INTEGER
    ) STRICT;
    CREATE INDEX tokens_by_owner ON tokens (owner);

    CREATE TABLE tunnels (
        id         INTEGER PRIMARY KEY AUTOINCREMENT,
        owner      TEXT NOT NULL,
        name       TEXT NOT NULL,
        key        BLOB NOT NULL UNIQUE,
        created_at INTEGER NOT NULL,
        UNIQUE (owner, name)
    ) STRICT;

    -- The ends of each tunnel's queue. Sequence numbers have no holes, so counts are differences;
    -- they outlive the events, so that no number is ever used twice.
    CREATE TABLE queues (
        tunnel        INTEGER PRIMARY KEY,
        last_seq      INTEGER NOT NULL DEFAULT 0,
        last_bytes    INTEGER NOT NULL DEFAULT 0,  -- bytes of all events up to last_seq, ever
        removed_seq   INTEGER NOT NULL DEFAULT 0,
        removed_bytes INTEGER NOT NULL DEFAULT 0   -- bytes of all events up to removed_seq, ever
    ) STRICT;

    CREATE TABLE events (
        tunnel        INTEGER NOT NULL,
        seq           INTEGER NOT NULL,
        bytes_through INTEGER NOT NULL,     -- of the tunnel's events up to this one, ever
        received_at   INTEGER NOT NULL,
        id            BLOB NOT NULL,
        peer          TEXT,
        method        TEXT NOT NULL,
        path          TEXT NOT NULL,
        headers       TEXT NOT NULL,        -- JSON as on the wire
        body          BLOB NOT NULL
    ) STRICT;
    CREATE UNIQUE INDEX events_by_seq ON events (tunnel, seq);

    -- What a limit removed before any agent took it, until an agent has gone past it.
    CREATE TABLE gaps (
        tunnel   INTEGER NOT NULL,
        from_seq INTEGER NOT NULL,
        to_seq   INTEGER NOT NULL,
        reason   TEXT NOT NULL,
        PRIMARY KEY (tunnel, from_seq)
    ) STRICT, WITHOUT ROWID;

    CREATE TRIGGER tunnel_made AFTER INSERT ON tunnels BEGIN
        INSERT INTO queues (tunnel) VALUES (NEW.id);
    END;
    CREATE TRIGGER tunnel_deleted AFTER DELETE ON tunnels BEGIN
        DELETE FROM queues WHERE tunnel = OLD.id;
        DELETE FROM events WHERE tunnel = OLD.id;
        DELETE FROM gaps   WHERE tunnel = OLD.id;
    END;

    -- Counts what a running relay must notice when another process did it.
    CREATE TABLE revision (number INTEGER NOT NULL) STRICT;
    INSERT INTO revision VALUES (1);
    CREATE TRIGGER revision_token AFTER UPDATE OF revoked_at ON tokens BEGIN
        UPDATE revision SET number = number + 1;
    END;
    CREATE TRIGGER revision_key AFTER UPDATE OF key ON tunnels BEGIN
        UPDATE revision SET number = number + 1;
    END;
    CREATE TRIGGER revision_tunnel AFTER DELETE ON tunnels BEGIN
        UPDATE revision SET number = number + 1;
    END;
    ",
    // 2: which agent connected last, replaced keys, and which agents are connected.
    "
    ALTER TABLE tunnels ADD COLUMN epoch INTEGER NOT NULL DEFAULT 0;  -- of the newest agent

    ALTER TABLE queues ADD COLUMN last_at INTEGER;  -- when last_seq was received

    -- Keys that still lead to their tunnel for a while.
    CREATE TABLE old_keys (
        key    BLOB PRIMARY KEY,
        tunnel INTEGER NOT NULL,
        until  INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX old_keys_by_tunnel ON old_keys (tunnel);

    -- What a running relay tells the command line: its sessions, to the second.
    CREATE TABLE sessions (
        tunnel INTEGER PRIMARY KEY,
        since  INTEGER NOT NULL,
        host   TEXT,
        peer   TEXT NOT NULL
    ) STRICT;

    -- What a running relay tells the command line of itself, such as its public URL.
    CREATE TABLE facts (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;

    CREATE TRIGGER tunnel_forgotten AFTER DELETE ON tunnels BEGIN
        DELETE FROM old_keys WHERE tunnel = OLD.id;
        DELETE FROM sessions WHERE tunnel = OLD.id;
    END;
    -- A token for an owner who had none opens the owner's tunnels again.
    CREATE TRIGGER revision_token_made AFTER INSERT ON tokens BEGIN
        UPDATE revision SET number = number + 1;
    END;
    ",
    // 3: what protects the queue from damage. `damaged` accepts values of any type, because it
    // stores values that could not be decoded. `age_marks` stores which event was the newest
    // at which age (`podtap_disk::age`).
    "
    CREATE TABLE damaged (
        number   INTEGER PRIMARY KEY,
        tunnel   INTEGER NOT NULL,
        seq      INTEGER NOT NULL,
        found_at INTEGER NOT NULL,
        reason   TEXT NOT NULL,
        received_at, id, peer, method, path, headers, body
    );
    CREATE TABLE upkeep (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
    CREATE TABLE age_marks (
        tunnel INTEGER NOT NULL,
        seq    INTEGER NOT NULL,
        age_ms INTEGER NOT NULL,
        PRIMARY KEY (tunnel, seq)
    ) STRICT, WITHOUT ROWID;
    CREATE TRIGGER tunnel_unmarked AFTER DELETE ON tunnels BEGIN
        DELETE FROM age_marks WHERE tunnel = OLD.id;
        DELETE FROM damaged WHERE tunnel = OLD.id;
    END;
    ",
    // 4: the tables are unchanged, but the rows of `queues` may be older than `events`. An
    // earlier release would assign sequence numbers twice.
    "",
];
