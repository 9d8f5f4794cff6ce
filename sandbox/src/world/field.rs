//! Stores and changes the fields of apps.

use podtap_podio::wording;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::World;
use crate::answer::ErrorAnswer;
use crate::seed::SeedField;

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct StoredField {
    pub(crate) id: u64,
    pub(crate) external_id: String,
    pub(crate) kind: String,
    pub(crate) label: String,
    /// The options of a category, numbered from 1.
    pub(crate) options: Vec<String>,
    /// `config.settings`.
    pub(crate) settings: Value,
}

impl StoredField {
    pub(super) fn new(id: u64, seed: SeedField) -> Self {
        let mut settings = seed.settings;
        match seed.kind.as_str() {
            "text" if settings.is_empty() => {
                settings.insert("size".to_owned(), "small".into());
                settings.insert("format".to_owned(), "plain".into());
            }
            "category" => {
                let options = seed.options.iter().zip(1_u64..);
                let options =
                    options.map(|(text, id)| json!({ "id": id, "text": text, "status": "active" }));
                settings.insert("options".to_owned(), options.collect());
            }
            _ => {}
        }
        Self {
            id,
            external_id: seed.external_id,
            kind: seed.kind,
            label: seed.label,
            options: seed.options,
            settings: settings.into(),
        }
    }

    /// Returns how its values are shown as text.
    pub(crate) fn wording(&self) -> wording::WordedField<'_> {
        wording::WordedField {
            kind: &self.kind,
            settings: &self.settings,
        }
    }
}

impl World {
    /// Deletes a field from an app, and its values from the items, which get no revision for it
    /// (guessed). Returns the app's revision.
    pub(crate) fn delete_field(&mut self, app_id: u64, field_id: u64) -> Result<u64, ErrorAnswer> {
        let revision = self.change_app(app_id, |app, _| {
            let before = app.fields.len();
            app.fields.retain(|field| field.id != field_id);
            if app.fields.len() == before {
                return Err(ErrorAnswer::not_found());
            }
            Ok(app.revision + 1)
        })?;
        let items = self.items.values_mut().filter(|item| item.app_id == app_id);
        for item in items {
            item.values.remove(&field_id);
        }
        Ok(revision)
    }
}
