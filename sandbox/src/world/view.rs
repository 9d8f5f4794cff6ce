//! Stores views: named filters and sort orders of an app's items, and the ones used last.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{RevisionAuthor, StoredApp, World, next, podio_time};
use crate::answer::ErrorAnswer;

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct View {
    pub(crate) id: u64,
    pub(crate) app_id: u64,
    pub(crate) name: String,
    pub(crate) kind: ViewKind,
    pub(crate) private: bool,
    /// Whether the app opens with it.
    pub(crate) is_default: bool,
    pub(crate) sort_by: Option<String>,
    pub(crate) sort_desc: bool,
    /// A list of `{key, values}`.
    pub(crate) filters: Value,
    pub(crate) created_on: Timestamp,
    pub(crate) author: RevisionAuthor,
}

/// Origin of a view.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum ViewKind {
    /// A person saved it.
    Saved,
    /// A request asked to remember it. Each author has one for each app.
    Last,
}

/// Content of a new view, or changes to one; missing members stay unchanged.
#[derive(Debug, Default)]
pub(crate) struct NewView {
    pub(crate) name: Option<String>,
    pub(crate) private: Option<bool>,
    pub(crate) sort_by: Option<String>,
    pub(crate) sort_desc: Option<bool>,
    pub(crate) filters: Option<Value>,
}

impl View {
    pub(crate) fn change(&mut self, new: NewView) {
        if let Some(name) = new.name {
            self.name = name;
        }
        self.private = new.private.unwrap_or(self.private);
        self.sort_by = new.sort_by.or_else(|| self.sort_by.take());
        self.sort_desc = new.sort_desc.unwrap_or(self.sort_desc);
        if let Some(filters) = new.filters {
            self.filters = filters;
        }
    }

    /// Returns whether this author may see it.
    pub(crate) fn is_for(&self, author: &RevisionAuthor) -> bool {
        !self.private || self.author.by == author.by
    }

    pub(crate) fn show(&self, items: usize) -> Value {
        json!({
            "view_id": self.id,
            "name": self.name,
            "type": self.kind,
            "private": self.private,
            "default": self.is_default,
            "sort_by": self.sort_by,
            "sort_desc": self.sort_desc,
            "filters": self.filters,
            "fields": {},
            "layout": "badge",
            "items": items,
            "rights": ["update", "delete"],
            "created_on": podio_time(self.created_on),
            "created_by": self.author.by,
        })
    }
}

impl World {
    pub(crate) fn create_view(&mut self, app: u64, new: NewView, author: &RevisionAuthor) -> u64 {
        self.insert_view(app, ViewKind::Saved, new, author)
    }

    /// Stores this author's last request for an app's items as a view.
    pub(crate) fn remember_view(&mut self, app: u64, new: NewView, author: &RevisionAuthor) -> u64 {
        let same = |view: &&mut View| {
            view.kind == ViewKind::Last && view.app_id == app && view.author.by == author.by
        };
        match self.views.values_mut().find(same) {
            Some(view) => {
                view.change(new);
                view.id
            }
            None => self.insert_view(app, ViewKind::Last, new, author),
        }
    }

    /// Returns the view of an app by its id, by its name, or as `last`.
    pub(crate) fn view(
        &self,
        app: &StoredApp,
        name: &str,
        author: &RevisionAuthor,
    ) -> Result<&View, ErrorAnswer> {
        let views = self.views.values();
        let mut views = views.filter(|view| view.app_id == app.id && view.is_for(author));
        let found = views.find(|view| match view.kind {
            ViewKind::Last => name == "last" && view.author.by == author.by,
            ViewKind::Saved => name.parse() == Ok(view.id) || name == view.name,
        });
        found.ok_or_else(ErrorAnswer::not_found)
    }

    /// Makes a view the one with which its app opens.
    pub(crate) fn make_default(&mut self, view_id: u64) -> Result<(), ErrorAnswer> {
        let app_id = self
            .views
            .get(&view_id)
            .ok_or_else(ErrorAnswer::not_found)?
            .app_id;
        for view in self.views.values_mut().filter(|view| view.app_id == app_id) {
            view.is_default = view.id == view_id;
        }
        Ok(())
    }

    fn insert_view(
        &mut self,
        app_id: u64,
        kind: ViewKind,
        new: NewView,
        author: &RevisionAuthor,
    ) -> u64 {
        let id = next(&mut self.ids.view);
        let mut view = View {
            id,
            app_id,
            name: String::new(),
            kind,
            private: false,
            is_default: false,
            sort_by: None,
            sort_desc: true,
            filters: json!([]),
            created_on: self.now,
            author: author.clone(),
        };
        view.change(new);
        self.views.insert(id, view);
        id
    }
}
