//! Creates and updates the tables with numbered migrations.
//!
//! Migrations are appended, never edited. One relay at a time applies them.

use tokio_postgres::{Client, Error};

/// Each migration brings the schema from its index to the next number.
pub(super) const MIGRATIONS: &[&str] = &[
    // 1. Times are milliseconds since 1970, except times that only the database compares.
    "
    CREATE TABLE podtap_tokens (
        id           text PRIMARY KEY,      -- the public part of the token
        owner        text NOT NULL,
        hash         bytea NOT NULL,        -- SHA-256 of the whole token
        created_at   bigint NOT NULL,
        last_used_at bigint,
        revoked_at   bigint
    );
    CREATE INDEX podtap_tokens_by_owner ON podtap_tokens (owner);

    CREATE TABLE podtap_tunnels (
        id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        owner      text NOT NULL,
        name       text NOT NULL,
        key        bytea NOT NULL UNIQUE,
        created_at bigint NOT NULL,
        epoch      bigint NOT NULL DEFAULT 0,   -- of the newest agent
        UNIQUE (owner, name)
    );

    -- The ends of each tunnel's queue. The lock on a row numbers the tunnel's events.
    CREATE TABLE podtap_queues (
        tunnel        bigint PRIMARY KEY,
        last_seq      bigint NOT NULL DEFAULT 0,
        last_bytes    bigint NOT NULL DEFAULT 0,  -- bytes of all events up to last_seq, ever
        last_at       bigint,                     -- when last_seq was received
        removed_seq   bigint NOT NULL DEFAULT 0,
        removed_bytes bigint NOT NULL DEFAULT 0,  -- bytes of all events up to removed_seq, ever
        session       bigint NOT NULL DEFAULT 0   -- the newest; an older one removes nothing
    ) WITH (fillfactor = 50);

    CREATE TABLE podtap_events (
        tunnel        bigint NOT NULL,
        seq           bigint NOT NULL,
        bytes_through bigint NOT NULL,      -- of the tunnel's events up to this one, ever
        received_at   bigint NOT NULL,
        id            bytea NOT NULL,
        peer          text,
        method        text NOT NULL,
        path          text NOT NULL,
        headers       text NOT NULL,        -- JSON as on the wire
        body          bytea NOT NULL,
        PRIMARY KEY (tunnel, seq)
    );

    -- What a limit removed before any agent took it, until an agent has gone past it.
    CREATE TABLE podtap_gaps (
        tunnel   bigint NOT NULL,
        from_seq bigint NOT NULL,
        to_seq   bigint NOT NULL,
        reason   text NOT NULL,
        PRIMARY KEY (tunnel, from_seq)
    );

    -- At which age (`podtap_disk::age`) an event was the newest.
    CREATE TABLE podtap_age_marks (
        tunnel bigint NOT NULL,
        seq    bigint NOT NULL,
        age_ms bigint NOT NULL,
        PRIMARY KEY (tunnel, seq)
    );

    -- Keys that still lead to their tunnel for a while.
    CREATE TABLE podtap_old_keys (
        key     bytea PRIMARY KEY,
        tunnel  bigint NOT NULL,
        until   bigint NOT NULL
    );

    -- The relays that run, and who has which tunnel.
    CREATE TABLE podtap_relays (
        id      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        seen_at timestamptz NOT NULL DEFAULT clock_timestamp()
    );
    CREATE SEQUENCE podtap_session_numbers;
    CREATE TABLE podtap_sessions (
        tunnel  bigint PRIMARY KEY,
        session bigint NOT NULL UNIQUE,
        relay   bigint NOT NULL,
        epoch   bigint NOT NULL,
        respond text NOT NULL,
        since   bigint NOT NULL,
        host    text,
        peer    text NOT NULL,
        asked   bigint NOT NULL DEFAULT 0,      -- how often its relay was asked whether it lives
        lived   bigint NOT NULL DEFAULT 0       -- the last question that was answered
    );
    CREATE TABLE podtap_take_overs (
        tunnel      bigint PRIMARY KEY,
        epoch       bigint NOT NULL,
        at          timestamptz NOT NULL,
        patience_ms bigint NOT NULL
    );

    -- Answers in flight between relays: worth nothing after a crash.
    CREATE UNLOGGED TABLE podtap_answers (
        event    bytea PRIMARY KEY,
        relay    bigint NOT NULL,           -- which waits
        at       timestamptz NOT NULL DEFAULT clock_timestamp(),
        status   integer,                   -- with the rest, once there is an answer
        headers  text,
        body     bytea
    );

    CREATE TABLE podtap_facts (name text PRIMARY KEY, value text NOT NULL);

    -- Counts what a running relay must notice when another process did it.
    CREATE TABLE podtap_revision (number bigint NOT NULL);
    INSERT INTO podtap_revision VALUES (1);
    CREATE FUNCTION podtap_revise() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        UPDATE podtap_revision SET number = number + 1;
        RETURN NULL;
    END $$;
    CREATE TRIGGER revise AFTER INSERT OR UPDATE OF revoked_at ON podtap_tokens
        FOR EACH STATEMENT EXECUTE FUNCTION podtap_revise();
    CREATE TRIGGER revise AFTER INSERT OR DELETE OR UPDATE OF key ON podtap_tunnels
        FOR EACH STATEMENT EXECUTE FUNCTION podtap_revise();

    CREATE FUNCTION podtap_make_queue() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        INSERT INTO podtap_queues (tunnel) VALUES (NEW.id);
        RETURN NULL;
    END $$;
    CREATE TRIGGER make_queue AFTER INSERT ON podtap_tunnels
        FOR EACH ROW EXECUTE FUNCTION podtap_make_queue();
    -- The queue first: who appends to it is waited for, and nothing is appended after.
    CREATE FUNCTION podtap_forget_tunnel() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        DELETE FROM podtap_queues     WHERE tunnel = OLD.id;
        DELETE FROM podtap_events     WHERE tunnel = OLD.id;
        DELETE FROM podtap_gaps       WHERE tunnel = OLD.id;
        DELETE FROM podtap_age_marks  WHERE tunnel = OLD.id;
        DELETE FROM podtap_old_keys   WHERE tunnel = OLD.id;
        DELETE FROM podtap_sessions   WHERE tunnel = OLD.id;
        DELETE FROM podtap_take_overs WHERE tunnel = OLD.id;
        RETURN NULL;
    END $$;
    CREATE TRIGGER forget_tunnel AFTER DELETE ON podtap_tunnels
        FOR EACH ROW EXECUTE FUNCTION podtap_forget_tunnel();
    ",
    // 2.
    "
    -- Refusals that one relay has made and another has to tell the agent of.
    CREATE TABLE podtap_refused (
        tunnel  bigint NOT NULL,
        kind    text NOT NULL,
        reason  text NOT NULL,
        count   bigint NOT NULL,
        last_at bigint NOT NULL,
        PRIMARY KEY (tunnel, kind)
    );
    CREATE FUNCTION podtap_forget_refused() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        DELETE FROM podtap_refused WHERE tunnel = OLD.id;
        RETURN NULL;
    END $$;
    CREATE TRIGGER forget_refused AFTER DELETE ON podtap_tunnels
        FOR EACH ROW EXECUTE FUNCTION podtap_forget_refused();
    ",
    // 3.
    "
    -- What each relay has refused since its start; worth nothing once it has ended.
    CREATE UNLOGGED TABLE podtap_refused_totals (
        tunnel  bigint NOT NULL,
        kind    text NOT NULL,
        relay   bigint NOT NULL,
        reason  text NOT NULL,
        count   bigint NOT NULL,
        last_at bigint NOT NULL,
        PRIMARY KEY (tunnel, kind, relay)
    );
    CREATE FUNCTION podtap_forget_refused_totals() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF TG_TABLE_NAME = 'podtap_relays' THEN
            DELETE FROM podtap_refused_totals WHERE relay = OLD.id;
        ELSE
            DELETE FROM podtap_refused_totals WHERE tunnel = OLD.id;
        END IF;
        RETURN NULL;
    END $$;
    CREATE TRIGGER forget_refused_totals AFTER DELETE ON podtap_tunnels
        FOR EACH ROW EXECUTE FUNCTION podtap_forget_refused_totals();
    CREATE TRIGGER forget_refused_totals AFTER DELETE ON podtap_relays
        FOR EACH ROW EXECUTE FUNCTION podtap_forget_refused_totals();
    ",
];

/// Key of the advisory lock that a relay holds while it migrates: `podtap` as ASCII bytes.
const LOCK: i64 = 0x706f_6474_6170;

/// Brings the schema up to date. The inner `Err` is the schema number of a newer release.
pub(super) async fn migrate(client: &mut Client) -> Result<Result<(), i32>, Error> {
    let transaction = client.transaction().await?;
    transaction
        .execute("SELECT pg_advisory_xact_lock($1)", &[&LOCK])
        .await?;
    let is_new: bool = transaction
        .query_one("SELECT to_regclass('podtap_schema') IS NULL", &[])
        .await?
        .get(0);
    if is_new {
        transaction
            .batch_execute(
                "CREATE TABLE podtap_schema (number integer NOT NULL);
                 INSERT INTO podtap_schema VALUES (0);",
            )
            .await?;
    }
    let found: i32 = transaction
        .query_one("SELECT number FROM podtap_schema", &[])
        .await?
        .get(0);
    if found > newest() {
        return Ok(Err(found));
    }
    let done = usize::try_from(found).unwrap_or_default();
    for migration in MIGRATIONS.iter().skip(done) {
        transaction.batch_execute(migration).await?;
    }
    if found < newest() {
        transaction
            .execute("UPDATE podtap_schema SET number = $1", &[&newest()])
            .await?;
    }
    transaction.commit().await?;
    Ok(Ok(()))
}

/// Returns the newest schema number of this build.
pub(crate) fn newest() -> i32 {
    i32::try_from(MIGRATIONS.len()).unwrap_or(i32::MAX)
}
