//! Maintains the full-text index over paths, parameters and bodies. Its cursor is on stable
//! storage, so that appending need not wait for the index and a crash loses nothing.

use rusqlite::{Transaction, params};

use super::{cjk, row};

/// Number of events indexed in one transaction: takes a
/// few milliseconds, because an append may be waiting.
const STEP: usize = 128;

/// Maximum number of searchable bytes per event. Webhooks of
/// Podio have some hundred; the limit is for other requests.
const MAX_TEXT_BYTES: usize = 16 * 1024;

/// Indexes the next events; returns whether there are more.
pub(super) fn step(transaction: &Transaction<'_>) -> rusqlite::Result<bool> {
    let through: i64 = transaction
        .prepare_cached("SELECT indexed_through FROM search_progress")?
        .query_row([], |row| row.get(0))?;
    let mut events = transaction.prepare_cached(
        "SELECT e.position, e.path, e.event_type IS NOT NULL AS podio, r.headers, r.body \
         FROM events AS e JOIN requests AS r USING (position) \
         WHERE e.position > ? ORDER BY e.position LIMIT ?",
    )?;
    let mut insert =
        transaction.prepare_cached("INSERT INTO search (rowid, path, text) VALUES (?, ?, ?)")?;
    let mut rows = events.query(params![through, STEP])?;
    let (mut last, mut indexed) = (through, 0);
    while let Some(row) = rows.next()? {
        last = row.get("position")?;
        let headers = row.get_ref("headers")?.as_str()?;
        let body = row::readable_body(headers, row.get_ref("body")?.as_blob()?);
        let text = searchable_text(row.get("podio")?, &body);
        insert.execute(params![last, row.get_ref("path")?.as_str()?, text])?;
        indexed += 1;
    }
    if indexed > 0 {
        transaction
            .prepare_cached("UPDATE search_progress SET indexed_through = ?")?
            .execute([last])?;
    }
    Ok(indexed == STEP)
}

/// Returns the searchable text of an event. For an event of Podio it
/// has one line `name value` per parameter, so that the two are
/// neighbours in the index; otherwise it is the body, if that is text.
fn searchable_text(podio: bool, body: &[u8]) -> String {
    let mut text = String::new();
    if podio {
        for (name, value) in podtap_podio::params(body) {
            if text.len() + name.len() + value.len() >= MAX_TEXT_BYTES {
                break;
            }
            text.extend([&name, " ", &value, "\n"]);
        }
    } else {
        let body = body.get(..MAX_TEXT_BYTES).unwrap_or(body);
        if let Some(chunk) = body.utf8_chunks().next() {
            text.push_str(chunk.valid());
        }
    }
    cjk::index_text(&text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_indexed_decoded_and_bodies_as_far_as_they_are_text() {
        assert_eq!(
            searchable_text(true, b"title=log+in&x=%C3%A4"),
            "title log in\nx \u{e4}\n"
        );
        assert_eq!(searchable_text(false, b"plain \xff rest"), "plain ");
        let han = searchable_text(false, "中国人".as_bytes());
        assert_eq!(han, " 中国 国人 人 ");
        let long = "ä".repeat(MAX_TEXT_BYTES);
        assert_eq!(
            searchable_text(false, long.as_bytes()).len(),
            MAX_TEXT_BYTES
        );
    }
}
