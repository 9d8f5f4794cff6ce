//! Makes one random change. Synchronous.

use std::collections::BTreeMap;

use fastrand::Rng;
use serde_json::{Map, Value, json};

use super::phrases;
use crate::answer::ErrorAnswer;
use crate::world::{
    Attachment, FileContent, ItemDraft, NewComment, NewTask, RecordKind, RevisionAuthor, StoredApp,
    StoredField, StoredItem, Switches, World,
};

/// Maximum number of items per app. Beyond it, the oldest is deleted with everything
/// attached to it.
const MAX_ITEMS: usize = 60;
/// Maximum number of revisions per item. Beyond it, the item is deleted.
const MAX_REVISIONS: usize = 60;
/// Maximum number of open tasks and of status posts. Beyond it, old ones are deleted.
const MAX_LOOSE: usize = 60;

/// Kinds of changes.
#[derive(Clone, Copy)]
enum LifeAction {
    CreateItem,
    ChangeItem,
    Comment,
    Attach,
    DeleteFile,
    CreateTask,
    CompleteTask,
    Tag,
    Post,
    DeleteItem,
    DeleteComment,
}

/// Number of changes of each kind per hundred.
const MIX: &[(usize, LifeAction)] = &[
    (12, LifeAction::CreateItem),
    (42, LifeAction::ChangeItem),
    (16, LifeAction::Comment),
    (8, LifeAction::Attach),
    (1, LifeAction::DeleteFile),
    (6, LifeAction::CreateTask),
    (5, LifeAction::CompleteTask),
    (3, LifeAction::Tag),
    (3, LifeAction::Post),
    (3, LifeAction::DeleteItem),
    (1, LifeAction::DeleteComment),
];

/// Maximum number of attempts for one change.
const MAX_TRIES: usize = 20;

/// Makes one change. If a change is refused because it is impossible now, such as changing
/// an item if there is none, another is tried. Returns `false` if none was possible.
pub(super) fn step(world: &mut World, rng: &mut Rng) -> bool {
    (0..MAX_TRIES).any(|_| try_step(world, rng).is_ok())
}

fn try_step(world: &mut World, rng: &mut Rng) -> Result<(), ErrorAnswer> {
    tidy(world)?;
    let author = any_author(world, rng);
    let fire = Switches::DEFAULT;
    match choose(rng) {
        LifeAction::CreateItem => {
            let app_id = any(world.apps.keys(), rng)?;
            let fields = new_values(world, world.app(app_id)?, rng);
            let draft = ItemDraft {
                fields,
                ..ItemDraft::default()
            };
            world.create_item(app_id, draft, &author, fire)?;
        }
        LifeAction::ChangeItem => {
            let item_id = any(world.items.keys(), rng)?;
            let draft = ItemDraft {
                fields: change(world, world.item(item_id)?, rng)?,
                ..ItemDraft::default()
            };
            world.update_item(item_id, draft, &author, fire)?;
        }
        LifeAction::Comment => {
            let on = Attachment::Item(any(world.items.keys(), rng)?);
            let new = NewComment {
                value: phrases::comment(rng),
                ..NewComment::default()
            };
            world.comment(on, new, &author, fire)?;
        }
        LifeAction::Attach => {
            let on = Attachment::Item(any(world.items.keys(), rng)?);
            let (name, mimetype) = phrases::file(rng);
            let size = rng.usize(20_000..4_000_000);
            let file_id = world.upload(name, mimetype, FileContent::Filler(size), &author);
            world.attach(file_id, on, fire)?;
        }
        LifeAction::DeleteFile => world.delete_file(any(world.files.keys(), rng)?, fire)?,
        LifeAction::CreateTask => {
            let on = Attachment::Item(any(world.items.keys(), rng)?);
            let task = NewTask {
                text: phrases::task(rng),
                on: Some(on),
                ..NewTask::default()
            };
            world.create_task(task, &author, fire)?;
        }
        LifeAction::CompleteTask => {
            let task_id = any(world.tasks.keys(), rng)?;
            let done = (world.now, author.by);
            world.update_task(task_id, fire, |task| task.completed = Some(done))?;
        }
        LifeAction::Tag => {
            let item_id = any(world.items.keys(), rng)?;
            world.add_tags(item_id, vec![phrases::tag(rng)], fire)?;
        }
        LifeAction::Post => {
            let space_id = any(world.spaces.keys(), rng)?;
            let body = json!({ "value": phrases::comment(rng) });
            world.create_record(RecordKind::Status, space_id, body, &author)?;
        }
        LifeAction::DeleteItem => world.delete_item(any(world.items.keys(), rng)?, fire)?,
        LifeAction::DeleteComment => {
            world.delete_comment(any(world.comments.keys(), rng)?, fire)?;
        }
    }
    Ok(())
}

/// Deletes old objects, one of each kind at a time, as people would.
fn tidy(world: &mut World) -> Result<(), ErrorAnswer> {
    let fire = Switches::DEFAULT;
    let mut counts = BTreeMap::<u64, usize>::new();
    for item in world.items.values() {
        *counts.entry(item.app_id).or_default() += 1;
    }
    let crowded = |item: &&StoredItem| counts.get(&item.app_id).is_some_and(|n| *n > MAX_ITEMS);
    let worn = |item: &&StoredItem| item.revisions.len() > MAX_REVISIONS;
    let old = world
        .items
        .values()
        .find(|item| crowded(item) || worn(item));
    if let Some(item_id) = old.map(|item| item.id) {
        world.delete_item(item_id, fire)?;
    }
    if world.tasks.len() > MAX_LOOSE
        && let Some(&task_id) = world.tasks.keys().next()
    {
        world.delete_task(task_id, fire)?;
    }
    let posts = || {
        world
            .records
            .iter()
            .filter(|(_, t)| t.kind == RecordKind::Status)
    };
    if posts().count() > MAX_LOOSE
        && let Some(id) = posts().map(|(&id, _)| id).next()
    {
        world.delete_record(RecordKind::Status, id)?;
    }
    Ok(())
}

fn choose(rng: &mut Rng) -> LifeAction {
    let mut at = rng.usize(0..MIX.iter().map(|(weight, _)| weight).sum());
    for &(weight, action) in MIX {
        match at.checked_sub(weight) {
            Some(rest) => at = rest,
            None => return action,
        }
    }
    LifeAction::ChangeItem
}

fn any_author(world: &World, rng: &mut Rng) -> RevisionAuthor {
    let mut author = world.first_author();
    if let Some(user) = rng.choice(world.people.users()) {
        author.by.id = user.user_id;
        author.by.name.clone_from(&user.name);
    }
    author
}

fn new_values(world: &World, app: &StoredApp, rng: &mut Rng) -> Value {
    let values = app.fields.iter().filter_map(|field| {
        let first_option = field.options.first().map(|option| json!(option));
        let value = first_option.or_else(|| new_value(world, field, None, rng))?;
        Some((field.external_id.clone(), value))
    });
    values.collect::<Map<_, _>>().into()
}

/// Returns a change of one or two fields.
fn change(world: &World, item: &StoredItem, rng: &mut Rng) -> Result<Value, ErrorAnswer> {
    let app = world.app(item.app_id)?;
    let mut values = Map::new();
    for _ in 0..rng.usize(1..=2) {
        let Some(field) = rng.choice(&app.fields) else {
            continue;
        };
        let old = item.values.get(&field.id).and_then(|v| v.first());
        if let Some(value) = new_value(world, field, old, rng) {
            values.insert(field.external_id.clone(), value);
        }
    }
    // Without values, the change would still create a revision.
    if values.is_empty() {
        return Err(ErrorAnswer::not_found());
    }
    Ok(values.into())
}

fn new_value(
    world: &World,
    field: &StoredField,
    old: Option<&Value>,
    rng: &mut Rng,
) -> Option<Value> {
    match field.kind.as_str() {
        "text" => Some(json!(phrases::text(&field.external_id, rng))),
        "category" => {
            let old = old.and_then(|old| old.pointer("/value/id")?.as_u64());
            let count = field.options.len() as u64;
            Some(json!(old.map_or(1, |old| old % count.max(1) + 1)))
        }
        "money" => Some(json!({ "value": f64::from(rng.u32(100..9_000)), "currency": "EUR" })),
        "number" => Some(json!(rng.u32(1..500))),
        "progress" => Some(json!(rng.u32(0..=20) * 5)),
        "date" => {
            let day = world.now.as_second() + i64::from(rng.u32(1..60)) * 86_400;
            let day = jiff::Timestamp::from_second(day).ok()?;
            Some(json!({ "start": day.strftime("%Y-%m-%d").to_string() }))
        }
        "app" => any(world.items.keys(), rng).ok().map(Value::from),
        // Podio computes this value, or its form is not known here.
        _ => None,
    }
}

fn any<'a>(
    mut ids: impl ExactSizeIterator<Item = &'a u64>,
    rng: &mut Rng,
) -> Result<u64, ErrorAnswer> {
    if ids.len() == 0 {
        return Err(ErrorAnswer::not_found());
    }
    let index = rng.usize(0..ids.len());
    ids.nth(index).copied().ok_or_else(ErrorAnswer::not_found)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use jiff::Timestamp;

    use super::*;
    use crate::config::SandboxConfig;

    #[test]
    fn ten_thousand_changes_leave_a_world_of_bounded_size() {
        let now = Timestamp::from_second(1_800_000_000).unwrap();
        let mut world = World::new(Arc::new(SandboxConfig::default()), String::new(), now);
        let mut rng = Rng::with_seed(1);

        for _ in 0..10_000 {
            assert!(step(&mut world, &mut rng), "nothing changed");
        }

        assert!(world.items.len() > 5);
        assert!(world.items.len() <= 3 * (MAX_ITEMS + 1));
        assert!(
            world
                .items
                .values()
                .all(|i| i.revisions.len() <= MAX_REVISIONS + 1)
        );
        assert!(world.tasks.len() <= MAX_LOOSE + 1);
        assert!(world.comments.len() < 1_000 && world.files.len() < 1_000);
        assert!(world.records.len() <= MAX_LOOSE + 1);
    }
}
