//! Names that may be used in only one place: others would implement the same thing differently.

use std::path::Path;

use crate::workspace::{self, Source};

/// A name from another crate, and the folders or files in which it may be used.
const HOMES: [(&str, &[&str]); 5] = [
    ("legacy::Client", &["connect/src/client.rs"]),
    ("HttpsConnectorBuilder", &["connect/src/client.rs"]),
    (
        "ClientConfig::builder",
        // PostgreSQL has its own TLS rules: `sslmode`.
        &["connect/src/tls.rs", "relay/src/database/postgres/tls.rs"],
    ),
    ("HttpConnector", &["connect/src/connector.rs"]),
    // Sizes are printed in one file and parsed in the other.
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
