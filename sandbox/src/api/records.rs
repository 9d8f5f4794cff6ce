//! Implements web forms and status posts.

use http::Method;
use serde_json::{Value, json};

use super::access::Caller;
use super::input;
use crate::answer::{ApiAnswer, ApiRequest, ErrorAnswer};
use crate::world::{Attachment, RecordKind, World};

pub(super) fn route(
    world: &mut World,
    caller: &Caller,
    request: &ApiRequest,
    segments: &[&str],
) -> Result<ApiAnswer, ErrorAnswer> {
    let (kind, place, rest) = match segments {
        ["form", rest @ ..] => (RecordKind::Form, "app", rest),
        ["status", rest @ ..] => (RecordKind::Status, "space", rest),
        _ => return Err(ErrorAnswer::no_route()),
    };
    caller.must_be_user()?;
    match (&request.method, rest) {
        (&Method::GET, [owner_kind, owner]) if *owner_kind == place => {
            let owner = input::id(owner)?;
            input::refuse_unknown(request, &["limit", "offset"])?;
            let records = world.records.iter();
            let records = records.filter(|(_, r)| r.kind == kind && r.owner == owner);
            input::page(request, records.map(|(&id, _)| show(world, kind, id)))
        }
        (&Method::POST, [owner_kind, owner]) if *owner_kind == place => {
            let mut body = request.json()?;
            if let (RecordKind::Form, Value::Object(members)) = (kind, &mut body) {
                members.entry("status").or_insert_with(|| json!("active"));
            }
            let id = world.create_record(kind, input::id(owner)?, body, &caller.author)?;
            Ok(ApiAnswer::json(match kind {
                // For a status post, the whole post is returned, as for comments (podio.md 5.4).
                RecordKind::Status => show(world, kind, id),
                _ => json!({ kind.id_name(): id }),
            }))
        }
        (&Method::POST, [id, switch @ ("activate" | "deactivate")]) if kind == RecordKind::Form => {
            let status = if *switch == "activate" {
                "active"
            } else {
                "disabled"
            };
            world.update_record(kind, input::id(id)?, json!({ "status": status }))?;
            Ok(ApiAnswer::empty())
        }
        (&Method::GET, [id]) => {
            let id = input::id(id)?;
            world.record(kind, id)?;
            Ok(ApiAnswer::json(show(world, kind, id)))
        }
        (&Method::PUT, [id]) => {
            world.update_record(kind, input::id(id)?, request.json()?)?;
            Ok(ApiAnswer::empty())
        }
        (&Method::DELETE, [id]) => {
            world.delete_record(kind, input::id(id)?)?;
            Ok(ApiAnswer::empty())
        }
        _ => Err(ErrorAnswer::no_route()),
    }
}

/// Returns a record with its id; a status post also with its author, comments and files.
fn show(world: &World, kind: RecordKind, id: u64) -> Value {
    let mut shown = match world.summary(Attachment::Status(id)) {
        Some(summary) if kind == RecordKind::Status => summary.show_in_stream(world),
        _ => json!({}),
    };
    let record = world.record(kind, id).ok();
    if let (Some(record), Value::Object(shown)) = (record, &mut shown) {
        if let Value::Object(members) = &record.body {
            shown.extend(members.clone());
        }
        let owner = match kind {
            RecordKind::Form => "app_id",
            RecordKind::Status | RecordKind::Contact => "space_id",
        };
        shown.insert(kind.id_name().to_owned(), id.into());
        shown.insert(owner.to_owned(), record.owner.into());
    }
    shown
}
