//! Lists tasks: filtered by the query, summed up by due date, and their labels.

use jiff::tz::TimeZone;
use serde_json::{Value, json};

use super::access::{self, Caller};
use super::input;
use crate::answer::{ApiAnswer, ApiRequest, ErrorAnswer};
use crate::world::{Attachment, ORG, StoredTask, TokenIdentity, World};

/// Known parameters for filtering a list of tasks.
const KNOWN: [&str; 12] = [
    "limit",
    "offset",
    "completed",
    "responsible",
    "created_by",
    "completed_by",
    "created_via",
    "space",
    "app",
    "org",
    "reference",
    "label",
];

/// Returns the tasks that match the query.
pub(super) fn list(
    world: &World,
    request: &ApiRequest,
    suits: impl Fn(&StoredTask) -> bool,
) -> Result<ApiAnswer, ErrorAnswer> {
    input::refuse_unknown(request, &KNOWN)?;
    let number = |name| -> Result<Option<u64>, ErrorAnswer> {
        let number = input::query_number(request, name)?;
        Ok(number.and_then(|number| u64::try_from(number).ok()))
    };
    let (responsible, space, app) = (number("responsible")?, number("space")?, number("app")?);
    let (org, via) = (number("org")?, number("created_via")?);
    let user = |name| {
        let by = request.query(name)?;
        by.trim_start_matches("user:").parse::<u64>().ok()
    };
    let (created_by, completed_by) = (user("created_by"), user("completed_by"));
    let reference = request.query("reference").map(reference).transpose()?;
    let completed = match request.query("completed") {
        None => None,
        Some("true" | "1") => Some(true),
        Some("false" | "0") => Some(false),
        Some(other) => {
            return Err(ErrorAnswer::invalid(format!(
                "Invalid value '{other}' (string): must be boolean"
            )));
        }
    };
    let is = |wanted: Option<u64>, id: Option<u64>| wanted.is_none() || wanted == id;
    let tasks = world.tasks.values().filter(|task| {
        let done_by = task.completed.as_ref().map(|(_, by)| by.id);
        suits(task)
            && is(responsible, Some(task.responsible.id))
            && is(space, task.on.and_then(|on| world.space_of(on)))
            && is(app, task.on.and_then(|on| world.app_of(on)))
            && is(org, Some(ORG))
            && is(via, task.author.via.id)
            && is(created_by, Some(task.author.by.id))
            && is(completed_by, done_by)
            && (reference.is_none() || reference == task.on)
            && request
                .query("label")
                .is_none_or(|label| task.labels.iter().any(|text| text == label))
            && completed.is_none_or(|completed| completed == task.completed.is_some())
    });
    input::page(request, tasks.map(|it| world.show_task(it)))
}

/// Parses an object in a query: `item:123`.
fn reference(text: &str) -> Result<Attachment, ErrorAnswer> {
    let parts = text.split_once(':');
    let (kind, id) =
        parts.ok_or_else(|| ErrorAnswer::invalid(format!("Invalid reference {text}")))?;
    Attachment::new(kind, input::id(id)?)
}

/// Answers `…/summary`: open tasks by due date, of a place or of the caller.
pub(super) fn summary(
    world: &World,
    caller: &Caller,
    request: &ApiRequest,
    rest: &[&str],
) -> Result<ApiAnswer, ErrorAnswer> {
    input::refuse_unknown(request, &["limit"])?;
    let limit = input::query_number(request, "limit")?.unwrap_or(4);
    let own = match caller.identity {
        TokenIdentity::User(user_id) => Some(user_id),
        TokenIdentity::App(_) => None,
    };
    let place = match rest {
        ["summary"] | ["personal", "summary"] => None,
        [kind, id, "summary"] => Some((*kind, input::id(id)?)),
        ["reference", kind, id, "summary"] => {
            let on = Attachment::new(kind, input::id(id)?)?;
            access::reach(world, caller, on)?;
            Some(on.to_pair())
        }
        _ => return Err(ErrorAnswer::no_route()),
    };
    let is_in = |task: &&StoredTask| match place {
        None => Some(task.responsible.id) == own,
        Some(("space", id)) => task.on.and_then(|on| world.space_of(on)) == Some(id),
        Some(("app", id)) => task.on.and_then(|on| world.app_of(on)) == Some(id),
        Some(("org", id)) => id == ORG,
        Some(place) => task.on.map(Attachment::to_pair) == Some(place),
    };
    let open = world.tasks.values().filter(|task| task.completed.is_none());
    let open: Vec<_> = open.filter(is_in).collect();
    let today = TimeZone::UTC.to_datetime(world.now).date().to_string();
    let group = |suits: &dyn Fn(Option<&str>) -> bool| {
        let tasks = open.iter().filter(|task| suits(task.due_date.as_deref()));
        let tasks: Vec<_> = tasks.map(|task| world.show_task(task)).collect();
        let total = tasks.len();
        let first: Vec<_> = tasks.into_iter().take(limit).collect();
        json!({ "total": total, "tasks": first })
    };
    // Dates in this form sort correctly as texts.
    Ok(ApiAnswer::json(json!({
        "overdue": group(&|day| day.is_some_and(|day| day < today.as_str())),
        "due_today": group(&|day| day == Some(today.as_str())),
        "other": group(&|day| day.is_none_or(|day| day > today.as_str())),
    })))
}

pub(super) fn totals(world: &World, caller: &Caller) -> Value {
    let TokenIdentity::User(user_id) = caller.identity else {
        return Value::Null;
    };
    let open = || world.tasks.values().filter(|task| task.completed.is_none());
    let own = open().filter(|task| task.responsible.id == user_id).count();
    let delegated =
        open().filter(|task| task.author.by.id == user_id && task.responsible.id != user_id);
    json!({
        "own": { "total": own },
        "delegated": { "total": delegated.count() },
    })
}

/// Returns the labels in use. Podio assigns ids to labels; here, the text is the id.
pub(super) fn labels(world: &World) -> Value {
    let mut texts: Vec<_> = world.tasks.values().flat_map(|task| &task.labels).collect();
    texts.sort_unstable();
    texts.dedup();
    let labels = texts.iter().zip(1_u64..);
    labels
        .map(|(text, id)| json!({ "label_id": id, "text": text, "color": "E9E9E9" }))
        .collect()
}
