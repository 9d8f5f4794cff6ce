//! What has one home: a second one would go its own way.

use std::path::Path;

use crate::workspace::{self, Source};

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
    let mut found = 0;
    for Source { place, text } in workspace::sources() {
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
