//! A database that cannot be used: what is wrong, where, and what to do.

use crate::support::{SharedStage, Stage};

#[tokio::test]
async fn a_database_that_is_of_no_use_is_named_without_its_password() {
    let Some(shared) = SharedStage::new() else {
        return;
    };
    let port = shared.server.port();
    let at = |place: &str| format!("postgres://ann:s3cret@{place}");
    let fresh = shared.server.database();
    let sql = "CREATE ROLE ann LOGIN PASSWORD 's3cret'; REVOKE CREATE ON SCHEMA public FROM PUBLIC";
    shared.server.sql(&fresh, sql);
    let (others, newest) = tables_of_others(&shared);
    for (url, code, word) in [
        ("relay.db".to_owned(), 2, "postgres://"),
        (at("db:port/podtap"), 2, "cannot be used"),
        (at("db/podtap?sslmode=maybe"), 2, "sslmode"),
        (at("127.0.0.1:1/podtap"), 1, "cannot be reached"),
        (
            at(&format!("127.0.0.1:{port}/nothing")),
            1,
            "does not exist",
        ),
        (
            at(&format!("127.0.0.1:{port}/{fresh}")),
            1,
            "owner of the database",
        ),
        (
            format!("postgres://stranger:s3cret@127.0.0.1:{port}/{fresh}"),
            1,
            "user or the password",
        ),
        (
            format!("postgres://ann:s3cret-of-another@127.0.0.1:{port}/{fresh}"),
            1,
            "check both",
        ),
        (
            at(&format!("127.0.0.1:{port}/{others}")),
            1,
            "owner of the database",
        ),
        (newest, 1, "upgrade podtap"),
        (
            at(&format!("127.0.0.1:{port}/{fresh}?sslmode=require")),
            1,
            "sslmode=disable",
        ),
        (
            at(&format!(
                "127.0.0.1:{port}/{fresh}?sslmode=verify-full&sslrootcert=/nowhere/ca.crt"
            )),
            1,
            "/nowhere/ca.crt",
        ),
        (
            at("db/podtap?sslmode=require&sslrootcert=/ca.crt"),
            2,
            "sslrootcert",
        ),
    ] {
        for command in [
            &["relay", "--listen", "127.0.0.1:0"][..],
            &["relay", "token", "list"],
            &["tunnels", "list"],
        ] {
            let (ended, stdout, stderr) =
                shared.stage.run(&[command, &["--database", &url]].concat());
            assert_eq!(ended, code, "{command:?} {url}: {stderr}");
            assert!(stderr.contains(word), "{command:?} {url}: {stderr}");
            assert!(!format!("{stdout}{stderr}").contains("s3cret"), "{stderr}");
        }
    }
}

#[test]
fn an_authority_of_the_database_that_cannot_be_read_is_named_before_anything_is_sent() {
    let stage = Stage::new();
    for (options, word) in [
        ("sslmode=verify-ca", "sslrootcert=FILE"),
        ("sslmode=verify-ca&sslrootcert=/dev/zero", "it is a device"),
        ("sslmode=verify-full&sslrootcert=/etc", "it is a folder"),
        (
            "sslmode=verify-full&sslrootcert=/etc/passwd",
            "no certificate",
        ),
        (
            "sslmode=verify-full&sslrootcert=/nowhere/ca.crt",
            "/nowhere/ca.crt",
        ),
    ] {
        let url = format!("postgres://ann:s3cret@127.0.0.1:1/podtap?{options}");
        let list = ["relay", "token", "list", "--database", &url];
        let (code, stdout, stderr) = stage.run(&list);
        assert_eq!((code, stdout.as_str()), (1, ""), "{options}: {stderr}");
        assert!(stderr.contains(word), "{options}: {stderr}");
        assert!(!stderr.contains("s3cret"), "{stderr}");
    }
}

/// Makes ann's logins require a password. Returns a database whose
/// tables belong to another user, and the URL of one of a newer release.
fn tables_of_others(shared: &SharedStage) -> (String, String) {
    let hba = "sed -i '1i host all ann 127.0.0.1/32 scram-sha-256' data/pg_hba.conf";
    shared.server.run(hba);
    shared.server.reload();
    let port = shared.server.port();
    let [others, newer] = [0, 1].map(|_| shared.server.database());
    let at = |database| format!("postgres://postgres:s3cret@127.0.0.1:{port}/{database}");
    for url in [at(&others), at(&newer)] {
        let list = ["relay", "token", "list", "--database", &url];
        shared.stage.succeed(&list);
    }
    let number = "UPDATE podtap_schema SET number = 99";
    shared.server.sql(&newer, number);
    let newest = at(&newer);
    (others, newest)
}
