//! What has one home: a second one would go its own way.

use std::path::Path;

use super::collect;

/// A word of another crate, and the folders or files in which it may be written.
const HOMES: [(&str, &[&str]); 5] = [
    ("legacy::Client", &["connect/src/client.rs"]),
    ("HttpsConnectorBuilder", &["connect/src/client.rs"]),
    (
        "ClientConfig::builder",
        // A database has its own rules: `sslmode`.
        &["connect/src/tls.rs", "relay/src/database/postgres/tls.rs"],
    ),
    ("HttpConnector", &["connect/src/connector.rs"]),
    // Printed in one place, and read in another.
    ("bytesize", &["agent/src/amount.rs", "src/parse.rs"]),
];

#[test]
fn what_has_one_home_is_nowhere_else() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut sources = Vec::new();
    for folder in [
        "src",
        "connect/src",
        "podio/src",
        "sandbox/src",
        "relay/src",
        "agent/src",
        "tui/src",
        "web/src",
    ] {
        collect(&root.join(folder), &mut sources);
    }
    let mut found = 0;
    for path in sources {
        let text = std::fs::read_to_string(&path).unwrap();
        let place = path.strip_prefix(root).unwrap();
        for (word, homes) in HOMES {
            if !text.contains(word) {
                continue;
            }
            found += 1;
            assert!(
                homes.iter().any(|home| place == Path::new(home)),
                "{}: {word} belongs into {homes:?}",
                place.display()
            );
        }
    }
    assert!(found >= HOMES.len(), "the sources were not found");
}
