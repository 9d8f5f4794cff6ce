//! Implements the calendar: items by their date fields, and tasks by their due day.

use http::Method;
use jiff::civil::{DateTime, Time};
use jiff::tz::TimeZone;
use serde_json::{Value, json};

use super::access::Caller;
use super::filter::Period;
use super::input;
use crate::answer::{ApiAnswer, ApiRequest, ErrorAnswer};
use crate::world::{Attachment, World, moment, show_app_ref};

/// One entry of the calendar, with its start, its end and its answer.
struct CalendarEntry {
    on: Attachment,
    /// Object that determines its app and space.
    place: Option<Attachment>,
    start: DateTime,
    end: DateTime,
    shown: Value,
}

pub(super) fn route(
    world: &World,
    caller: &Caller,
    request: &ApiRequest,
    rest: &[&str],
) -> Result<ApiAnswer, ErrorAnswer> {
    if request.method != Method::GET {
        return Err(ErrorAnswer::no_route());
    }
    match rest {
        ["app", app_id] => {
            let app_id = caller.app(world, input::id(app_id)?)?.id;
            list(world, request, |on| {
                on.and_then(|on| world.app_of(on)) == Some(app_id)
            })
        }
        [] => {
            caller.must_be_user()?;
            list(world, request, |_| true)
        }
        ["space", space_id] => {
            caller.must_be_user()?;
            let space_id = input::id(space_id)?;
            list(world, request, |on| {
                on.and_then(|on| world.space_of(on)) == Some(space_id)
            })
        }
        ["summary"] => {
            caller.must_be_user()?;
            input::refuse_unknown(request, &["limit"])?;
            let limit = input::query_number(request, "limit")?.unwrap_or(5);
            let span = |from: &str, to: &str| summary(world, limit, from, to);
            Ok(ApiAnswer::json(json!({
                "today": span("0d", "0d")?,
                "upcoming": span("1d", "6d")?,
            })))
        }
        _ => Err(ErrorAnswer::no_route()),
    }
}

fn list(
    world: &World,
    request: &ApiRequest,
    suits: impl Fn(Option<Attachment>) -> bool,
) -> Result<ApiAnswer, ErrorAnswer> {
    input::refuse_unknown(request, &["date_from", "date_to", "types", "tasks"])?;
    let date = |name: &str| {
        let missing = || ErrorAnswer::invalid(format!("Missing parameter {name}"));
        request.query(name).ok_or_else(missing)
    };
    let span = period(world, date("date_from")?, date("date_to")?)?;
    let types = request.query("types");
    let with_tasks = !matches!(request.query("tasks"), Some("false" | "0"));
    let wanted = |entry: &CalendarEntry| {
        let kind = entry.on.to_pair().0;
        let is_listed = types.is_none_or(|types| types.split([',', ';']).any(|t| t == kind));
        suits(entry.place) && is_listed && (with_tasks || kind != "task")
    };
    let found = entries(world, span).into_iter().filter(wanted);
    Ok(ApiAnswer::json(found.map(|entry| entry.shown).collect()))
}

fn summary(world: &World, limit: usize, from: &str, to: &str) -> Result<Value, ErrorAnswer> {
    let found = entries(world, period(world, from, to)?);
    let total = found.len();
    let first: Vec<_> = found.into_iter().take(limit).map(|e| e.shown).collect();
    Ok(json!({ "total": total, "events": first }))
}

fn period(world: &World, from: &str, to: &str) -> Result<Period, ErrorAnswer> {
    let today = TimeZone::UTC.to_datetime(world.now).date();
    Period::read("date", &json!({ "from": from, "to": to }), today)
}

/// Returns the entries within a period, in the order of the calendar.
fn entries(world: &World, span: Period) -> Vec<CalendarEntry> {
    let mut entries: Vec<_> = items(world).chain(tasks(world)).collect();
    entries.retain(|entry| span.meets(entry.start, entry.end));
    entries.sort_by_key(|entry| entry.start);
    entries
}

fn items(world: &World) -> impl Iterator<Item = CalendarEntry> {
    let dated = world.items.values().flat_map(|item| {
        let app = world.apps.get(&item.app_id);
        let fields = app.into_iter().flat_map(|app| &app.fields);
        let fields = fields.filter(|field| field.kind == "date");
        let values = fields.filter_map(|field| item.values.get(&field.id));
        values.flatten().map(move |value| (item, value))
    });
    dated.filter_map(|(item, value)| {
        let app = world.apps.get(&item.app_id)?;
        let on = Attachment::Item(item.id);
        let title = item.title(app);
        entry(on, &title, value, &json!(app.item_name), &show_app_ref(app))
    })
}

fn tasks(world: &World) -> impl Iterator<Item = CalendarEntry> {
    world.tasks.values().filter_map(|task| {
        let day = task.due_date.as_ref()?;
        let whole = match &task.due_time {
            Some(time) => format!("{day} {time}"),
            None => format!("{day} 00:00:00"),
        };
        let value = json!({ "start": whole, "start_date": day, "start_time": task.due_time });
        let on = Attachment::Task(task.id);
        let entry = entry(on, &task.text, &value, &Value::Null, &Value::Null)?;
        Some(CalendarEntry {
            place: task.on,
            ..entry
        })
    })
}

/// Returns an entry, or `None` if the date cannot be read.
fn entry(
    on: Attachment,
    title: &str,
    date: &Value,
    group: &Value,
    app: &Value,
) -> Option<CalendarEntry> {
    let at = |name: &str| moment(date.get(name)?.as_str()?).ok();
    let start = at("start")?;
    let has_time = date.get("start_time").is_some_and(Value::is_string);
    let last = Time::constant(23, 59, 59, 0);
    let end = at("end").unwrap_or(start);
    let end = if has_time {
        end
    } else {
        end.date().to_datetime(last)
    };
    let (kind, id) = on.to_pair();
    let part = |name: &str| date.get(name).cloned().unwrap_or_default();
    Some(CalendarEntry {
        on,
        place: Some(on),
        start,
        end,
        shown: json!({
            "type": kind,
            "id": id,
            "ref_type": kind,
            "ref_id": id,
            "group": group,
            "title": title,
            "start": part("start"),
            "start_date": part("start_date"),
            "start_time": part("start_time"),
            "end": part("end"),
            "end_date": part("end_date"),
            "end_time": part("end_time"),
            "link": format!("https://podio.com/sandbox/{kind}/{id}"),
            "app": app,
        }),
    })
}
