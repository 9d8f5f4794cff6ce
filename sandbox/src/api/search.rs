//! Searches objects of all kinds by the beginnings of words, in any order.

use http::Method;
use serde_json::{Map, Value, json};

use super::access::Caller;
use super::input;
use crate::answer::{ApiAnswer, ApiRequest, ErrorAnswer};
use crate::world::{ORG, Summary, World};

/// Maximum number of results per answer, as at Podio (podio.md 5.4).
const MAX_RESULTS: usize = 20;

/// Known parameters. Others would filter the results, so they are refused.
const KNOWN: [&str; 6] = [
    "query",
    "limit",
    "offset",
    "ref_type",
    "counts",
    "oauth_token",
];

pub(super) fn route(
    world: &World,
    caller: &Caller,
    request: &ApiRequest,
    rest: &[&str],
) -> Result<ApiAnswer, ErrorAnswer> {
    let (rest, version) = match rest {
        [rest @ .., "v2"] => (rest, 2),
        rest => (rest, 1),
    };
    match (&request.method, rest) {
        (&Method::GET | &Method::POST, ["app", app_id]) => {
            let app_id = caller.app(world, input::id(app_id)?)?.id;
            let in_app = |summary: &Summary| summary.app(world) == Some(app_id);
            search(world, request, version, in_app)
        }
        (&Method::GET | &Method::POST, []) => {
            caller.must_be_user()?;
            search(world, request, version, |_| true)
        }
        (&Method::GET | &Method::POST, ["space", space_id]) => {
            caller.must_be_user()?;
            let space_id = input::id(space_id)?;
            let in_space = |summary: &Summary| summary.space(world) == Some(space_id);
            search(world, request, version, in_space)
        }
        (&Method::GET | &Method::POST, ["org", org]) => {
            caller.must_be_user()?;
            let is_ours = input::id(org)? == ORG;
            search(world, request, version, |_| is_ours)
        }
        _ => Err(ErrorAnswer::no_route()),
    }
}

fn search(
    world: &World,
    request: &ApiRequest,
    version: u8,
    suits: impl Fn(&Summary) -> bool,
) -> Result<ApiAnswer, ErrorAnswer> {
    let asked = query_value(request)?;
    let wanted = words(input::text(&asked, "query")?);
    let kind = input::optional_text(&asked, "ref_type")?;
    let number = |name| -> Result<Option<usize>, ErrorAnswer> {
        let number = input::optional_number(&asked, name)?;
        Ok(number.map(|number| usize::try_from(number).unwrap_or(usize::MAX)))
    };
    let limit = number("limit")?.unwrap_or(MAX_RESULTS).min(MAX_RESULTS);
    let offset = number("offset")?.unwrap_or(0);

    let summaries = world.summaries();
    let found = summaries.iter().filter(|summary| {
        let words = words(&summary.text);
        suits(summary)
            && wanted
                .iter()
                .all(|wanted| words.iter().any(|word| word.starts_with(wanted)))
    });
    let found: Vec<_> = found.collect();
    let mut counts = Map::new();
    for summary in &found {
        let count = counts.entry(summary.on.to_pair().0).or_insert(json!(0));
        *count = json!(count.as_u64().unwrap_or(0) + 1);
    }
    let of_kind = found.into_iter().filter(|summary| {
        kind.as_deref()
            .is_none_or(|kind| kind == summary.on.to_pair().0)
    });
    let results = of_kind.enumerate().skip(offset).take(limit);
    let results: Vec<Value> = results
        .map(|(rank, summary)| {
            let mut shown = summary.show(world);
            shown.insert("rank".to_owned(), json!(rank));
            shown.into()
        })
        .collect();
    Ok(ApiAnswer::json(match version {
        1 => results.into(),
        _ => json!({ "results": results, "counts": counts }),
    }))
}

/// Returns the parameters in the body, or those in the query if the body has none.
fn query_value(request: &ApiRequest) -> Result<Value, ErrorAnswer> {
    let mut asked = match request.json()? {
        Value::Object(members) => members,
        other => return Err(ErrorAnswer::wrong_type(&other, "object")),
    };
    for (name, text) in &request.query {
        let number = text.parse::<u64>().ok().filter(|_| name != "query");
        let value = number.map_or_else(|| json!(text), Value::from);
        asked.entry(name.clone()).or_insert(value);
    }
    match asked.keys().find(|name| !KNOWN.contains(&name.as_str())) {
        Some(name) => Err(ErrorAnswer::not_here(&format!("`{name}` of a search"))),
        None => Ok(asked.into()),
    }
}

fn words(text: &str) -> Vec<String> {
    let lower = text.to_lowercase();
    let words = lower.split(|letter: char| !letter.is_alphanumeric());
    words
        .filter(|word| !word.is_empty())
        .map(str::to_owned)
        .collect()
}
