//! Translates a filter to SQL: conditions and their
//! parameters. Untrusted text only ever becomes a parameter.

use jiff::Timestamp;
use podtap_podio::{ObjectKind, RefType};
use rusqlite::types::Value;

use super::event::DeliveryState;
use super::filter::{FailureTest, Filter, Mark, Pattern, StatusTest, Term, Test};
use super::row;
use super::words::{pair, words_of};

/// Limits a subquery to the statement's range of positions: each statement begins with
/// `WITH span (low, high)`.
const WITHIN: &str = "rowid >= (SELECT low FROM span) AND rowid <= (SELECT high FROM span)";

/// A filter as SQL over `events AS e`.
#[derive(Debug, PartialEq)]
pub(super) struct Conditions {
    /// The full-text query for all required words, if there are any. The search starts from it,
    /// because the index finds the newest matches without reading the other events.
    pub(super) search: Option<String>,
    /// Whether events that the full-text index does not contain yet may match, too: the body
    /// decides, and `search` only avoids reading most bodies.
    pub(super) beyond_index: bool,
    /// The condition after `WHERE`, without that word; `1` if there is none.
    pub(super) sql: String,
    /// The values for its `?`, in order.
    pub(super) params: Vec<Value>,
    /// What has to be read.
    pub(super) walk: FilterWalk,
}

/// What a filter has to read to find the next event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FilterWalk {
    /// Little more than the events it finds: an index leads to them.
    Index,
    /// One row after another.
    Rows,
    /// The bodies of all events.
    Bodies,
}

impl Conditions {
    pub(super) fn of(filter: &Filter) -> Self {
        let mut words = Vec::new();
        let mut beyond_index = true;
        let mut parts = Vec::new();
        let mut params = Vec::new();
        for term in filter.terms() {
            match term {
                Term {
                    negated: false,
                    test: Test::Text(text),
                } => {
                    words.push(words_of(text));
                    beyond_index = false;
                }
                Term {
                    negated: false,
                    test: Test::Param { name, value },
                } => {
                    words.extend(pair(name, value));
                    parts.push(has_param(name, value, |value| params.push(value)));
                }
                term => parts.push(outcome(term, &mut params)),
            }
        }
        let search = (!words.is_empty()).then(|| words.join(" AND "));
        let sql = if parts.is_empty() {
            "1".to_owned()
        } else {
            parts.join(" AND ")
        };
        let walk = if search.is_some() {
            FilterWalk::Index
        } else {
            walk(filter.terms())
        };
        Self {
            search,
            beyond_index,
            sql,
            params,
            walk,
        }
    }
}

/// Returns whether a term holds. Not plain NOT, because a comparison
/// with a missing value is unknown and not false. And no IS TRUE for
/// terms without negation, because SQLite would then use no index.
fn outcome(term: &Term, params: &mut Vec<Value>) -> String {
    let condition = condition(&term.test, params);
    let outcome = if term.negated { " IS NOT TRUE" } else { "" };
    format!("({condition}){outcome}")
}

fn walk(terms: &[Term]) -> FilterWalk {
    match terms {
        [] => FilterWalk::Index,
        [term] if !term.negated && is_indexed(&term.test) => FilterWalk::Index,
        terms if terms.iter().any(is_few) => FilterWalk::Index,
        terms if terms.iter().any(is_body) => FilterWalk::Bodies,
        _ => FilterWalk::Rows,
    }
}

/// Returns whether few events match and an index leads to them.
fn is_few(term: &Term) -> bool {
    let is_few = match &term.test {
        Test::Object(kind, _) => place_kind(*kind).is_none(),
        Test::Id(_) | Test::Note(_) | Test::Between(..) | Test::Among(_) => true,
        _ => false,
    };
    is_few && !term.negated
}

/// Returns the kind of place that is also an object: events of a hook on it belong to it, though
/// they name only their item.
fn place_kind(kind: ObjectKind) -> Option<RefType> {
    match kind {
        ObjectKind::App => Some(RefType::App),
        ObjectKind::Space => Some(RefType::Space),
        _ => None,
    }
}

/// Returns whether the bodies decide.
fn is_body(term: &Term) -> bool {
    match &term.test {
        Test::Param { .. } | Test::Failure(FailureTest::Of(_)) => true,
        Test::All(terms) => terms.iter().any(is_body),
        _ => false,
    }
}

/// Returns whether an index contains exactly the matching events, in the order of their positions.
fn is_indexed(test: &Test) -> bool {
    match test {
        Test::Type(pattern) => pattern.literal().is_some(),
        Test::Hook(_) | Test::Noted(true) => true,
        Test::Status(status) => matches!(status, StatusTest::Error | StatusTest::Pending),
        _ => false,
    }
}

fn condition(test: &Test, params: &mut Vec<Value>) -> String {
    if let Test::All(terms) = test {
        let all = std::iter::once("1".to_owned());
        let all: Vec<String> = all
            .chain(terms.iter().map(|term| outcome(term, params)))
            .collect();
        return all.join(" AND ");
    }
    let mut bind = |value: Value| params.push(value);
    match test {
        Test::Type(pattern) => compare("e.event_type", pattern, bind),
        Test::Path(pattern) => compare("e.path", pattern, bind),
        Test::Object(kind, id) => {
            bind(row::id_to_sql(*id).into());
            bind(kind.as_str().to_owned().into());
            let object = "e.object_id = ? AND e.object_kind = ?";
            let Some(place) = place_kind(*kind) else {
                return object.to_owned();
            };
            bind(place.as_str().to_owned().into());
            bind(row::id_to_sql(*id).into());
            format!(
                "({object}) OR +e.hook_id IN \
                 (SELECT hook_id FROM hooks WHERE ref_type = ? AND ref_id = ?)"
            )
        }
        Test::Hook(id) => {
            bind(row::id_to_sql(*id).into());
            "e.hook_id = ?".to_owned()
        }
        Test::Revision(revision) => {
            bind(row::id_to_sql(*revision).into());
            "e.revision = ?".to_owned()
        }
        Test::Status(status) => self::status(*status, bind),
        Test::Failure(failure) => self::failure(failure, bind),
        Test::After(time) => {
            bind(millis(*time));
            "e.received_at >= ?".to_owned()
        }
        Test::Before(time) => {
            bind(millis(*time));
            "e.received_at < ?".to_owned()
        }
        Test::Method(method) => {
            bind(method.clone().into());
            "e.method = ?".to_owned()
        }
        Test::Id(prefix) => {
            let (first, last) = row::ids_beginning(prefix);
            bind(first.to_vec().into());
            bind(last.to_vec().into());
            "e.id BETWEEN ? AND ?".to_owned()
        }
        Test::Replayed(true) => "e.replays > 0".to_owned(),
        Test::Replayed(false) => "e.replays = 0".to_owned(),
        Test::Marked(mark, yes) => mark_condition(*mark, *yes).to_owned(),
        Test::Noted(true) => "e.note IS NOT NULL".to_owned(),
        Test::Noted(false) => "e.note IS NULL".to_owned(),
        Test::Note(pattern) => {
            bind(glob(pattern).into());
            "e.note IS NOT NULL AND e.note GLOB ?".to_owned()
        }
        Test::Between(first, last) => {
            bind(first.0.into());
            bind(last.0.into());
            "e.position BETWEEN ? AND ?".to_owned()
        }
        Test::Among(places) => {
            let places: Vec<i64> = places.iter().map(|place| place.0).collect();
            bind(serde_json::Value::from(places).to_string().into());
            "e.position IN (SELECT value FROM json_each(?))".to_owned()
        }
        Test::Param { name, value } => param(name, value, bind),
        // Handled above, where the list of parameters is available as a whole.
        Test::All(_) => "1".to_owned(),
        Test::Text(words) => {
            bind(words_of(words).into());
            format!("e.position IN (SELECT rowid FROM search WHERE search MATCH ? AND {WITHIN})")
        }
    }
}

/// Returns the condition for a mark or its absence. The numbers are those of
/// `row::verification_to_sql`.
const fn mark_condition(mark: Mark, yes: bool) -> &'static str {
    match (mark, yes) {
        (Mark::Missing, true) => "e.missing IS NOT NULL",
        (Mark::Missing, false) => "e.missing IS NULL",
        (Mark::Duplicate, true) => "e.duplicate_of IS NOT NULL",
        (Mark::Duplicate, false) => "e.duplicate_of IS NULL",
        (Mark::Late, true) => "e.late IS NOT NULL",
        (Mark::Late, false) => "e.late IS NULL",
        // 2: repaired in the history from which the event was imported.
        (Mark::Repaired, true) => "e.repaired IN (1, 2)",
        (Mark::Repaired, false) => "e.repaired = 0",
        (Mark::Verified, true) => "e.verification IN (1, 2)",
        (Mark::Verified, false) => {
            "e.event_type = 'hook.verify' AND ifnull(e.verification, 0) NOT IN (1, 2)"
        }
    }
}

/// Compares a column with a pattern. The `+` keeps SQLite from walking an index by the pattern and
/// then sorting the result: pages are read by position, and patterns tend to match much.
fn compare(column: &str, pattern: &Pattern, mut bind: impl FnMut(Value)) -> String {
    if let Some(text) = pattern.literal() {
        bind(text.to_owned().into());
        format!("{column} = ?")
    } else {
        bind(glob(pattern).into());
        format!("+{column} GLOB ?")
    }
}

/// Returns the pattern for `GLOB`, with `?` and `[` escaped, which are wild cards of `GLOB` only.
fn glob(pattern: &Pattern) -> String {
    let mut glob = String::with_capacity(pattern.as_str().len());
    for c in pattern.as_str().chars() {
        match c {
            '?' => glob.push_str("[?]"),
            '[' => glob.push_str("[[]"),
            c => glob.push(c),
        }
    }
    glob
}

fn status(status: StatusTest, mut bind: impl FnMut(Value)) -> String {
    match status {
        StatusTest::Within(low, high) => {
            bind(i64::from(low).into());
            bind(i64::from(high).into());
            // Stated explicitly if it follows, so that SQLite can use the index of refusals.
            let refused = if low >= 400 {
                " AND e.last_status >= 400"
            } else {
                ""
            };
            format!("e.last_status BETWEEN ? AND ?{refused}")
        }
        StatusTest::Error => "e.last_error IS NOT NULL".to_owned(),
        StatusTest::Pending => format!("e.state = {}", row::state_to_sql(DeliveryState::Pending)),
        StatusTest::Held => format!("e.state = {}", row::state_to_sql(DeliveryState::Held)),
    }
}

/// The last attempt failed; if several targets have answered, the attempt that the row shows.
const FAILED: &str = "(e.last_status >= 400 OR e.last_error IS NOT NULL)";

fn failure(failure: &FailureTest, mut bind: impl FnMut(Value)) -> String {
    match failure {
        FailureTest::Any => FAILED.to_owned(),
        FailureTest::None => format!("{FAILED} IS NOT TRUE"),
        FailureTest::Of(print) => {
            bind(print.clone().into());
            format!(
                "{FAILED} AND ? = (SELECT failure(a.status, a.error, a.headers, a.body) \
                 FROM attempts AS a WHERE a.position = e.position AND a.status IS e.last_status \
                 AND a.error IS e.last_error ORDER BY a.number DESC LIMIT 1)"
            )
        }
    }
}

/// Returns the condition for a parameter. The body decides. If the
/// pair can be searched as words, the full-text index first excludes
/// nearly all bodies; events that are not indexed yet are read anyway.
fn param(name: &str, value: &Pattern, mut bind: impl FnMut(Value)) -> String {
    let mut sql = String::new();
    if let Some(pair) = pair(name, value) {
        bind(pair.into());
        sql.push_str(&format!(
            "(e.position IN (SELECT rowid FROM search WHERE search MATCH ? AND {WITHIN}) \
             OR e.position > (SELECT indexed_through FROM search_progress)) AND "
        ));
    }
    sql + &has_param(name, value, bind)
}

fn has_param(name: &str, value: &Pattern, mut bind: impl FnMut(Value)) -> String {
    bind(name.to_owned().into());
    bind(value.as_str().to_owned().into());
    "e.event_type IS NOT NULL \
     AND EXISTS (SELECT 1 FROM requests AS r WHERE r.position = e.position \
     AND has_param(r.headers, r.body, ?, ?))"
        .to_owned()
}

fn millis(time: Timestamp) -> Value {
    time.as_millisecond().into()
}

#[cfg(test)]
mod tests {
    use super::super::filter::SavedFilters;
    use super::*;

    fn conditions(text: &str) -> Conditions {
        Conditions::of(
            &Filter::parse(text, Timestamp::UNIX_EPOCH, &SavedFilters::default()).unwrap(),
        )
    }

    #[test]
    fn no_filter_asks_nothing() {
        let all = conditions("");
        assert_eq!((all.search, all.sql.as_str()), (None, "1"));
        assert_eq!((all.params, all.walk), (Vec::new(), FilterWalk::Index));
    }

    #[test]
    fn values_become_parameters_and_never_sql() {
        let conditions = conditions("path:/a'b\" -x:1;DROP");
        assert_eq!(conditions.sql.matches('?').count(), conditions.params.len());
        assert!(!conditions.sql.contains("DROP") && !conditions.sql.contains("a'b"));
    }

    #[test]
    fn free_text_becomes_one_quoted_query() {
        let conditions = conditions("safari \"log in\" -x\"y");
        assert_eq!(
            conditions.search.as_deref(),
            Some("\"safari\"* AND \"log in\"")
        );
        assert_eq!(conditions.params, [Value::from("\"x\"\"y\"".to_owned())]);
    }
    #[test]
    fn what_no_index_leads_to_is_looked_for_in_steps() {
        for (text, walk) in [
            ("item:1 -path:*x", FilterWalk::Index),
            ("type:item.update", FilterWalk::Index),
            ("safari -path:*x", FilterWalk::Index),
            ("external:BUG-17", FilterWalk::Index),
            ("type:item.update path:*x", FilterWalk::Rows),
            ("-type:item.update", FilterWalk::Rows),
            ("replayed:yes", FilterWalk::Rows),
            ("external:BUG*", FilterWalk::Bodies),
            ("-external:BUG-17", FilterWalk::Bodies),
        ] {
            assert_eq!(conditions(text).walk, walk, "{text}");
        }
    }
}
