//! Compares two events, or the answers to two attempts.

mod effect;

use podtap_agent::EventId;

pub(crate) use effect::{CompareAnswer, CompareEffect, run};

use crate::command::UiCommand;
use crate::detail::Detail;
use crate::env::Env;
use crate::event_name::event_name;
use crate::list::List;
use crate::theme::Role;
use crate::words;

/// Compares the selected event with the newest marked event, or explains what is missing.
pub(crate) fn compare_events(
    list: &List,
    detail: &Detail,
    env: Env<'_>,
) -> UiCommand<CompareEffect> {
    let selected = list.selected_event().map(|row| row.id);
    let marked = list.marked_events().into_iter().rev();
    let mut marked = marked.filter(|id| Some(*id) != selected);
    let (Some(one), Some(other)) = (marked.next(), selected) else {
        return UiCommand::notify(Role::Quiet, "Mark the event to compare with first");
    };
    let named = |id| (id, name_and_time(id, list, detail, env));
    UiCommand::Run(CompareEffect::Compare {
        one: named(one),
        other: named(other),
    })
}

/// Compares the answer in the tab Response with the answer before it, or explains what is missing.
pub(crate) fn compare_answers(detail: &Detail) -> UiCommand<CompareEffect> {
    match detail.attempt() {
        Some((id, number)) if number > 1 => {
            UiCommand::Run(CompareEffect::CompareAnswers { id, number })
        }
        _ => UiCommand::notify(Role::Quiet, "There is no earlier answer to compare with"),
    }
}

/// Returns the name of an event and the time at which it arrived.
fn name_and_time(id: EventId, list: &List, detail: &Detail, env: Env<'_>) -> String {
    let came = list.event(id).map(|row| row.received_at);
    let name = event_name(id, list, detail);
    match came {
        Some(at) => format!("{name}  {}", words::moment(at, env.now, env.zone)),
        None => name,
    }
}
