//! Applies a command to the world, as the first user would on Podio's own pages. Synchronous.

use bytes::Bytes;
use podtap_podio::EventType;
use serde_json::{Map, Value, json};

use super::{SandboxCommand, values};
use crate::answer::ErrorAnswer;
use crate::seed::SeedField;
use crate::world::{
    Attachment, FileContent, ItemDraft, NewComment, NewTask, RecordKind, Switches, World,
};

/// Executes a command and returns the id of the object that it changed.
pub(crate) fn act(world: &mut World, command: &SandboxCommand) -> Result<u64, ErrorAnswer> {
    use EventType as E;
    let event = command.event.parse::<EventType>().map_err(|_| {
        ErrorAnswer::invalid(format!(
            "`{}` is not one of Podio's event types; `podtap trigger --list` lists them",
            command.event
        ))
    })?;
    match event {
        E::ItemCreate | E::ItemUpdate | E::ItemDelete => item(world, event, command),
        E::CommentCreate | E::CommentDelete => comment(world, event, command),
        E::FileChange | E::TagAdd | E::TagDelete => on_item(world, event, command),
        E::AppCreate | E::AppUpdate | E::AppDelete => app(world, event, command),
        E::TaskCreate | E::TaskUpdate | E::TaskDelete => task(world, event, command),
        E::FormCreate | E::FormUpdate | E::FormDelete => {
            record(world, event, RecordKind::Form, command)
        }
        E::StatusCreate | E::StatusUpdate | E::StatusDelete => {
            record(world, event, RecordKind::Status, command)
        }
        E::ContactCreate | E::ContactUpdate | E::ContactDelete => {
            record(world, event, RecordKind::Contact, command)
        }
        E::MemberAdd | E::MemberRemove => member(world, event, command),
        E::HookVerify => {
            let hook_id = existing(command, world.hooks.keys(), "hook")?;
            world.request_verification(hook_id).map(|()| hook_id)
        }
    }
}

fn item(world: &mut World, event: EventType, command: &SandboxCommand) -> Result<u64, ErrorAnswer> {
    let author = world.first_author();
    if event == EventType::ItemCreate {
        let app_id = existing(command, world.apps.keys(), "app")?;
        let fields = values::fields(world.app(app_id)?, command)?;
        return world.create_item(app_id, draft(fields), &author, Switches::DEFAULT);
    }
    let item_id = existing(command, world.items.keys(), "item")?;
    if event == EventType::ItemDelete {
        none(command)?;
        return world
            .delete_item(item_id, Switches::DEFAULT)
            .map(|()| item_id);
    }
    let app_id = world.item(item_id)?.app_id;
    let fields = values::fields(world.app(app_id)?, command)?;
    world.update_item(item_id, draft(fields), &author, Switches::DEFAULT)?;
    Ok(item_id)
}

fn draft(fields: Value) -> ItemDraft {
    ItemDraft {
        fields,
        ..ItemDraft::default()
    }
}

fn comment(
    world: &mut World,
    event: EventType,
    command: &SandboxCommand,
) -> Result<u64, ErrorAnswer> {
    if event == EventType::CommentDelete {
        let comment_id = existing(command, world.comments.keys(), "comment")?;
        none(command)?;
        return world
            .delete_comment(comment_id, Switches::DEFAULT)
            .map(|()| comment_id);
    }
    let item_id = existing(command, world.items.keys(), "item")?;
    let [value] = values_of(command, ["value"])?;
    let value = value.unwrap_or_else(|| "Done, please check.".to_owned());
    let author = world.first_author();
    let on = Attachment::Item(item_id);
    let new = NewComment {
        value,
        ..NewComment::default()
    };
    world.comment(on, new, &author, Switches::DEFAULT)
}

fn on_item(
    world: &mut World,
    event: EventType,
    command: &SandboxCommand,
) -> Result<u64, ErrorAnswer> {
    let item_id = existing(command, world.items.keys(), "item")?;
    if event == EventType::FileChange {
        let [name] = values_of(command, ["name"])?;
        let name = name.unwrap_or_else(|| "note.txt".to_owned());
        let content = FileContent::Kept(Bytes::from_static(b"A file of the sandbox.\n"));
        let author = world.first_author();
        let file_id = world.upload(name, "text/plain".to_owned(), content, &author);
        world.attach(file_id, Attachment::Item(item_id), Switches::DEFAULT)?;
        return Ok(item_id);
    }
    let [tag] = values_of(command, ["tag"])?;
    let tag = tag.unwrap_or_else(|| "urgent".to_owned());
    if event == EventType::TagAdd {
        world.add_tags(item_id, vec![tag], Switches::DEFAULT)?;
    } else {
        world.delete_tag(item_id, tag, Switches::DEFAULT)?;
    }
    Ok(item_id)
}

fn app(world: &mut World, event: EventType, command: &SandboxCommand) -> Result<u64, ErrorAnswer> {
    if event == EventType::AppCreate {
        let space_id = existing(command, world.spaces.keys(), "space")?;
        let [name] = values_of(command, ["name"])?;
        let title = SeedField {
            external_id: "title".to_owned(),
            kind: "text".to_owned(),
            label: "Title".to_owned(),
            options: Vec::new(),
            settings: Map::new(),
        };
        let name = name.unwrap_or_else(|| "New app".to_owned());
        return world.create_app(space_id, &name, vec![title]);
    }
    let app_id = existing(command, world.apps.keys(), "app")?;
    if event == EventType::AppDelete {
        none(command)?;
        return world.delete_app(app_id).map(|()| app_id);
    }
    let [name] = values_of(command, ["name"])?;
    world.change_app(app_id, |app, _| {
        app.name = name.unwrap_or_else(|| app.name.clone());
        Ok(app_id)
    })
}

fn task(world: &mut World, event: EventType, command: &SandboxCommand) -> Result<u64, ErrorAnswer> {
    if event == EventType::TaskCreate {
        let space_id = existing(command, world.spaces.keys(), "space")?;
        let [text] = values_of(command, ["text"])?;
        let new = NewTask {
            text: text.unwrap_or_else(|| "Call the customer".to_owned()),
            on: Some(Attachment::Space(space_id)),
            ..NewTask::default()
        };
        let author = world.first_author();
        return world.create_task(new, &author, Switches::DEFAULT);
    }
    let task_id = existing(command, world.tasks.keys(), "task")?;
    if event == EventType::TaskDelete {
        none(command)?;
        return world
            .delete_task(task_id, Switches::DEFAULT)
            .map(|()| task_id);
    }
    let [text] = values_of(command, ["text"])?;
    world.update_task(task_id, Switches::DEFAULT, |task| {
        task.text = text.unwrap_or_else(|| task.text.clone());
    })?;
    Ok(task_id)
}

fn record(
    world: &mut World,
    event: EventType,
    kind: RecordKind,
    command: &SandboxCommand,
) -> Result<u64, ErrorAnswer> {
    use EventType as E;
    let pairs = command
        .values
        .iter()
        .map(|(name, text)| (name.clone(), json!(text)));
    let body = Value::Object(pairs.collect());
    if matches!(event, E::FormCreate | E::StatusCreate | E::ContactCreate) {
        let owner = if kind == RecordKind::Form {
            existing(command, world.apps.keys(), "app")?
        } else {
            existing(command, world.spaces.keys(), "space")?
        };
        let author = world.first_author();
        return world.create_record(kind, owner, body, &author);
    }
    let records = world
        .records
        .iter()
        .filter(|(_, record)| record.kind == kind);
    let what = kind.id_name().trim_end_matches("_id");
    let id = existing(command, records.map(|(id, _)| id), what)?;
    if matches!(event, E::FormUpdate | E::StatusUpdate | E::ContactUpdate) {
        world.update_record(kind, id, body)?;
    } else {
        none(command)?;
        world.delete_record(kind, id)?;
    }
    Ok(id)
}

fn member(
    world: &mut World,
    event: EventType,
    command: &SandboxCommand,
) -> Result<u64, ErrorAnswer> {
    none(command)?;
    let users: Vec<u64> = world
        .people
        .users()
        .iter()
        .map(|user| user.user_id)
        .collect();
    let user_id = existing(command, users.iter(), "user")?;
    let space_id = world.spaces.keys().next().copied();
    world.change_member(event, space_id.ok_or_else(ErrorAnswer::not_found)?, user_id)?;
    Ok(user_id)
}

/// Returns the object that the command names, or else the first that exists.
fn existing<'a>(
    command: &SandboxCommand,
    mut ids: impl Iterator<Item = &'a u64>,
    what: &str,
) -> Result<u64, ErrorAnswer> {
    let found = match command.object {
        Some(wanted) => ids.find(|id| **id == wanted),
        None => ids.next(),
    };
    found.copied().ok_or_else(|| {
        let which = command
            .object
            .map_or_else(|| format!("a {what} yet"), |id| format!("the {what} {id}"));
        ErrorAnswer::new(
            404,
            "not_found",
            format!("The sandbox does not have {which}"),
        )
    })
}

/// Returns the values of these names, and refuses others.
fn values_of<const N: usize>(
    command: &SandboxCommand,
    names: [&str; N],
) -> Result<[Option<String>; N], ErrorAnswer> {
    if let Some((name, _)) = command
        .values
        .iter()
        .find(|(name, _)| !names.contains(&name.as_str()))
    {
        return Err(ErrorAnswer::invalid(format!(
            "{} does not take `{name}`; it takes {}",
            command.event,
            names.join(", ")
        )));
    }
    Ok(names.map(|name| {
        let pair = command.values.iter().find(|(given, _)| given == name);
        pair.map(|(_, value)| value.clone())
    }))
}

fn none(command: &SandboxCommand) -> Result<(), ErrorAnswer> {
    match command.values.first() {
        Some((name, _)) => Err(ErrorAnswer::invalid(format!(
            "{} does not take `{name}`",
            command.event
        ))),
        None => Ok(()),
    }
}
