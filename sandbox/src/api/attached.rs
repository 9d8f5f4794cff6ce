//! Comments, tasks and files.

use http::Method;
use serde_json::{Value, json};

use super::access::Caller;
use super::input;
use crate::answer::{Answer, Refused, Request};
use crate::world::{Attachment, World, show_comment, show_file, show_task};

pub(super) fn route_comment(
    world: &mut World,
    caller: &Caller,
    request: &Request,
    rest: &[&str],
) -> Result<Answer, Refused> {
    let switches = input::switches(request);
    match (&request.method, rest) {
        (&Method::GET, [comment_id]) => {
            let comment = world.comments.get(&input::id(comment_id)?);
            let comment = comment.ok_or_else(Refused::not_found)?;
            reach(world, caller, comment.on)?;
            Ok(Answer::json(show_comment(comment)))
        }
        (&Method::GET, [kind, id]) => {
            let on = attachment(kind, id)?;
            reach(world, caller, on)?;
            let comments = world.comments.values().filter(|comment| comment.on == on);
            Ok(Answer::json(comments.map(show_comment).collect()))
        }
        (&Method::POST, [kind, id]) => {
            let on = attachment(kind, id)?;
            reach(world, caller, on)?;
            let value = input::text(&request.json()?, "value")?.to_owned();
            let comment_id = world.comment(on, value, &caller.author, switches)?;
            Ok(Answer::json(json!({ "comment_id": comment_id })))
        }
        (&Method::DELETE, [comment_id]) => {
            let comment_id = input::id(comment_id)?;
            let comment = world.comments.get(&comment_id);
            reach(world, caller, comment.ok_or_else(Refused::not_found)?.on)?;
            world.delete_comment(comment_id, switches)?;
            Ok(Answer::empty())
        }
        _ => Err(Refused::no_route()),
    }
}

/// Tasks are for people: Podio's reference gives apps none of these operations.
pub(super) fn route_task(
    world: &mut World,
    caller: &Caller,
    request: &Request,
    rest: &[&str],
) -> Result<Answer, Refused> {
    caller.must_be_user()?;
    let switches = input::switches(request);
    match (&request.method, rest) {
        (&Method::POST, []) => create_task(world, caller, request, None),
        (&Method::POST, [task_id, action @ ("complete" | "incomplete")]) => {
            let completed = *action == "complete";
            world.update_task(input::id(task_id)?, switches, |task| {
                task.completed = completed;
            })?;
            Ok(Answer::empty())
        }
        (&Method::POST, [kind, id]) => {
            let on = attachment(kind, id)?;
            create_task(world, caller, request, Some(on))
        }
        (&Method::GET, [task_id]) => {
            let task = world.tasks.get(&input::id(task_id)?);
            Ok(Answer::json(show_task(
                task.ok_or_else(Refused::not_found)?,
            )))
        }
        (&Method::PUT, [task_id]) => {
            let body = request.json()?;
            let text = input::optional_text(&body, "text")?;
            let due_date = input::optional_text(&body, "due_date")?;
            world.update_task(input::id(task_id)?, switches, |task| {
                if let Some(text) = text {
                    task.text = text;
                }
                if due_date.is_some() {
                    task.due_date = due_date;
                }
            })?;
            Ok(Answer::empty())
        }
        (&Method::DELETE, [task_id]) => {
            world.delete_task(input::id(task_id)?, switches)?;
            Ok(Answer::empty())
        }
        _ => Err(Refused::no_route()),
    }
}

pub(super) fn route_file(
    world: &mut World,
    caller: &Caller,
    request: &Request,
    rest: &[&str],
) -> Result<Answer, Refused> {
    let switches = input::switches(request);
    match (&request.method, rest) {
        (&Method::POST, []) => {
            let body = &request.body;
            let name = upload_name(body).unwrap_or_else(|| "upload.bin".to_owned());
            let mimetype = "application/octet-stream".to_owned();
            let file_id = world.upload(name, mimetype, body.len(), &caller.author);
            let file = world.files.get(&file_id).ok_or_else(Refused::not_found)?;
            Ok(Answer::json(show_file(file)))
        }
        (&Method::GET, [file_id]) => {
            let file = world.files.get(&input::id(file_id)?);
            let file = file.ok_or_else(Refused::not_found)?;
            file.on.map_or(Ok(()), |on| reach(world, caller, on))?;
            Ok(Answer::json(show_file(file)))
        }
        (&Method::POST, [file_id, "attach"]) => {
            let body = request.json()?;
            let id = input::number(&body, "ref_id")?.to_string();
            let on = attachment(input::text(&body, "ref_type")?, &id)?;
            reach(world, caller, on)?;
            world.attach(input::id(file_id)?, on, switches)?;
            Ok(Answer::empty())
        }
        (&Method::POST, [file_id, "replace"]) => {
            let old = input::number(&request.json()?, "old_file_id")?;
            world.replace_file(old, input::id(file_id)?, switches)?;
            Ok(Answer::empty())
        }
        (&Method::DELETE, [file_id]) => {
            world.delete_file(input::id(file_id)?, switches)?;
            Ok(Answer::empty())
        }
        _ => Err(Refused::no_route()),
    }
}

fn create_task(
    world: &mut World,
    caller: &Caller,
    request: &Request,
    on: Option<Attachment>,
) -> Result<Answer, Refused> {
    let body = request.json()?;
    let on = match (on, input::optional_text(&body, "ref_type")?) {
        (None, Some(kind)) => {
            let id = input::number(&body, "ref_id")?.to_string();
            Some(attachment(&kind, &id)?)
        }
        (on, _) => on,
    };
    let text = input::text(&body, "text")?.to_owned();
    let due_date = input::optional_text(&body, "due_date")?;
    let switches = input::switches(request);
    let task_id = world.create_task(on, text, due_date, &caller.author, switches)?;
    let task = world.tasks.get(&task_id).ok_or_else(Refused::not_found)?;
    Ok(Answer::json(show_task(task)))
}

fn attachment(kind: &str, id: &str) -> Result<Attachment, Refused> {
    let id = input::id(id)?;
    match kind {
        "item" => Ok(Attachment::Item(id)),
        "task" => Ok(Attachment::Task(id)),
        "space" => Ok(Attachment::Space(id)),
        _ => Err(Refused::invalid(format!("Invalid reference {kind}"))),
    }
}

fn reach(world: &World, caller: &Caller, on: Attachment) -> Result<(), Refused> {
    match on {
        Attachment::Item(item_id) => caller.item(world, item_id).map(drop),
        Attachment::Task(_) | Attachment::Space(_) => caller.must_be_user(),
    }
}

/// The `filename` of a multipart upload, or of a JSON body; the bytes themselves are not kept.
fn upload_name(body: &[u8]) -> Option<String> {
    if let Ok(body) = serde_json::from_slice::<Value>(body) {
        return Some(body.get("filename")?.as_str()?.to_owned());
    }
    let head = String::from_utf8_lossy(body.get(..body.len().min(2_048))?).into_owned();
    let (_, rest) = head.split_once("filename=\"")?;
    let (name, _) = rest.split_once('"')?;
    Some(name.to_owned())
}
