//! Filters items by field, by author, and by when and through which client they were
//! created or changed.
//!
//! An unknown filter is refused. If it were ignored, items would match that should not.

mod period;

use jiff::civil::{Date, DateTime};
use jiff::{Timestamp, tz::TimeZone};
use serde_json::Value;

use crate::answer::ErrorAnswer;
use crate::world::{RevisionAuthor, StoredApp, StoredField, StoredItem, moment};
pub(super) use period::Period;

/// A parsed filter.
#[derive(Debug)]
pub(super) struct ItemFilter {
    subject: FilterSubject,
    condition: Condition,
}

/// The part of an item that a filter compares.
#[derive(Debug)]
enum FilterSubject {
    Field(StoredField),
    CreatedOn,
    EditedOn,
    CreatedBy,
    EditedBy,
    CreatedVia,
    EditedVia,
    Tags,
    ExternalId,
    Number,
}

/// Required value.
#[derive(Debug)]
enum Condition {
    /// There is no value.
    Nothing,
    /// The value is one of these.
    Any(Vec<Value>),
    /// The value contains this text.
    Holds(String),
    Between(Option<f64>, Option<f64>),
    During(Period),
}

/// Parses `{key: value}`, or a list of `{key, values}`.
pub(super) fn read(
    app: &StoredApp,
    filters: &Value,
    now: Timestamp,
) -> Result<Vec<ItemFilter>, ErrorAnswer> {
    let today = TimeZone::UTC.to_datetime(now).date();
    match filters {
        Value::Null => Ok(Vec::new()),
        Value::Object(members) => members
            .iter()
            .map(|(key, value)| ItemFilter::read(app, key, value, today))
            .collect(),
        Value::Array(members) => members
            .iter()
            .map(|member| {
                let key = member.get("key").and_then(Value::as_str);
                let key =
                    key.ok_or_else(|| ErrorAnswer::invalid("Missing parameter key of a filter"))?;
                ItemFilter::read(
                    app,
                    key,
                    member.get("values").unwrap_or(&Value::Null),
                    today,
                )
            })
            .collect(),
        other => Err(ErrorAnswer::wrong_type(other, "object")),
    }
}

impl ItemFilter {
    fn read(app: &StoredApp, key: &str, value: &Value, today: Date) -> Result<Self, ErrorAnswer> {
        let subject = match (app.field(key), key) {
            (Ok(field), _) => FilterSubject::Field(field.clone()),
            (_, "created_on") => FilterSubject::CreatedOn,
            (_, "last_edit_on") => FilterSubject::EditedOn,
            (_, "created_by") => FilterSubject::CreatedBy,
            (_, "last_edit_by") => FilterSubject::EditedBy,
            (_, "created_via") => FilterSubject::CreatedVia,
            (_, "last_edit_via") => FilterSubject::EditedVia,
            (_, "tags") => FilterSubject::Tags,
            (_, "external_id") => FilterSubject::ExternalId,
            (_, "app_item_id") => FilterSubject::Number,
            _ => return Err(ErrorAnswer::invalid(format!("Invalid filter {key}"))),
        };
        let condition = match (&subject, value) {
            (_, Value::Null) => Condition::Nothing,
            (FilterSubject::CreatedOn | FilterSubject::EditedOn, _) => {
                Condition::During(Period::read(key, value, today)?)
            }
            (FilterSubject::Field(field), _) => of_field(field, value, today)?,
            (_, Value::Object(range)) if matches!(subject, FilterSubject::Number) => {
                let bound = |name: &str| range.get(name).and_then(number);
                Condition::Between(bound("from"), bound("to"))
            }
            (_, Value::Array(any)) => Condition::Any(any.clone()),
            (_, one) => Condition::Any(vec![one.clone()]),
        };
        Ok(Self { subject, condition })
    }

    pub(super) fn suits(&self, item: &StoredItem) -> bool {
        let first = item.revisions.first();
        let last = item.revisions.last();
        match &self.subject {
            FilterSubject::Field(field) => {
                let values = item.values.get(&field.id).map_or(&[][..], Vec::as_slice);
                self.suits_values(field, values)
            }
            FilterSubject::CreatedOn => first.is_some_and(|change| self.suits_time(change.on)),
            FilterSubject::EditedOn => last.is_some_and(|change| self.suits_time(change.on)),
            FilterSubject::CreatedBy => first.is_some_and(|change| self.is_by(&change.author)),
            FilterSubject::EditedBy => last.is_some_and(|change| self.is_by(&change.author)),
            FilterSubject::CreatedVia => first.is_some_and(|change| self.is_via(&change.author)),
            FilterSubject::EditedVia => last.is_some_and(|change| self.is_via(&change.author)),
            FilterSubject::Tags => match &self.condition {
                Condition::Nothing => item.tags.is_empty(),
                _ => item.tags.iter().any(|tag| self.names(tag)),
            },
            FilterSubject::ExternalId => match (&self.condition, &item.external_id) {
                (Condition::Nothing, external_id) => external_id.is_none(),
                (_, external_id) => external_id.as_ref().is_some_and(|id| self.names(id)),
            },
            FilterSubject::Number => self.counts(item.app_item_id),
        }
    }

    fn suits_values(&self, field: &StoredField, values: &[Value]) -> bool {
        let inner = |value: &Value| value.get("value").unwrap_or(value).clone();
        match &self.condition {
            Condition::Nothing => values.is_empty(),
            Condition::Any(any) => {
                let is_empty = values.is_empty() && any.iter().any(Value::is_null);
                is_empty
                    || values
                        .iter()
                        .any(|value| any.iter().any(|any| names(&inner(value), any)))
            }
            Condition::Holds(text) => {
                let words = podtap_podio::wording::values(
                    field.wording(),
                    values,
                    podtap_podio::wording::Locale::NONE,
                );
                words.to_lowercase().contains(&text.to_lowercase())
            }
            Condition::Between(from, to) => values
                .iter()
                .filter_map(|v| number(&inner(v)))
                .any(|n| from.is_none_or(|from| n >= from) && to.is_none_or(|to| n <= to)),
            Condition::During(_) => values.iter().any(|value| {
                let start = value.get("start").and_then(Value::as_str);
                start
                    .and_then(|start| moment(start).ok())
                    .is_some_and(|at| self.is_during(at))
            }),
        }
    }

    fn suits_time(&self, at: Timestamp) -> bool {
        self.is_during(TimeZone::UTC.to_datetime(at))
    }

    fn is_during(&self, at: DateTime) -> bool {
        matches!(&self.condition, Condition::During(period) if period.contains(at))
    }

    fn is_by(&self, author: &RevisionAuthor) -> bool {
        let by = &author.by;
        self.any(|wanted| match wanted {
            Value::Object(reference) => {
                reference.get("type").and_then(Value::as_str) == Some(&by.kind)
                    && reference.get("id").and_then(Value::as_u64) == Some(by.id)
            }
            Value::String(text) => *text == format!("{}:{}", by.kind, by.id),
            wanted => wanted.as_u64() == Some(by.id) && by.kind == "user",
        })
    }

    fn is_via(&self, author: &RevisionAuthor) -> bool {
        self.any(|wanted| wanted.as_u64().is_some() && wanted.as_u64() == author.via.id)
    }

    fn names(&self, text: &str) -> bool {
        self.any(|wanted| match wanted {
            Value::String(wanted) => wanted == text,
            wanted => wanted
                .as_u64()
                .is_some_and(|number| text.parse() == Ok(number)),
        })
    }

    fn counts(&self, number: u64) -> bool {
        match &self.condition {
            Condition::Between(from, to) => {
                #[expect(clippy::cast_precision_loss, reason = "an app has no 2^52 items")]
                let number = number as f64;
                from.is_none_or(|from| number >= from) && to.is_none_or(|to| number <= to)
            }
            _ => self.any(|wanted| wanted.as_u64() == Some(number)),
        }
    }

    fn any(&self, suits: impl Fn(&Value) -> bool) -> bool {
        matches!(&self.condition, Condition::Any(any) if any.iter().any(suits))
    }
}

/// Returns whether a filter's value denotes the value of a field: by its id or its text.
fn names(value: &Value, wanted: &Value) -> bool {
    let Value::Object(members) = value else {
        return value == wanted || number(value).is_some_and(|n| number(wanted) == Some(n));
    };
    let ids = ["id", "item_id", "profile_id", "user_id", "file_id"];
    let id = |name: &&str| members.get(*name).is_some_and(|id| id == wanted);
    ids.iter().any(id) || members.get("text").is_some_and(|text| text == wanted)
}

fn of_field(field: &StoredField, value: &Value, today: Date) -> Result<Condition, ErrorAnswer> {
    let refused = || {
        ErrorAnswer::not_here(&format!(
            "this filter of the {} field `{}`",
            field.kind, field.external_id
        ))
    };
    match (field.kind.as_str(), value) {
        ("date", _) => Period::read(&field.external_id, value, today).map(Condition::During),
        ("number" | "money" | "progress" | "duration" | "calculation", Value::Object(range)) => {
            if range.keys().any(|name| name != "from" && name != "to") {
                return Err(refused());
            }
            let bound = |name: &str| match range.get(name) {
                None | Some(Value::Null) => Ok(None),
                Some(bound) => number(bound)
                    .map(Some)
                    .ok_or_else(|| ErrorAnswer::wrong_type(bound, "number")),
            };
            Ok(Condition::Between(bound("from")?, bound("to")?))
        }
        (_, Value::Array(any)) => Ok(Condition::Any(any.clone())),
        ("text" | "phone" | "email" | "location" | "embed", Value::String(text)) => {
            Ok(Condition::Holds(text.clone()))
        }
        (_, Value::Number(_) | Value::String(_)) => Ok(Condition::Any(vec![value.clone()])),
        _ => Err(refused()),
    }
}

fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.parse().ok(),
        _ => None,
    }
}
