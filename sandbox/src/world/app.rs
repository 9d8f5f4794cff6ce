//! Stores and changes spaces and apps.

use std::collections::BTreeSet;

use podtap_podio::client::{ByLine, Via};
use podtap_podio::{EventType, RefType};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::field::StoredField;
use super::{EventPlace, RevisionAuthor, World, next};
use crate::answer::ErrorAnswer;
use crate::seed::{SeedApp, SeedField};

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct StoredSpace {
    pub(crate) id: u64,
    pub(crate) name: String,
    /// Users who are members.
    pub(crate) members: BTreeSet<u64>,
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct StoredApp {
    pub(crate) id: u64,
    pub(crate) space_id: u64,
    pub(crate) name: String,
    pub(crate) item_name: String,
    pub(crate) token: String,
    pub(crate) fields: Vec<StoredField>,
    pub(crate) active: bool,
    /// Number of its changes.
    pub(crate) revision: u64,
    /// Number that the next item gets within the app.
    pub(super) next_app_item_id: u64,
}

impl StoredSpace {
    /// Returns the URL of its page for people.
    pub(crate) fn url(&self) -> String {
        format!("https://podio.com/sandbox/{}", self.name.to_lowercase())
    }
}

impl World {
    /// Returns the author of the objects in the seed: the first user through the first client.
    pub(crate) fn first_author(&self) -> RevisionAuthor {
        let seed = &self.config.seed;
        RevisionAuthor {
            by: ByLine {
                kind: "user".to_owned(),
                id: seed.users.first().map_or(0, |user| user.user_id),
                name: seed
                    .users
                    .first()
                    .map_or_else(String::new, |user| user.name.clone()),
            },
            via: Via {
                // Podio's own pages are the client.
                id: Some(1),
                auth_client_id: Some(1),
                name: "Podio".to_owned(),
            },
        }
    }

    /// Creates a space with one member. Podio has no event for that.
    pub(crate) fn create_space(&mut self, name: String, member: Option<u64>) -> &StoredSpace {
        let id = next(&mut self.ids.space);
        let members = member.into_iter().collect();
        self.spaces
            .entry(id)
            .or_insert(StoredSpace { id, name, members })
    }

    pub(crate) fn create_app(
        &mut self,
        space_id: u64,
        name: &str,
        fields: Vec<SeedField>,
    ) -> Result<u64, ErrorAnswer> {
        if !self.spaces.contains_key(&space_id) {
            return Err(ErrorAnswer::not_found());
        }
        let app_id = next(&mut self.ids.app);
        let app = StoredApp::new(
            space_id,
            SeedApp {
                app_id,
                name: name.to_owned(),
                item_name: "Item".to_owned(),
                token: format!("sandbox-{app_id}-token"),
                fields,
                items: Vec::new(),
            },
            &mut self.ids.field,
        );
        self.apps.insert(app_id, app);
        let params = [("app_id", app_id.to_string())];
        self.emit(EventType::AppCreate, &EventPlace::space(space_id), &params);
        Ok(app_id)
    }

    /// Changes an app and fires its hooks.
    pub(crate) fn change_app<T>(
        &mut self,
        app_id: u64,
        change: impl FnOnce(&mut StoredApp, &mut u64) -> Result<T, ErrorAnswer>,
    ) -> Result<T, ErrorAnswer> {
        let app = self
            .apps
            .get_mut(&app_id)
            .ok_or_else(ErrorAnswer::not_found)?;
        let changed = change(app, &mut self.ids.field)?;
        app.revision += 1;
        let params = [("app_id", app_id.to_string())];
        self.emit(EventType::AppUpdate, &EventPlace::app(app_id), &params);
        Ok(changed)
    }

    /// Deletes an app and its items, which fire no events of their own (guessed). The hooks on
    /// the app are deleted after they have fired.
    pub(crate) fn delete_app(&mut self, app_id: u64) -> Result<(), ErrorAnswer> {
        self.apps
            .remove(&app_id)
            .ok_or_else(ErrorAnswer::not_found)?;
        let params = [("app_id", app_id.to_string())];
        self.emit(EventType::AppDelete, &EventPlace::app(app_id), &params);
        self.items.retain(|_, item| item.app_id != app_id);
        self.hooks
            .retain(|_, hook| hook.ref_type != RefType::App || hook.ref_id != app_id);
        Ok(())
    }

    /// Returns the app to which a field belongs.
    pub(crate) fn app_of_field(&self, field_id: u64) -> Result<&StoredApp, ErrorAnswer> {
        let holds = |app: &&StoredApp| app.fields.iter().any(|field| field.id == field_id);
        self.apps
            .values()
            .find(holds)
            .ok_or_else(ErrorAnswer::not_found)
    }
}

impl StoredApp {
    /// Creates an app without items.
    pub(super) fn new(space_id: u64, seed: SeedApp, ids: &mut u64) -> Self {
        let fields = seed.fields.into_iter();
        let fields = fields.map(|field| StoredField::new(next(ids), field));
        Self {
            id: seed.app_id,
            space_id,
            name: seed.name,
            item_name: seed.item_name,
            token: seed.token,
            fields: fields.collect(),
            active: true,
            revision: 0,
            next_app_item_id: 1,
        }
    }

    /// Returns the field that a body names by its id or `external_id`.
    pub(super) fn find(&self, name: &Value) -> Result<&StoredField, ErrorAnswer> {
        let found = self.fields.iter().find(|field| match name {
            Value::Number(number) => number.as_u64() == Some(field.id),
            Value::String(text) => *text == field.external_id || text.parse() == Ok(field.id),
            _ => false,
        });
        found.ok_or_else(|| ErrorAnswer::invalid(format!("Invalid field {name}")))
    }

    /// Returns the field that a request names by its id or `external_id`.
    pub(crate) fn field(&self, name: &str) -> Result<&StoredField, ErrorAnswer> {
        self.find(&name.into())
    }

    /// Adds a field and returns its id.
    pub(crate) fn add_field(&mut self, ids: &mut u64, seed: SeedField) -> Result<u64, ErrorAnswer> {
        if self
            .fields
            .iter()
            .any(|field| field.external_id == seed.external_id)
        {
            let name = seed.external_id;
            return Err(ErrorAnswer::invalid(format!(
                "The app has a field {name} already"
            )));
        }
        let id = next(ids);
        self.fields.push(StoredField::new(id, seed));
        Ok(id)
    }

    /// Changes a field's label and settings; those that are missing stay unchanged.
    pub(crate) fn change_field(
        &mut self,
        field_id: u64,
        seed: SeedField,
    ) -> Result<(), ErrorAnswer> {
        let mut fields = self.fields.iter_mut();
        let field = fields.find(|field| field.id == field_id);
        let field = field.ok_or_else(ErrorAnswer::not_found)?;
        let kept = field.clone();
        *field = StoredField::new(
            field_id,
            SeedField {
                external_id: kept.external_id,
                kind: kept.kind,
                options: if seed.options.is_empty() {
                    kept.options
                } else {
                    seed.options
                },
                settings: match kept.settings {
                    Value::Object(settings) if seed.settings.is_empty() => settings,
                    _ => seed.settings,
                },
                label: if seed.label.is_empty() {
                    kept.label
                } else {
                    seed.label
                },
            },
        );
        Ok(())
    }
}
