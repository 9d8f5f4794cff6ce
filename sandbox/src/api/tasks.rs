//! Tasks, which are for people: Podio's reference gives apps none of these operations.

use http::Method;
use podtap_podio::client::ByLine;
use serde_json::{Value, json};

use super::access::Caller;
use super::input;
use crate::answer::{Answer, Refused, Request};
use crate::world::{Attachment, Identity, NewTask, Task, World, show_task};

pub(super) fn route(
    world: &mut World,
    caller: &Caller,
    request: &Request,
    rest: &[&str],
) -> Result<Answer, Refused> {
    caller.must_be_user()?;
    match (&request.method, rest) {
        (&Method::GET, []) => list(world, request, |_| true),
        (&Method::GET, ["total"]) => Ok(Answer::json(totals(world, caller))),
        (&Method::GET, ["label"]) => Ok(Answer::json(labels(world))),
        (&Method::GET, [task_id]) => {
            let task = world.tasks.get(&input::id(task_id)?);
            Ok(Answer::json(show_task(
                task.ok_or_else(Refused::not_found)?,
            )))
        }
        (&Method::GET, [kind, id]) => {
            let on = Attachment::new(kind, input::id(id)?)?;
            list(world, request, |task| task.on == Some(on))
        }
        (&Method::GET, [kind, id, "count"]) => {
            let on = Attachment::new(kind, input::id(id)?)?;
            let count = world
                .tasks
                .values()
                .filter(|task| task.on == Some(on))
                .count();
            Ok(Answer::json(json!({ "count": count })))
        }
        (&Method::POST, []) => create(world, caller, request, None),
        (&Method::DELETE, [task_id]) => {
            world.delete_task(input::id(task_id)?, input::switches(request))?;
            Ok(Answer::empty())
        }
        (&Method::PUT, [task_id, rest @ ..]) => {
            let task_id = input::id(task_id)?;
            let change = change(world, &request.json()?, rest)?;
            world.update_task(task_id, input::switches(request), change)?;
            let task = world.tasks.get(&task_id).ok_or_else(Refused::not_found)?;
            Ok(Answer::json(show_task(task)))
        }
        (&Method::POST, [task_id, action]) if task_id.parse::<u64>().is_ok() => {
            act(world, caller, request, input::id(task_id)?, action)
        }
        (&Method::POST, [kind, id]) => {
            let on = Attachment::new(kind, input::id(id)?)?;
            create(world, caller, request, Some(on))
        }
        _ => Err(Refused::no_route()),
    }
}

fn act(
    world: &mut World,
    caller: &Caller,
    request: &Request,
    task_id: u64,
    action: &str,
) -> Result<Answer, Refused> {
    let switches = input::switches(request);
    match action {
        "complete" => {
            let done = (world.now, caller.author.by.clone());
            world.update_task(task_id, switches, |task| task.completed = Some(done))?;
        }
        "incomplete" => world.update_task(task_id, switches, |task| task.completed = None)?,
        "assign" => {
            let to = responsible(world, &request.json()?)?;
            let to = to.ok_or_else(|| Refused::invalid("Missing parameter responsible"))?;
            world.update_task(task_id, switches, |task| task.responsible = to)?;
        }
        _ => return Err(Refused::no_route()),
    }
    Ok(Answer::empty())
}

/// What a PUT changes: what its body names, or the one member that its path does.
fn change(
    world: &World,
    body: &Value,
    rest: &[&str],
) -> Result<impl FnOnce(&mut Task) + use<>, Refused> {
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
        _ => return Err(Refused::no_route()),
    };
    let body = if body.is_object() { body } else { &Value::Null };
    let text = input::optional_text(body, "text")?;
    let description = input::optional_text(body, "description")?;
    let due = due(body)?;
    let private = body.get("private").and_then(Value::as_bool);
    let responsible = responsible(world, body)?;
    Ok(move |task: &mut Task| {
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
    request: &Request,
    on: Option<Attachment>,
) -> Result<Answer, Refused> {
    let body = request.json()?;
    let on = match (on, input::optional_text(&body, "ref_type")?) {
        (None, Some(kind)) => Some(Attachment::new(&kind, input::number(&body, "ref_id")?)?),
        (on, _) => on,
    };
    let (due_date, due_time) = due(&body)?.unwrap_or_default();
    let new = NewTask {
        text: input::text(&body, "text")?.to_owned(),
        description: input::optional_text(&body, "description")?.unwrap_or_default(),
        private: body
            .get("private")
            .and_then(Value::as_bool)
            .unwrap_or(false),
        due_date,
        due_time,
        responsible: responsible(world, &body)?,
        labels: body
            .get("labels")
            .map(input::texts)
            .transpose()?
            .unwrap_or_default(),
        on,
    };
    let task_id = world.create_task(new, &caller.author, input::switches(request))?;
    let task = world.tasks.get(&task_id).ok_or_else(Refused::not_found)?;
    Ok(Answer::json(show_task(task)))
}

type Due = (Option<String>, Option<String>);

/// Day and time of `due_on`, or of its parts; `None` where the body does not speak of them.
fn due(body: &Value) -> Result<Option<Due>, Refused> {
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

/// A user by id, as an id alone or as a reference; Podio takes a list too and makes a task each.
fn responsible(world: &World, body: &Value) -> Result<Option<ByLine>, Refused> {
    let given = match body.get("responsible") {
        None | Some(Value::Null) => return Ok(None),
        Some(Value::Array(many)) if many.len() != 1 => {
            return Err(Refused::not_here("a task for several people"));
        }
        Some(Value::Array(one)) => one.first().unwrap_or(&Value::Null),
        Some(one) => one,
    };
    let id = given.as_u64().or_else(|| given.get("id")?.as_u64());
    let id = id.ok_or_else(|| Refused::wrong_type(given, "integer"))?;
    let user = world.people.user(id).ok_or_else(Refused::not_found)?;
    Ok(Some(ByLine {
        kind: "user".to_owned(),
        id,
        name: user.name.clone(),
    }))
}

/// Tasks, narrowed by what the query says.
fn list(
    world: &World,
    request: &Request,
    suits: impl Fn(&Task) -> bool,
) -> Result<Answer, Refused> {
    let known = [
        "limit",
        "offset",
        "completed",
        "responsible",
        "created_by",
        "space",
        "app",
    ];
    input::only(request, &known)?;
    let number = |name| input::query_number(request, name);
    let (responsible, space, app) = (number("responsible")?, number("space")?, number("app")?);
    let is = |wanted: Option<usize>, id: Option<u64>| {
        wanted.is_none_or(|wanted| id == u64::try_from(wanted).ok())
    };
    let author = request
        .query("created_by")
        .map(|by| by.trim_start_matches("user:"));
    let completed = match request.query("completed") {
        None => None,
        Some("true" | "1") => Some(true),
        Some("false" | "0") => Some(false),
        Some(other) => {
            return Err(Refused::invalid(format!(
                "Invalid value '{other}' (string): must be boolean"
            )));
        }
    };
    let tasks = world.tasks.values().filter(|task| {
        let app_of = task.on.and_then(|on| world.app_of(on));
        suits(task)
            && is(responsible, Some(task.responsible.id))
            && is(space, task.on.and_then(|on| world.space_of(on)))
            && is(app, app_of)
            && author.is_none_or(|author| author == task.author.by.id.to_string())
            && completed.is_none_or(|completed| completed == task.completed.is_some())
    });
    input::page(request, tasks.map(show_task))
}

fn totals(world: &World, caller: &Caller) -> Value {
    let Identity::User(user_id) = caller.identity else {
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

/// The labels in use. Podio numbers them; here a label is its text.
fn labels(world: &World) -> Value {
    let mut texts: Vec<_> = world.tasks.values().flat_map(|task| &task.labels).collect();
    texts.sort_unstable();
    texts.dedup();
    let labels = texts.iter().zip(1_u64..);
    labels
        .map(|(text, id)| json!({ "label_id": id, "text": text, "color": "E9E9E9" }))
        .collect()
}
