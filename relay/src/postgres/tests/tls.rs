//! Tests TLS to the server for each `sslmode`.

use crate::database::PostgresError;
use crate::database::postgres::Postgres;
use podtap_testing::DatabaseServer;

/// Starts a server with a certificate for `localhost`. Its folder also contains the
/// certificate of its authority (`ca.crt`) and one of another authority (`other.crt`).
fn server() -> Option<DatabaseServer> {
    let server = DatabaseServer::start(&["-c", "fsync=off"])?;
    let key = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2";
    for authority in ["ca", "other"] {
        server.run(&format!(
            "openssl req -x509 {key} -keyout {authority}.key -out {authority}.crt -subj /CN={authority}"
        ));
    }
    server.run(&format!(
        "openssl req {key} -keyout data/server.key -out server.csr -subj /CN=localhost"
    ));
    server.run("printf 'subjectAltName=DNS:localhost\\n' >names");
    server.run(
        "openssl x509 -req -in server.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 2 \
         -extfile names -out data/server.crt",
    );
    server.run("chmod 600 data/server.key && chmod 755 . && chmod 644 ca.crt other.crt");
    server.sql("postgres", "ALTER SYSTEM SET ssl = on");
    server.reload();
    Some(server)
}

/// Connects and returns whether the connection is encrypted.
async fn connect(url: &str) -> Result<bool, PostgresError> {
    let opened = Postgres::open(&url.parse().unwrap()).await?;
    let asked = "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()";
    let client = opened.client().await?;
    Ok(client.query_one(asked, &[]).await.unwrap().get(0))
}

#[tokio::test]
async fn sslmode_says_how_far_the_server_is_believed() {
    let Some(server) = server() else { return };
    let database = server.database();
    let (port, folder) = (server.port(), server.folder().display());
    let at = |host: &str, options: &str| {
        connect_to(format!(
            "postgres://postgres:s3cret@{host}:{port}/{database}?{options}"
        ))
    };
    let ca = format!("sslrootcert={folder}/ca.crt");
    let other = format!("sslrootcert={folder}/other.crt");

    for (host, options, is_encrypted) in [
        ("127.0.0.1", "", true),
        ("127.0.0.1", "sslmode=disable", false),
        ("127.0.0.1", "sslmode=prefer", true),
        ("127.0.0.1", "sslmode=require", true),
        ("127.0.0.1", &format!("sslmode=verify-ca&{ca}"), true),
        ("localhost", &format!("sslmode=verify-full&{ca}"), true),
    ] {
        let connected = at(host, options).await;
        assert_eq!(connected.unwrap(), is_encrypted, "{host} {options}");
    }
    for (host, options, word) in [
        (
            "127.0.0.1",
            format!("sslmode=verify-ca&{other}"),
            "sslrootcert",
        ),
        (
            "localhost",
            format!("sslmode=verify-full&{other}"),
            "sslrootcert",
        ),
        // The authority is right, but the certificate is for another host name.
        (
            "127.0.0.1",
            format!("sslmode=verify-full&{ca}"),
            "verify-ca",
        ),
        // The system's authorities do not include this one.
        ("localhost", "sslmode=verify-full".to_owned(), "sslrootcert"),
        ("localhost", "sslmode=verify-ca".to_owned(), "sslrootcert"),
        (
            "localhost",
            "sslmode=verify-full&sslrootcert=/nowhere/ca.crt".to_owned(),
            "/nowhere/ca.crt",
        ),
    ] {
        let error = at(host, &options).await.unwrap_err();
        assert!(matches!(error, PostgresError::Tls { .. }), "{error:?}");
        let told = error.to_string();
        assert!(told.contains(word), "{host} {options}: {told}");
        assert!(!told.contains("s3cret"), "{told}");
    }
}

async fn connect_to(url: String) -> Result<bool, PostgresError> {
    connect(&url).await
}

#[tokio::test]
async fn a_server_that_insists_on_tls_or_has_none_is_told_by_name() {
    let Some(server) = server() else { return };
    let port = server.port();
    let at = |options: &str| format!("postgres://postgres@127.0.0.1:{port}/postgres?{options}");
    server.run("sed -i 's/^host /hostssl /' data/pg_hba.conf");
    server.reload();
    let error = connect(&at("sslmode=disable")).await.unwrap_err();
    assert!(matches!(error, PostgresError::Refused { .. }), "{error:?}");
    assert!(error.to_string().contains("sslmode"), "{error}");
    assert!(connect(&at("sslmode=require")).await.unwrap());

    server.run("sed -i 's/^hostssl /host /' data/pg_hba.conf");
    server.sql("postgres", "ALTER SYSTEM SET ssl = off");
    server.reload();
    assert!(!connect(&at("sslmode=prefer")).await.unwrap());
    let error = connect(&at("sslmode=require")).await.unwrap_err();
    assert!(matches!(error, PostgresError::Tls { .. }), "{error:?}");
    assert!(error.to_string().contains("sslmode=disable"), "{error}");
}
