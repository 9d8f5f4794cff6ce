//! Spaces, apps and fields, and the world that a seed describes.

use std::collections::BTreeSet;

use podtap_podio::client::{ByLine, Via};
use podtap_podio::{EventType, RefType};
use serde::{Deserialize, Serialize};

use super::field::Field;
use super::item::Draft;
use super::value;
use super::{Author, Place, Switches, World, next};
use crate::answer::Refused;
use crate::seed::{SeedApp, SeedField, SeedSpace};

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Space {
    pub(crate) id: u64,
    pub(crate) name: String,
    /// The users who are in it.
    pub(crate) members: BTreeSet<u64>,
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct App {
    pub(crate) id: u64,
    pub(crate) space_id: u64,
    pub(crate) name: String,
    pub(crate) item_name: String,
    pub(crate) token: String,
    pub(crate) fields: Vec<Field>,
    pub(crate) active: bool,
    /// Counts its changes.
    pub(crate) revision: u64,
    /// The number that the next item gets within the app.
    pub(super) next_app_item_id: u64,
}

impl Space {
    /// Its page for people.
    pub(crate) fn url(&self) -> String {
        format!("https://podio.com/sandbox/{}", self.name.to_lowercase())
    }
}

impl World {
    /// Fills the world from the seed. Items that do not fit their fields are left out.
    pub(super) fn plant(&mut self) {
        let spaces = self.config.seed.spaces.clone();
        let author = self.first_author();
        for SeedSpace {
            space_id,
            name,
            apps,
        } in spaces
        {
            let members = self
                .people
                .users()
                .iter()
                .map(|user| user.user_id)
                .collect();
            let space = Space {
                id: space_id,
                name,
                members,
            };
            self.spaces.insert(space_id, space);
            for mut app in apps {
                let items = std::mem::take(&mut app.items);
                let app_id = app.app_id;
                self.insert_app(space_id, app);
                for fields in items {
                    let draft = Draft {
                        fields: fields.into(),
                        ..Draft::default()
                    };
                    let planted = self.create_item(app_id, draft, &author, Switches::DEFAULT);
                    debug_assert!(planted.is_ok(), "{planted:?}");
                }
            }
        }
        self.outbox.clear();
    }

    /// The first user through the first client: who planted the world.
    pub(crate) fn first_author(&self) -> Author {
        let seed = &self.config.seed;
        Author {
            by: ByLine {
                kind: "user".to_owned(),
                id: seed.users.first().map_or(0, |user| user.user_id),
                name: seed
                    .users
                    .first()
                    .map_or_else(String::new, |user| user.name.clone()),
            },
            via: Via {
                // Podio's own pages.
                id: Some(1),
                auth_client_id: Some(1),
                name: "Podio".to_owned(),
            },
        }
    }

    /// Makes a space with one member; Podio has no event of that.
    pub(crate) fn create_space(&mut self, name: String, member: Option<u64>) -> &Space {
        let id = next(&mut self.ids.space);
        let members = member.into_iter().collect();
        self.spaces.entry(id).or_insert(Space { id, name, members })
    }

    pub(crate) fn create_app(
        &mut self,
        space_id: u64,
        name: &str,
        fields: Vec<SeedField>,
    ) -> Result<u64, Refused> {
        if !self.spaces.contains_key(&space_id) {
            return Err(Refused::not_found());
        }
        let app_id = next(&mut self.ids.app);
        self.insert_app(
            space_id,
            SeedApp {
                app_id,
                name: name.to_owned(),
                item_name: "Item".to_owned(),
                token: format!("sandbox-{app_id}-token"),
                fields,
                items: Vec::new(),
            },
        );
        let params = [("app_id", app_id.to_string())];
        self.emit(EventType::AppCreate, &Place::space(space_id), &params);
        Ok(app_id)
    }

    /// Changes an app, which its hooks hear of.
    pub(crate) fn change_app<T>(
        &mut self,
        app_id: u64,
        change: impl FnOnce(&mut App, &mut u64) -> Result<T, Refused>,
    ) -> Result<T, Refused> {
        let app = self.apps.get_mut(&app_id).ok_or_else(Refused::not_found)?;
        let changed = change(app, &mut self.ids.field)?;
        app.revision += 1;
        let params = [("app_id", app_id.to_string())];
        self.emit(EventType::AppUpdate, &Place::app(app_id), &params);
        Ok(changed)
    }

    /// Deletes an app and its items, which fire nothing of their own (guessed). The hooks on the
    /// app go with it, after they have heard.
    pub(crate) fn delete_app(&mut self, app_id: u64) -> Result<(), Refused> {
        self.apps.remove(&app_id).ok_or_else(Refused::not_found)?;
        let params = [("app_id", app_id.to_string())];
        self.emit(EventType::AppDelete, &Place::app(app_id), &params);
        self.items.retain(|_, item| item.app_id != app_id);
        self.hooks
            .retain(|_, hook| hook.ref_type != RefType::App || hook.ref_id != app_id);
        Ok(())
    }

    /// The app that a field belongs to.
    pub(crate) fn app_of_field(&self, field_id: u64) -> Result<&App, Refused> {
        let holds = |app: &&App| app.fields.iter().any(|field| field.id == field_id);
        self.apps
            .values()
            .find(holds)
            .ok_or_else(Refused::not_found)
    }

    fn insert_app(&mut self, space_id: u64, seed: SeedApp) {
        let fields = seed.fields.into_iter();
        let fields = fields.map(|field| Field::new(next(&mut self.ids.field), field));
        let app = App {
            id: seed.app_id,
            space_id,
            name: seed.name,
            item_name: seed.item_name,
            token: seed.token,
            fields: fields.collect(),
            active: true,
            revision: 0,
            next_app_item_id: 1,
        };
        self.apps.insert(app.id, app);
    }
}

impl App {
    /// The field that a request names by its id or `external_id`.
    pub(crate) fn field(&self, name: &str) -> Result<&Field, Refused> {
        value::find(self, &name.into())
    }
}
