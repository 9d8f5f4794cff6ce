//! Implements the operations on comments.

use http::Method;
use serde_json::json;

use super::access::{Caller, reach};
use super::input;
use crate::answer::{ApiAnswer, ApiRequest, ErrorAnswer};
use crate::world::{Attachment, NewComment, World};

pub(super) fn route(
    world: &mut World,
    caller: &Caller,
    request: &ApiRequest,
    rest: &[&str],
) -> Result<ApiAnswer, ErrorAnswer> {
    let switches = input::switches(request);
    match (&request.method, rest) {
        (method, [comment_id]) => {
            let comment_id = input::id(comment_id)?;
            let comment = world.comments.get(&comment_id);
            let comment = comment.ok_or_else(ErrorAnswer::not_found)?;
            reach(world, caller, comment.on)?;
            match *method {
                Method::GET => return Ok(ApiAnswer::json(world.show_comment(comment))),
                Method::PUT => {
                    let value = input::text(&request.json()?, "value")?.to_owned();
                    world.change_comment(comment_id, value)?;
                }
                Method::DELETE => {
                    world.delete_comment(comment_id, switches)?;
                    return Ok(ApiAnswer::empty());
                }
                _ => return Err(ErrorAnswer::no_route()),
            }
            let comment = world.comments.get(&comment_id);
            Ok(ApiAnswer::json(
                world.show_comment(comment.ok_or_else(ErrorAnswer::not_found)?),
            ))
        }
        (&Method::GET, [kind, id]) => {
            let on = Attachment::new(kind, input::id(id)?)?;
            reach(world, caller, on)?;
            input::refuse_unknown(request, &["limit", "offset"])?;
            let comments = world.comments.values().filter(|comment| comment.on == on);
            input::page(request, comments.map(|it| world.show_comment(it)))
        }
        (&Method::POST, [kind, id]) => {
            let on = Attachment::new(kind, input::id(id)?)?;
            reach(world, caller, on)?;
            let body = request.json()?;
            let new = NewComment {
                value: input::text(&body, "value")?.to_owned(),
                external_id: input::optional_text(&body, "external_id")?,
                file_ids: input::ids(&body, "file_ids")?,
            };
            let comment_id = world.comment(on, new, &caller.author, switches)?;
            Ok(ApiAnswer::json(json!({ "comment_id": comment_id })))
        }
        _ => Err(ErrorAnswer::no_route()),
    }
}
