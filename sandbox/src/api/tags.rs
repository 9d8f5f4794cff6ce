//! Implements tags of an item, and of all items of an app, a space or the organization.

use std::collections::BTreeMap;

use http::Method;
use serde_json::json;

use super::access::Caller;
use super::input;
use crate::answer::{ApiAnswer, ApiRequest, ErrorAnswer};
use crate::world::{Attachment, ORG, StoredItem, World};

pub(super) fn route(
    world: &mut World,
    caller: &Caller,
    request: &ApiRequest,
    rest: &[&str],
) -> Result<ApiAnswer, ErrorAnswer> {
    match (&request.method, rest) {
        (_, ["item", item_id]) => of_item(world, caller, request, input::id(item_id)?),
        (&Method::GET, [kind @ ("app" | "space" | "org"), id, rest @ ..]) => {
            let items = items_of(world, caller, kind, input::id(id)?)?;
            match rest {
                [] => count(request, &items, false),
                ["top"] => count(request, &items, true),
                ["search"] => search(world, request, items),
                _ => Err(ErrorAnswer::no_route()),
            }
        }
        _ => Err(ErrorAnswer::no_route()),
    }
}

fn of_item(
    world: &mut World,
    caller: &Caller,
    request: &ApiRequest,
    item_id: u64,
) -> Result<ApiAnswer, ErrorAnswer> {
    let item = caller.item(world, item_id)?;
    let switches = input::switches(request);
    match request.method {
        Method::GET => return Ok(ApiAnswer::json(json!(item.tags))),
        Method::POST => {
            world.add_tags(item_id, input::texts(&request.json()?)?, switches)?;
        }
        // The body is the new list: missing tags are deleted and new ones are added.
        Method::PUT => {
            let (wanted, had) = (input::texts(&request.json()?)?, item.tags.clone());
            for tag in had.iter().filter(|tag| !wanted.contains(tag)) {
                world.delete_tag(item_id, tag.clone(), switches)?;
            }
            let new = wanted
                .into_iter()
                .filter(|tag| !had.contains(tag))
                .collect();
            world.add_tags(item_id, new, switches)?;
        }
        Method::DELETE => {
            let tag = request.query("text").unwrap_or_default().to_owned();
            world.delete_tag(item_id, tag, switches)?;
        }
        _ => return Err(ErrorAnswer::no_route()),
    }
    Ok(ApiAnswer::empty())
}

/// Returns the items of a place that the caller may access.
fn items_of<'w>(
    world: &'w World,
    caller: &Caller,
    kind: &str,
    id: u64,
) -> Result<Vec<&'w StoredItem>, ErrorAnswer> {
    if kind == "app" {
        caller.app(world, id)?;
    } else {
        caller.must_be_user()?;
    }
    let exists = match kind {
        "space" => world.spaces.contains_key(&id),
        "org" => id == ORG,
        _ => true,
    };
    if !exists {
        return Err(ErrorAnswer::not_found());
    }
    let items = world.items.values().filter(|item| match kind {
        "app" => item.app_id == id,
        "space" => world.space_of(Attachment::Item(item.id)) == Some(id),
        _ => true,
    });
    Ok(items.collect())
}

/// Counts the items for each tag. The tags are sorted by text, or the most frequent come first.
fn count(
    request: &ApiRequest,
    items: &[&StoredItem],
    top_first: bool,
) -> Result<ApiAnswer, ErrorAnswer> {
    input::refuse_unknown(request, &["limit", "offset", "text"])?;
    let text = request.query("text").unwrap_or_default();
    let mut counts = BTreeMap::<&str, u64>::new();
    let tags = items.iter().flat_map(|item| &item.tags);
    for tag in tags.filter(|tag| tag.contains(text)) {
        *counts.entry(tag).or_default() += 1;
    }
    let mut counts: Vec<_> = counts.into_iter().collect();
    if top_first {
        counts.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    }
    let shown = counts
        .into_iter()
        .map(|(text, count)| json!({ "text": text, "count": count }));
    input::page(request, shown)
}

/// Returns the items that have a tag.
fn search(
    world: &World,
    request: &ApiRequest,
    items: Vec<&StoredItem>,
) -> Result<ApiAnswer, ErrorAnswer> {
    input::refuse_unknown(request, &["limit", "offset", "text"])?;
    let missing = || ErrorAnswer::invalid("Missing parameter text");
    let text = request.query("text").ok_or_else(missing)?;
    let tagged = items
        .into_iter()
        .filter(|item| item.tags.iter().any(|tag| tag == text));
    let summaries = tagged.filter_map(|item| world.summary(Attachment::Item(item.id)));
    input::page(request, summaries.map(|summary| summary.show(world).into()))
}
