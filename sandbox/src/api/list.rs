//! Lists an app's items: filters them, sorts them and returns a part of them.

use serde_json::{Map, Value, json};

use super::access::Caller;
use super::{filter, input};
use crate::answer::{ApiAnswer, ApiRequest, ErrorAnswer};
use crate::world::{NewView, StoredItem, StoredRevision, View, World};

/// Number of items in an answer by default, and its maximum, as at Podio.
const PAGE: usize = 30;
const MAX_PAGE: usize = 500;

/// Parameters of a query that are not filters.
const NO_FILTERS: &[&str] = &[
    "limit",
    "offset",
    "sort_by",
    "sort_desc",
    "remember",
    "fields",
    "view_id",
    "oauth_token",
];

/// Answers `POST /item/app/{id}/filter/`, and the path below it for the filters of a view.
pub(super) fn by_body(
    world: &mut World,
    caller: &Caller,
    body: &Value,
    app_id: u64,
    view: Option<&str>,
) -> Result<ApiAnswer, ErrorAnswer> {
    let number = |name| -> Result<Option<usize>, ErrorAnswer> {
        let number = input::optional_number(body, name)?;
        Ok(number.map(|number| usize::try_from(number).unwrap_or(usize::MAX)))
    };
    let view_id = input::optional_number(body, "view_id")?.map(|id| id.to_string());
    let view = match view.or(view_id.as_deref()) {
        Some(name) => Some(world.view(world.app(app_id)?, name, &caller.author)?),
        None => None,
    };
    let sort_by = input::optional_text(body, "sort_by")?;
    let sort_desc = input::optional_switch(body, "sort_desc")?;
    let filters = body.get("filters").filter(|filters| !filters.is_null());
    let page = ListQuery {
        limit: number("limit")?,
        offset: number("offset")?,
        sort_by: sort_by
            .as_deref()
            .or_else(|| view.and_then(|view| view.sort_by.as_deref())),
        descending: sort_desc
            .or(view.map(|view| view.sort_desc))
            .unwrap_or(true),
    };
    let items = matching(world, app_id, filters, view)?;
    let answer = page.of(world, app_id, items)?;
    if input::optional_switch(body, "remember")? == Some(true) {
        let asked = NewView {
            sort_by,
            sort_desc,
            filters: filters.cloned(),
            ..NewView::default()
        };
        world.remember_view(app_id, asked, &caller.author);
    }
    Ok(answer)
}

/// Answers `GET /item/app/{id}/`, whose filters are in the query.
pub(super) fn by_query(
    world: &World,
    caller: &Caller,
    request: &ApiRequest,
    app_id: u64,
) -> Result<ApiAnswer, ErrorAnswer> {
    let view = view_of_query(world, caller, request, app_id)?;
    let page = ListQuery {
        limit: input::query_number(request, "limit")?,
        offset: input::query_number(request, "offset")?,
        sort_by: request
            .query("sort_by")
            .or_else(|| view.and_then(|view| view.sort_by.as_deref())),
        descending: match request.query("sort_desc") {
            None => view.is_none_or(|view| view.sort_desc),
            Some(text) => !matches!(text, "false" | "0"),
        },
    };
    let items = matching(world, app_id, Some(&of_query(request)), view)?;
    page.of(world, app_id, items)
}

/// Returns the number of items that match the filters in the query.
pub(super) fn count(
    world: &World,
    caller: &Caller,
    request: &ApiRequest,
    app_id: u64,
) -> Result<usize, ErrorAnswer> {
    let view = view_of_query(world, caller, request, app_id)?;
    Ok(matching(world, app_id, Some(&of_query(request)), view)?.len())
}

fn view_of_query<'w>(
    world: &'w World,
    caller: &Caller,
    request: &ApiRequest,
    app_id: u64,
) -> Result<Option<&'w View>, ErrorAnswer> {
    let view = request.query("view_id");
    let view = view.map(|name| world.view(world.app(app_id)?, name, &caller.author));
    view.transpose()
}

/// Reads the filters of a query. Several values are separated by semicolons.
fn of_query(request: &ApiRequest) -> Value {
    let scalar = |text: &str| {
        text.parse::<u64>()
            .map_or_else(|_| json!(text), Value::from)
    };
    let filters = request.query.iter();
    let filters = filters.filter(|(name, _)| !NO_FILTERS.contains(&name.as_str()));
    let filters = filters.map(|(name, text)| {
        let value = if text.contains(';') {
            text.split(';').map(scalar).collect()
        } else {
            scalar(text)
        };
        (name.clone(), value)
    });
    filters.collect::<Map<_, _>>().into()
}

/// Returns the items of an app that match all filters, the oldest first.
pub(super) fn matching<'w>(
    world: &'w World,
    app_id: u64,
    filters: Option<&Value>,
    view: Option<&View>,
) -> Result<Vec<&'w StoredItem>, ErrorAnswer> {
    let app = world.app(app_id)?;
    let mut all = Vec::new();
    for filters in filters.into_iter().chain(view.map(|view| &view.filters)) {
        all.extend(filter::read(app, filters, world.now)?);
    }
    let items = world.items.values().filter(|item| item.app_id == app_id);
    Ok(items
        .filter(|item| all.iter().all(|filter| filter.suits(item)))
        .collect())
}

struct ListQuery<'a> {
    limit: Option<usize>,
    offset: Option<usize>,
    sort_by: Option<&'a str>,
    descending: bool,
}

impl ListQuery<'_> {
    fn of(
        &self,
        world: &World,
        app_id: u64,
        mut items: Vec<&StoredItem>,
    ) -> Result<ApiAnswer, ErrorAnswer> {
        let limit = self.limit.unwrap_or(PAGE);
        if limit > MAX_PAGE {
            return Err(ErrorAnswer::invalid(format!(
                "Invalid value {limit} (integer): must be at most {MAX_PAGE}"
            )));
        }
        let app = world.app(app_id)?;
        let total = world
            .items
            .values()
            .filter(|item| item.app_id == app_id)
            .count();
        let filtered = items.len();
        match self.sort_by {
            None | Some("created_on" | "app_item_id" | "item_id") => {}
            Some("last_edit_on" | "activity") => items.sort_by_key(|item| item.edited_on()),
            Some("title") => items.sort_by_key(|item| item.title(app)),
            Some("created_by") => items.sort_by_key(|item| author(item.revisions.first())),
            Some("last_edit_by") => items.sort_by_key(|item| author(item.revisions.last())),
            Some(
                name
                @ ("priority" | "like" | "approved" | "rsvp" | "fivestar" | "yesno" | "thumbs"),
            ) => {
                return Err(ErrorAnswer::not_here(&format!("the order `{name}`")));
            }
            Some(other) => {
                let field = app.field(other).map_err(|_| {
                    ErrorAnswer::invalid(format!("Invalid value '{other}' (string): no such field"))
                })?;
                items.sort_by_key(|item| item.words(field));
            }
        }
        if self.descending {
            items.reverse();
        }
        let page = items.into_iter().skip(self.offset.unwrap_or(0)).take(limit);
        let page = page.map(|item| world.show_item(item));
        let page = page.collect::<Result<Vec<_>, _>>()?;
        Ok(ApiAnswer::json(
            json!({ "total": total, "filtered": filtered, "items": page }),
        ))
    }
}

fn author(change: Option<&StoredRevision>) -> String {
    change.map_or_else(String::new, |change| change.author.by.name.clone())
}
