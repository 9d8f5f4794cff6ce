//! Names that may be used in only one place: others would implement the same thing differently.

use std::path::Path;

use crate::workspace::{self, Source};

/// A text in the code, and the folders or files that may contain it.
const HOMES: [(&str, &[&str]); 8] = [
    ("legacy::Client", &["connect/src/client.rs"]),
    ("HttpsConnectorBuilder", &["connect/src/client.rs"]),
    (
        "ClientConfig::builder",
        // PostgreSQL has its own TLS rules: `sslmode`.
        &["connect/src/tls.rs", "relay/src/database/postgres/tls.rs"],
    ),
    ("HttpConnector", &["connect/src/connector.rs"]),
    // The headers of one connection, and those that differ with each answer.
    (
        "\"keep-alive\"",
        &["wire/src/hop.rs", "agent/src/compare.rs"],
    ),
    // The default path of webhooks.
    (" \"/podio/hook\"", &["agent/src/draft.rs"]),
    // The version of the JSON lines.
    ("(\"v\", ", &["agent/src/export/json/mod.rs"]),
    // Sizes are printed in one file and parsed in the other.
    ("bytesize", &["agent/src/amount.rs", "src/parse.rs"]),
];

#[test]
fn what_has_one_home_is_nowhere_else() {
    let mut found = 0;
    for source in workspace::shipped_sources() {
        let Source { place, text } = source;
        let text = text.split("#[cfg(test)]\nmod tests").next().unwrap();
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
