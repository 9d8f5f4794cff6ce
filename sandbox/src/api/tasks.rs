//! Implements tasks. They are for users only: Podio's reference allows apps none of these
//! operations.

use http::Method;
use podtap_podio::client::ByLine;
use serde_json::{Value, json};

use super::access::Caller;
use super::people::profile_id;
use super::{input, task_lists};
use crate::answer::{ApiAnswer, ApiRequest, ErrorAnswer};
use crate::world::{Attachment, NewTask, StoredTask, World};

pub(super) fn route(
    world: &mut World,
    caller: &Caller,
    request: &ApiRequest,
    rest: &[&str],
) -> Result<ApiAnswer, ErrorAnswer> {
    caller.must_be_user()?;
    match (&request.method, rest) {
        (&Method::GET, []) => task_lists::list(world, request, |_| true),
        (&Method::GET, ["total"]) => Ok(ApiAnswer::json(task_lists::totals(world, caller))),
        (&Method::GET, ["label"]) => Ok(ApiAnswer::json(task_lists::labels(world))),
        (
            &Method::GET,
            ["summary"]
            | [
                "personal" | "org" | "space" | "app" | "reference",
                ..,
                "summary",
            ],
        ) => task_lists::summary(world, caller, request, rest),
        (&Method::GET, [task_id]) => {
            let task = world.tasks.get(&input::id(task_id)?);
            Ok(ApiAnswer::json(
                world.show_task(task.ok_or_else(ErrorAnswer::not_found)?),
            ))
        }
        (&Method::GET, [kind, id]) => {
            let on = Attachment::new(kind, input::id(id)?)?;
            task_lists::list(world, request, |task| task.on == Some(on))
        }
        (&Method::GET, [kind, id, "count"]) => {
            let on = Attachment::new(kind, input::id(id)?)?;
            let count = world
                .tasks
                .values()
                .filter(|task| task.on == Some(on))
                .count();
            Ok(ApiAnswer::json(json!({ "count": count })))
        }
        (&Method::POST, []) => create(world, caller, request, None),
        (&Method::DELETE, [task_id, "ref"]) => {
            world.refer_task(input::id(task_id)?, None, input::switches(request))?;
            Ok(ApiAnswer::empty())
        }
        (&Method::PUT, [task_id, "ref" | "reference"]) => {
            let body = request.json()?;
            let kind = input::text(&body, "ref_type")?;
            let on = Attachment::new(kind, input::number(&body, "ref_id")?)?;
            world.refer_task(input::id(task_id)?, Some(on), input::switches(request))?;
            Ok(ApiAnswer::empty())
        }
        (&Method::DELETE, [task_id]) => {
            world.delete_task(input::id(task_id)?, input::switches(request))?;
            Ok(ApiAnswer::empty())
        }
        (&Method::PUT, [task_id, rest @ ..]) => {
            let task_id = input::id(task_id)?;
            let change = change(world, &request.json()?, rest)?;
            world.update_task(task_id, input::switches(request), change)?;
            let task = world
                .tasks
                .get(&task_id)
                .ok_or_else(ErrorAnswer::not_found)?;
            Ok(ApiAnswer::json(world.show_task(task)))
        }
        (&Method::POST, [task_id, action]) if task_id.parse::<u64>().is_ok() => {
            act(world, caller, request, input::id(task_id)?, action)
        }
        (&Method::POST, [kind, id]) => {
            let on = Attachment::new(kind, input::id(id)?)?;
            create(world, caller, request, Some(on))
        }
        _ => Err(ErrorAnswer::no_route()),
    }
}

fn act(
    world: &mut World,
    caller: &Caller,
    request: &ApiRequest,
    task_id: u64,
    action: &str,
) -> Result<ApiAnswer, ErrorAnswer> {
    let switches = input::switches(request);
    match action {
        "complete" => {
            let done = (world.now, caller.author.by.clone());
            world.update_task(task_id, switches, |task| task.completed = Some(done))?;
        }
        "incomplete" => world.update_task(task_id, switches, |task| task.completed = None)?,
        "assign" => {
            let to = responsible(world, &request.json()?)?;
            let to = to.ok_or_else(|| ErrorAnswer::invalid("Missing parameter responsible"))?;
            world.update_task(task_id, switches, |task| task.responsible = to)?;
        }
        // The sandbox does not store the order of a person's tasks, and no hook fires.
        "rank" => {
            world
                .tasks
                .get(&task_id)
                .ok_or_else(ErrorAnswer::not_found)?;
        }
        _ => return Err(ErrorAnswer::no_route()),
    }
    Ok(ApiAnswer::empty())
}

/// Returns what a PUT changes: the members of its body, or the single member that its path names.
fn change(
    world: &World,
    body: &Value,
    rest: &[&str],
) -> Result<impl FnOnce(&mut StoredTask) + use<>, ErrorAnswer> {
    let members = [
        "text",
        "description",
        "due_date",
        "due_time",
        "due_on",
        "private",
    ];
    let labels = match rest {
        [] => body.get("labels").map(input::texts).transpose()?,
        ["label"] => Some(input::texts(body)?),
        [member] if members.contains(member) => None,
        _ => return Err(ErrorAnswer::no_route()),
    };
    let body = if body.is_object() { body } else { &Value::Null };
    let text = input::optional_text(body, "text")?;
    let description = input::optional_text(body, "description")?;
    let due = parse_due(body)?;
    let private = body.get("private").and_then(Value::as_bool);
    let responsible = responsible(world, body)?;
    Ok(move |task: &mut StoredTask| {
        task.text = text.unwrap_or_else(|| task.text.clone());
        task.description = description.unwrap_or_else(|| task.description.clone());
        task.private = private.unwrap_or(task.private);
        if let Some((date, time)) = due {
            (task.due_date, task.due_time) = (date, time);
        }
        if let Some(responsible) = responsible {
            task.responsible = responsible;
        }
        if let Some(labels) = labels {
            task.labels = labels;
        }
    })
}

fn create(
    world: &mut World,
    caller: &Caller,
    request: &ApiRequest,
    on: Option<Attachment>,
) -> Result<ApiAnswer, ErrorAnswer> {
    let body = request.json()?;
    let on = match (on, input::optional_text(&body, "ref_type")?) {
        (None, Some(kind)) => Some(Attachment::new(&kind, input::number(&body, "ref_id")?)?),
        (on, _) => on,
    };
    let (due_date, due_time) = parse_due(&body)?.unwrap_or_default();
    let mut people = all_responsible(world, &body)?;
    // Podio creates one task for each person (podio.md 5.4); without a person, the task
    // belongs to its author.
    let alone = people.len() < 2;
    if people.is_empty() {
        people.push(None);
    }
    let new = NewTask {
        text: input::text(&body, "text")?.to_owned(),
        description: input::optional_text(&body, "description")?.unwrap_or_default(),
        private: body
            .get("private")
            .and_then(Value::as_bool)
            .unwrap_or(false),
        due_date,
        due_time,
        responsible: None,
        file_ids: input::ids(&body, "file_ids")?,
        labels: body
            .get("labels")
            .map(input::texts)
            .transpose()?
            .unwrap_or_default(),
        on,
    };
    let mut shown = Vec::new();
    for responsible in people {
        let new = NewTask {
            responsible,
            ..new.clone()
        };
        let task_id = world.create_task(new, &caller.author, input::switches(request))?;
        let task = world
            .tasks
            .get(&task_id)
            .ok_or_else(ErrorAnswer::not_found)?;
        shown.push(world.show_task(task));
    }
    Ok(ApiAnswer::json(match shown.pop() {
        Some(only) if alone => only,
        last => {
            shown.extend(last);
            shown.into()
        }
    }))
}

type Due = (Option<String>, Option<String>);

/// Reads day and time from `due_on`, or from its parts. Returns `None` if the body has neither.
fn parse_due(body: &Value) -> Result<Option<Due>, ErrorAnswer> {
    if let Some(due_on) = input::optional_text(body, "due_on")? {
        let moment = crate::world::moment(&due_on)?;
        let time = due_on.contains([' ', 'T']);
        let time = time.then(|| moment.time().strftime("%H:%M:%S").to_string());
        return Ok(Some((Some(moment.date().to_string()), time)));
    }
    let named = ["due_on", "due_date", "due_time"];
    if named.iter().all(|name| body.get(*name).is_none()) {
        return Ok(None);
    }
    let date = input::optional_text(body, "due_date")?;
    date.as_deref().map(crate::world::moment).transpose()?;
    Ok(Some((date, input::optional_text(body, "due_time")?)))
}

/// Returns the single person that a change names.
fn responsible(world: &World, body: &Value) -> Result<Option<ByLine>, ErrorAnswer> {
    match all_responsible(world, body)?.as_slice() {
        [] => Ok(None),
        [one] => Ok(one.clone()),
        _ => Err(ErrorAnswer::invalid("A task has one responsible person")),
    }
}

/// Returns the people in `responsible`: a user's id, a reference, or a list of these.
fn all_responsible(world: &World, body: &Value) -> Result<Vec<Option<ByLine>>, ErrorAnswer> {
    let named = match body.get("responsible") {
        None | Some(Value::Null) => return Ok(Vec::new()),
        Some(Value::Array(many)) => many.as_slice(),
        Some(one) => std::slice::from_ref(one),
    };
    let people = named.iter().map(|given| person(world, given).map(Some));
    people.collect()
}

fn person(world: &World, given: &Value) -> Result<ByLine, ErrorAnswer> {
    let kind = given.get("type").and_then(Value::as_str).unwrap_or("user");
    let id = given.get("id").unwrap_or(given);
    let user = match kind {
        "user" | "profile" => {
            let id = id
                .as_u64()
                .ok_or_else(|| ErrorAnswer::wrong_type(given, "integer"))?;
            let users = world.people.users();
            let mut users = users.iter();
            users.find(|user| match kind {
                "user" => user.user_id == id,
                _ => profile_id(user) == id,
            })
        }
        "mail" => {
            let users = world.people.users();
            users
                .iter()
                .find(|user| Some(user.mail.as_str()) == id.as_str())
        }
        other => {
            let what = format!("a responsible person by `{other}`");
            return Err(ErrorAnswer::not_here(&what));
        }
    };
    let user = user.ok_or_else(ErrorAnswer::not_found)?;
    Ok(ByLine {
        kind: "user".to_owned(),
        id: user.user_id,
        name: user.name.clone(),
    })
}
