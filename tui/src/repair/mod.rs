//! Lost events: a gap is told with the key that looks for what never came, and shown as an entry;
//! the key asks since when, and shows what was found.

mod effect;
mod gap;
#[cfg(test)]
mod scenes;
#[cfg(test)]
mod tests;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use podtap_agent::history::{Filter, HistoryGap, Incident};
use podtap_agent::repair::{CANNOT_BE_FOUND, LostEvent, MAY_BE_HOOK_FALSE, Repaired};

pub(crate) use effect::{RepairAnswer, RepairEffect, run};
pub(crate) use gap::view;

use crate::command::UiCommand;
use crate::keymap::{Action, Keymap};
use crate::line::Line;
use crate::list::List;
use crate::theme::Role;
use crate::widget::form::{Choice, Fields, Text, fields};
use crate::words;

/// What is newer may still be on its way.
const MAY_STILL_COME: SignedDuration = SignedDuration::from_mins(1);

/// A gap that is no older than this was found at the start of the UI.
const JUST_FOUND: SignedDuration = SignedDuration::from_mins(1);

/// What was told of gaps.
#[derive(Debug, Clone, Default)]
pub(crate) struct Repairs {
    /// The incident that was told last.
    told: Option<Incident>,
    /// From when on events may be lost, as far as it was told.
    since: Option<Timestamp>,
    /// Whether the rows that were there at the start were looked at.
    has_begun: bool,
}

impl Repairs {
    /// Something befell the way of the events: what is said of it, with the key that looks for what
    /// was lost.
    pub(crate) fn on_incident(
        &mut self,
        incident: &Incident,
        keymap: &Keymap,
    ) -> UiCommand<RepairEffect> {
        self.told = Some(incident.clone());
        if let Incident::LinkOutage { since, .. } = incident {
            self.since = Some(*since);
        }
        let hint = incident
            .hint()
            .map(|hint| match keymap.key(Action::Repair) {
                Some(key) => format!("; {key} looks for lost events of items"),
                None => format!("; {hint}"),
            });
        UiCommand::notify(
            Role::Failed,
            format!("{incident}{}", hint.unwrap_or_default()),
        )
    }

    /// The first rows are here: a gap that the agent found at its start, before anybody looked, is
    /// told, too.
    pub(crate) fn on_rows(
        &mut self,
        list: &List,
        now: Timestamp,
        keymap: &Keymap,
    ) -> Option<UiCommand<RepairEffect>> {
        if list.is_coming() || std::mem::replace(&mut self.has_begun, true) {
            return None;
        }
        let gap = list
            .newest_gap()
            .filter(|gap| now.duration_since(gap.found_at) <= JUST_FOUND)?;
        let is_told = self.told.as_ref() == Some(&gap.incident);
        (!is_told).then(|| self.on_incident(&gap.incident, keymap))
    }

    /// The form that asks since when, for the selected gap or the one that was told.
    pub(crate) fn form(&self, selected: Option<&HistoryGap>) -> RepairForm {
        let since = match selected {
            Some(gap) => gap.since,
            None => self.since,
        };
        RepairForm::new(since)
    }
}

/// What a key says that needs an event, where a gap is selected.
pub(crate) fn no_event<E>(keymap: &Keymap) -> UiCommand<E> {
    let hint = keymap.key(Action::Repair);
    let hint = hint.map(|key| format!(": {key} looks for what was lost"));
    let hint = hint.unwrap_or_default();
    UiCommand::notify(Role::Quiet, format!("A gap holds no event{hint}"))
}

/// The form that asks since when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RepairForm {
    since: Text,
    dry_run: Choice<bool>,
}

impl RepairForm {
    fn new(since: Option<Timestamp>) -> Self {
        let since = since.map_or_else(|| "24h".to_owned(), moment);
        let hint = "24h, 12:30 or 2026-11-23T12:30:00Z";
        let then = [
            (false, "add them to the history".to_owned()),
            (true, "only show them".to_owned()),
        ];
        Self {
            since: Text::new("Changes since", &since, hint).with_autofocus(),
            dry_run: Choice::new("Then", then.into(), 0),
        }
    }

    /// What the form asks for.
    ///
    /// # Errors
    /// What is wrong in it, in words.
    pub(crate) fn read(&self, now: Timestamp) -> Result<RepairEffect, String> {
        let since = Filter::time(self.since.text().trim(), now)?;
        let until = now.saturating_sub(MAY_STILL_COME).unwrap_or(now);
        if since >= until {
            return Err("events of the last minute may still come: choose an earlier time".into());
        }
        Ok(RepairEffect::Look {
            since,
            until,
            dry_run: self.dry_run.chosen() == Some(&true),
        })
    }
}

/// A moment as the form and the command take it.
fn moment(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

impl Fields for RepairForm {
    fields!(since, dry_run);

    fn title(&self) -> &'static str {
        "Look for lost events of items"
    }

    fn verb(&self) -> &'static str {
        "look"
    }
}

/// What was found, and what no repair finds.
pub(crate) fn lines(repaired: &Repaired, dry_run: bool, zone: &TimeZone) -> Vec<Line> {
    let items = words::count(repaired.items, "changed item");
    let many = u64::try_from(repaired.lost.len()).unwrap_or(u64::MAX);
    let events = words::count(many, "event");
    let (role, text) = match (repaired.lost.is_empty(), dry_run) {
        (true, _) => (Role::Ok, format!("No event of {items} is missing.")),
        (false, true) => (
            Role::Warning,
            format!("{events} of {items} never arrived. Nothing was added."),
        ),
        (false, false) => (
            Role::Ok,
            format!("{events} of {items} never arrived. They are in the history now."),
        ),
    };
    let mut lines = vec![Line::of(role, text), Line::new()];
    lines.extend(repaired.lost.iter().map(|lost| found(lost, zone)));
    if !repaired.lost.is_empty() {
        lines.push(Line::new());
    }
    if repaired.lost.iter().any(|lost| !lost.by_hand) {
        lines.push(Line::of(Role::Quiet, MAY_BE_HOOK_FALSE));
    }
    lines.push(Line::of(Role::Quiet, CANNOT_BE_FOUND));
    let unfinished = repaired.unfinished.iter();
    lines.extend(unfinished.map(|why| Line::of(Role::Warning, why)));
    lines
}

fn found(lost: &LostEvent, zone: &TimeZone) -> Line {
    let at = lost.made_at.to_zoned_datetime(zone.clone());
    let at = at.strftime("%Y-%m-%d %H:%M:%S  ").to_string();
    Line::of(Role::Quiet, at)
        .with(Role::Name, lost.event.as_str())
        .with(
            Role::Plain,
            format!("  item {} r{}", lost.item_id, lost.revision),
        )
        .with(Role::Quiet, format!("  by {}", lost.by))
}
