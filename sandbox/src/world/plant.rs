//! Fills the world from a seed.

use super::item::ItemDraft;
use super::{StoredApp, StoredSpace, Switches, World};
use crate::seed::SeedSpace;

impl World {
    /// Adds the objects of the seed. Items that do not match their fields are left out.
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
            let space = StoredSpace {
                id: space_id,
                name,
                members,
            };
            self.spaces.insert(space_id, space);
            for mut app in apps {
                let items = std::mem::take(&mut app.items);
                let app_id = app.app_id;
                let app = StoredApp::new(space_id, app, &mut self.ids.field);
                self.apps.insert(app_id, app);
                for fields in items {
                    let draft = ItemDraft {
                        fields: fields.into(),
                        ..ItemDraft::default()
                    };
                    let planted = self.create_item(app_id, draft, &author, Switches::DEFAULT);
                    debug_assert!(planted.is_ok(), "{planted:?}");
                }
            }
        }
        self.outbox.clear();
    }
}
