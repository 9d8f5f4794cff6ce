//! Lists of an app's items: which, in what order, which part of them.

use serde_json::{Map, Value, json};

use super::{filter, input};
use crate::answer::{Answer, Refused, Request};
use crate::world::{Item, World};

/// Items in one answer where nothing else is asked, and most of them; Podio's own.
const PAGE: usize = 30;
const MAX_PAGE: usize = 500;

/// What a query says beside its filters.
const NO_FILTERS: &[&str] = &[
    "limit",
    "offset",
    "sort_by",
    "sort_desc",
    "remember",
    "fields",
    "oauth_token",
];

/// `POST /item/app/{id}/filter/`.
pub(super) fn by_body(world: &World, body: &Value, app_id: u64) -> Result<Answer, Refused> {
    if body.get("view_id").is_some_and(|view| !view.is_null()) {
        return Err(Refused::not_here("views (`view_id`)"));
    }
    let number = |name| -> Result<Option<usize>, Refused> {
        let number = input::optional_number(body, name)?;
        Ok(number.map(|number| usize::try_from(number).unwrap_or(usize::MAX)))
    };
    let sort_by = input::optional_text(body, "sort_by")?;
    let descending = body
        .get("sort_desc")
        .and_then(Value::as_bool)
        .unwrap_or(true);
    let page = Page {
        limit: number("limit")?,
        offset: number("offset")?,
        sort_by: sort_by.as_deref(),
        descending,
    };
    let filters = body.get("filters").unwrap_or(&Value::Null);
    page.of(world, app_id, filters)
}

/// `GET /item/app/{id}/`, whose filters are in the query.
pub(super) fn by_query(world: &World, request: &Request, app_id: u64) -> Result<Answer, Refused> {
    let page = Page {
        limit: input::query_number(request, "limit")?,
        offset: input::query_number(request, "offset")?,
        sort_by: request.query("sort_by"),
        descending: !matches!(request.query("sort_desc"), Some("false" | "0")),
    };
    page.of(world, app_id, &of_query(request))
}

/// The filters of a query; several values are parted by semicolons.
pub(super) fn of_query(request: &Request) -> Value {
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

/// The items of an app that suit all filters, the oldest first.
pub(super) fn matching<'w>(
    world: &'w World,
    app_id: u64,
    filters: &Value,
) -> Result<Vec<&'w Item>, Refused> {
    let tests = filter::read(world.app(app_id)?, filters)?;
    let items = world.items.values().filter(|item| item.app_id == app_id);
    Ok(items
        .filter(|item| tests.iter().all(|test| test.suits(item)))
        .collect())
}

struct Page<'a> {
    limit: Option<usize>,
    offset: Option<usize>,
    sort_by: Option<&'a str>,
    descending: bool,
}

impl Page<'_> {
    fn of(&self, world: &World, app_id: u64, filters: &Value) -> Result<Answer, Refused> {
        let limit = self.limit.unwrap_or(PAGE);
        if limit > MAX_PAGE {
            return Err(Refused::invalid(format!(
                "Invalid value {limit} (integer): must be at most {MAX_PAGE}"
            )));
        }
        let app = world.app(app_id)?;
        let total = world
            .items
            .values()
            .filter(|item| item.app_id == app_id)
            .count();
        let mut items = matching(world, app_id, filters)?;
        let filtered = items.len();
        match self.sort_by {
            None | Some("created_on" | "app_item_id") => {}
            Some("last_edit_on") => items.sort_by_key(|item| item.edited_on()),
            Some("title") => items.sort_by_key(|item| item.title(app)),
            Some(other) => {
                let field = app.field(other).map_err(|_| {
                    Refused::invalid(format!("Invalid value '{other}' (string): no such field"))
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
        Ok(Answer::json(
            json!({ "total": total, "filtered": filtered, "items": page }),
        ))
    }
}
