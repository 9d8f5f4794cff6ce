//! Tests connections on real files.

use super::*;

const PROFILE: Profile = Profile {
    page_bytes: 4096,
    cache_kib: 2000,
    checkpoint_bytes: 4 * 1024 * 1024,
    has_triggers: false,
};

#[test]
fn a_trigger_of_a_file_from_elsewhere_does_not_run() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.db");
    Connection::open(&path)
        .unwrap()
        .execute_batch(
            "CREATE TABLE t (a); CREATE TABLE seen (a);
             CREATE TRIGGER hostile AFTER INSERT ON t BEGIN INSERT INTO seen VALUES (1); END",
        )
        .unwrap();

    let connection = writer(&path, &PROFILE).unwrap();
    connection.execute("INSERT INTO t VALUES (1)", []).unwrap();

    let seen: u64 = connection
        .query_row("SELECT count(*) FROM seen", [], |row| row.get(0))
        .unwrap();
    assert_eq!(seen, 0);
    for (pragma, wanted) in [("trusted_schema", 0), ("cell_size_check", 1)] {
        let found: i64 = connection
            .pragma_query_value(None, pragma, |row| row.get(0))
            .unwrap();
        assert_eq!(found, wanted, "{pragma}");
    }
}

#[test]
fn statements_stay_prepared_whatever_is_bound_to_them() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.db");
    let writer = writer(&path, &PROFILE).unwrap();
    writer
        .execute_batch("CREATE TABLE t (a, b); CREATE INDEX t_by_a ON t (a, b);")
        .unwrap();
    let reader = reader(&path, &PROFILE).unwrap();

    for connection in [&writer, &reader] {
        let mut statement = connection
            .prepare("SELECT b FROM t WHERE a = ?1 AND b > ?2 ORDER BY b LIMIT ?3")
            .unwrap();
        for round in 1..4 {
            let mut rows = statement.query((round, 0, round)).unwrap();
            assert!(rows.next().unwrap().is_none());
        }
        let again = statement.get_status(rusqlite::StatementStatus::RePrepare);
        assert_eq!(again, 0);
    }
}

#[test]
fn space_is_given_back_also_by_a_file_of_an_earlier_release() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.db");
    Connection::open(&path)
        .unwrap()
        .execute_batch("CREATE TABLE t (a); INSERT INTO t VALUES (zeroblob(2000000));")
        .unwrap();

    let connection = writer(&path, &PROFILE).unwrap();
    connection.execute("DELETE FROM t", []).unwrap();
    assert!(free_bytes(&connection).unwrap() > 1_900_000);
    while reclaim(&connection, 100).unwrap() {}
    truncate_log(&connection).unwrap();

    assert_eq!(free_bytes(&connection).unwrap(), 0);
    assert!(path.metadata().unwrap().len() < 100_000);
}

#[test]
fn a_file_is_written_anew_where_it_holds_little() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.db");
    let connection = writer(&path, &PROFILE).unwrap();
    connection
        .execute_batch(
            "CREATE TABLE t (a); INSERT INTO t VALUES (zeroblob(2000000)), ('kept');
             DELETE FROM t WHERE a <> 'kept';",
        )
        .unwrap();

    assert!(!compact(&connection, 100).unwrap());
    assert!(compact(&connection, 100_000).unwrap());
    assert!(!compact(&connection, 100_000).unwrap());
    truncate_log(&connection).unwrap();

    assert!(path.metadata().unwrap().len() < 100_000);
    let kept: i64 = connection
        .query_row("SELECT count(*) FROM t", [], |row| row.get(0))
        .unwrap();
    assert_eq!(kept, 1);
}

#[test]
fn a_new_file_has_the_profiles_pages_and_an_old_one_keeps_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.db");
    let page = |connection: &Connection| -> u32 {
        connection
            .pragma_query_value(None, "page_size", |row| row.get(0))
            .unwrap()
    };
    let large = Profile {
        page_bytes: 16 * 1024,
        ..PROFILE
    };
    let connection = writer(&path, &large).unwrap();
    connection.execute_batch("CREATE TABLE t (a)").unwrap();
    assert_eq!(page(&connection), 16 * 1024);
    drop(connection);

    let connection = writer(&path, &PROFILE).unwrap();
    let log: i64 = connection
        .pragma_query_value(None, "wal_autocheckpoint", |row| row.get(0))
        .unwrap();
    assert_eq!(log, 4 * 1024 / 16, "the log has a bound in bytes");
    compact(&connection, u64::MAX).unwrap();

    assert_eq!(page(&connection), 16 * 1024);
}

#[test]
fn a_later_schema_is_refused_untouched() {
    let folder = tempfile::tempdir().unwrap();
    let mut connection = writer(&folder.path().join("x.db"), &PROFILE).unwrap();
    migrate(
        &mut connection,
        &["CREATE TABLE a (x)", "CREATE TABLE b (x)"],
    )
    .unwrap();

    let refused = migrate(&mut connection, &["CREATE TABLE a (x)"]);

    let newer = MigrateError::Newer { found: 2, known: 1 };
    assert_eq!(refused.unwrap_err().to_string(), newer.to_string());
}

#[test]
fn the_log_goes_with_the_last_of_many_that_close_at_once() {
    let folder = tempfile::tempdir().unwrap();
    for round in 0..100 {
        let path = folder.path().join(format!("{round}.db"));
        let written = writer(&path, &PROFILE).unwrap();
        written.execute_batch("CREATE TABLE t (a)").unwrap();
        let mut connections = vec![written];
        connections.extend((0..7).map(|_| reader(&path, &PROFILE).unwrap()));
        for connection in &connections[1..] {
            schema(connection).unwrap();
        }
        std::thread::scope(|scope| {
            for connection in connections {
                scope.spawn(move || close(connection));
            }
        });

        assert!(!path.with_extension("db-wal").exists(), "{round}");
    }
}
