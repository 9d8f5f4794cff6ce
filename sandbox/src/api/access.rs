//! Determines the caller and what the caller may access (podio.md 3.4 and 4.2).

use podtap_podio::client::{ByLine, Via};
use podtap_podio::{EventType, RefType};

use crate::answer::{ApiRequest, ErrorAnswer};
use crate::world::{Attachment, RevisionAuthor, StoredApp, StoredItem, TokenIdentity, World};

/// A caller with a valid token.
#[derive(Debug, Clone)]
pub(super) struct Caller {
    pub(super) identity: TokenIdentity,
    /// Author of this caller's changes.
    pub(super) author: RevisionAuthor,
    pub(super) access_token: String,
}

impl Caller {
    /// Returns the key under which calls are counted: Podio counts by user and API client.
    pub(super) fn rate_key(&self) -> String {
        format!("{:?} {:?}", self.identity, self.author.via.auth_client_id)
    }

    pub(super) fn is_app(&self) -> bool {
        matches!(self.identity, TokenIdentity::App(_))
    }

    /// Checks that the caller may access the app. A user may access every app, an app only itself.
    pub(super) fn may_reach_app(&self, app_id: u64) -> Result<(), ErrorAnswer> {
        match self.identity {
            TokenIdentity::App(own) if own != app_id => {
                Err(ErrorAnswer::forbidden("The app cannot reach other apps"))
            }
            _ => Ok(()),
        }
    }

    /// Checks that the caller is a user, for objects of a space and for operations that apps
    /// may not use.
    pub(super) fn must_be_user(&self) -> Result<(), ErrorAnswer> {
        if self.is_app() {
            return Err(ErrorAnswer::forbidden("Apps may not use this operation"));
        }
        Ok(())
    }

    pub(super) fn app<'w>(
        &self,
        world: &'w World,
        app_id: u64,
    ) -> Result<&'w StoredApp, ErrorAnswer> {
        self.may_reach_app(app_id)?;
        world.app(app_id)
    }

    /// Returns an item that the caller may access. Apps get 403 even for an item that does not
    /// exist; users get 404 (podio.md 4.2).
    pub(super) fn item<'w>(
        &self,
        world: &'w World,
        item_id: u64,
    ) -> Result<&'w StoredItem, ErrorAnswer> {
        match world.item(item_id) {
            Ok(item) => self.may_reach_app(item.app_id).map(|()| item),
            Err(_) if self.is_app() => Err(ErrorAnswer::forbidden("Object not found")),
            Err(missing) => Err(missing),
        }
    }

    /// Checks that the caller may manage hooks of the object.
    pub(super) fn may_hook(
        &self,
        world: &World,
        ref_type: RefType,
        ref_id: u64,
    ) -> Result<(), ErrorAnswer> {
        match ref_type {
            RefType::App => self.app(world, ref_id).map(drop),
            RefType::AppField => {
                let app = world.app_of_field(ref_id)?;
                self.may_reach_app(app.id)
            }
            RefType::Space if world.spaces.contains_key(&ref_id) => self.must_be_user(),
            RefType::Space => Err(ErrorAnswer::not_found()),
        }
    }
}

/// Checks that the caller may access what is attached to an object.
pub(super) fn reach(world: &World, caller: &Caller, on: Attachment) -> Result<(), ErrorAnswer> {
    match on {
        Attachment::Item(item_id) => caller.item(world, item_id).map(drop),
        Attachment::App(app_id) => caller.app(world, app_id).map(drop),
        Attachment::File(file_id) => {
            let file = world
                .files
                .get(&file_id)
                .ok_or_else(ErrorAnswer::not_found)?;
            // A file that is not attached yet belongs to its uploader, who alone knows its id.
            file.on.map_or(Ok(()), |on| reach(world, caller, on))
        }
        Attachment::Comment(comment_id) => {
            let comment = world.comments.get(&comment_id);
            reach(
                world,
                caller,
                comment.ok_or_else(ErrorAnswer::not_found)?.on,
            )
        }
        Attachment::Task(_)
        | Attachment::Space(_)
        | Attachment::Status(_)
        | Attachment::Conversation(_) => caller.must_be_user(),
    }
}

/// Returns the caller to whom the token belongs. The scheme may be `OAuth2` or `Bearer`; a
/// very old page of Podio also allows the query parameter `oauth_token`.
pub(super) fn authenticate(world: &World, request: &ApiRequest) -> Result<Caller, ErrorAnswer> {
    let header = request.header("authorization");
    let token = match header.map(|text| text.split_once(' ').unwrap_or((text, ""))) {
        Some(("OAuth2" | "Bearer", token)) if !token.trim().is_empty() => token.trim(),
        Some(_) => {
            let description = "Invalid authorization header";
            return Err(ErrorAnswer::new(400, "invalid_request", description));
        }
        None => request
            .query("oauth_token")
            .ok_or_else(|| ErrorAnswer::new(401, "unauthorized", "invalid_request"))?,
    };
    let session = world.people.holder(token, world.now);
    let session = session.ok_or_else(|| ErrorAnswer::new(401, "unauthorized", "expired_token"))?;
    let client = world.people.client(&session.client_id);
    let author = RevisionAuthor {
        by: by_line(world, session.identity),
        via: Via {
            id: client.and_then(|client| client.auth_client_id),
            auth_client_id: client.and_then(|client| client.auth_client_id),
            name: client.map_or_else(String::new, |client| client.name.clone()),
        },
    };
    Ok(Caller {
        identity: session.identity,
        author,
        access_token: token.to_owned(),
    })
}

fn by_line(world: &World, identity: TokenIdentity) -> ByLine {
    let (kind, id, name) = match identity {
        TokenIdentity::User(id) => ("user", id, world.people.user(id).map(|user| &user.name)),
        TokenIdentity::App(id) => ("app", id, world.apps.get(&id).map(|app| &app.name)),
    };
    ByLine {
        kind: kind.to_owned(),
        id,
        name: name.cloned().unwrap_or_default(),
    }
}

/// Returns whether Podio accepts a hook of this type on such an object (podio.md 1.1).
pub(super) fn takes(world: &World, ref_type: RefType, event: EventType) -> bool {
    use crate::config::HookTypes;

    let refused_in_2026 = matches!(
        (ref_type, event),
        (
            RefType::AppField,
            EventType::ItemCreate | EventType::ItemDelete
        ) | (RefType::Space, EventType::TaskDelete)
    );
    event.spec().ref_types.contains(&ref_type)
        && (world.config.hook_types == HookTypes::AsDocumented || !refused_in_2026)
}
