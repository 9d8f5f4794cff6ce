//! Implements views of an app's items: saved ones, and the one that was used last.

use http::Method;
use serde_json::{Value, json};

use super::access::Caller;
use super::{filter, input, list};
use crate::answer::{ApiAnswer, ApiRequest, ErrorAnswer};
use crate::world::{NewView, View, ViewKind, World};

pub(super) fn route(
    world: &mut World,
    caller: &Caller,
    request: &ApiRequest,
    rest: &[&str],
) -> Result<ApiAnswer, ErrorAnswer> {
    match (&request.method, rest) {
        (_, ["app", app_id, rest @ ..]) => {
            let app_id = caller.app(world, input::id(app_id)?)?.id;
            in_app(world, caller, request, app_id, rest)
        }
        (method, [view_id, rest @ ..]) => {
            let view_id = input::id(view_id)?;
            let view = world
                .views
                .get(&view_id)
                .ok_or_else(ErrorAnswer::not_found)?;
            let app_id = view.app_id;
            caller.app(world, app_id)?;
            match (method, rest) {
                (&Method::GET, []) => {
                    let view = world
                        .views
                        .get(&view_id)
                        .ok_or_else(ErrorAnswer::not_found)?;
                    Ok(ApiAnswer::json(show(world, view)?))
                }
                (&Method::PUT, []) => {
                    let change = read(world, app_id, &request.json()?)?;
                    let view = world.views.get_mut(&view_id);
                    view.ok_or_else(ErrorAnswer::not_found)?.change(change);
                    Ok(ApiAnswer::empty())
                }
                (&Method::DELETE, []) => {
                    world.views.remove(&view_id);
                    Ok(ApiAnswer::empty())
                }
                (&Method::POST, ["default"]) => {
                    world.make_default(view_id)?;
                    Ok(ApiAnswer::empty())
                }
                _ => Err(ErrorAnswer::no_route()),
            }
        }
        _ => Err(ErrorAnswer::no_route()),
    }
}

fn in_app(
    world: &mut World,
    caller: &Caller,
    request: &ApiRequest,
    app_id: u64,
    rest: &[&str],
) -> Result<ApiAnswer, ErrorAnswer> {
    match (&request.method, rest) {
        (&Method::GET, []) => {
            input::refuse_unknown(request, &["limit", "offset"])?;
            let views = world.views.values();
            let views = views.filter(|view| {
                view.app_id == app_id && view.kind == ViewKind::Saved && view.is_for(&caller.author)
            });
            let views = views
                .map(|view| show(world, view))
                .collect::<Result<Vec<_>, _>>()?;
            input::page(request, views.into_iter())
        }
        (&Method::POST, []) => {
            let body = request.json()?;
            input::text(&body, "name")?;
            let new = read(world, app_id, &body)?;
            let view_id = world.create_view(app_id, new, &caller.author);
            Ok(ApiAnswer::json(json!({ "view_id": view_id })))
        }
        (&Method::PUT, ["last"]) => {
            let new = read(world, app_id, &request.json()?)?;
            world.remember_view(app_id, new, &caller.author);
            Ok(ApiAnswer::empty())
        }
        (&Method::GET, [name]) => {
            let view = world.view(world.app(app_id)?, name, &caller.author)?;
            Ok(ApiAnswer::json(show(world, view)?))
        }
        _ => Err(ErrorAnswer::no_route()),
    }
}

fn show(world: &World, view: &View) -> Result<Value, ErrorAnswer> {
    let items = list::matching(world, view.app_id, None, Some(view))?;
    Ok(view.show(items.len()))
}

/// Reads a view from a body. Invalid filters are refused at once.
fn read(world: &World, app_id: u64, body: &Value) -> Result<NewView, ErrorAnswer> {
    let filters = body.get("filters").filter(|filters| !filters.is_null());
    if let Some(filters) = filters {
        filter::read(world.app(app_id)?, filters, world.now)?;
    }
    Ok(NewView {
        name: input::optional_text(body, "name")?,
        private: input::optional_switch(body, "private")?,
        sort_by: input::optional_text(body, "sort_by")?,
        sort_desc: input::optional_switch(body, "sort_desc")?,
        filters: filters.cloned(),
    })
}
