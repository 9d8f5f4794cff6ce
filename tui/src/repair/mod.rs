//! Reports gaps, and looks for lost events. A notice about a gap names the key that looks for
//! the missing events; the key opens a form for the start time, and then shows what was found.
//! The list shows each gap as a row.

mod effect;
mod gap;
#[cfg(test)]
mod scenes;
#[cfg(test)]
mod tests;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use podtap_agent::history::{Filter, HistoryGap, Incident};
use podtap_agent::repair::{CANNOT_BE_FOUND, LostEvent, MAY_BE_HOOK_FALSE, RepairReport};

pub(crate) use effect::{RepairAnswer, RepairEffect, run};
pub(crate) use gap::view;

use crate::command::UiCommand;
use crate::keymap::{Action, Keymap};
use crate::line::Line;
use crate::list::List;
use crate::theme::Role;
use crate::widget::form::{Choice, Fields, Text, fields};
use crate::words;

/// Events that are younger than this may still arrive, so they do not count as lost.
const MAY_STILL_COME: SignedDuration = SignedDuration::from_mins(1);

/// Maximum age of a gap that counts as found at the start of the UI.
const JUST_FOUND: SignedDuration = SignedDuration::from_mins(1);

/// The gaps that were reported to the person.
#[derive(Debug, Clone, Default)]
pub(crate) struct Repairs {
    /// The incident that was reported last.
    told: Option<Incident>,
    /// The start of the last reported outage, after which events may be lost.
    since: Option<Timestamp>,
    /// Whether the rows that were loaded first have been checked for a gap.
    has_begun: bool,
}

impl Repairs {
    /// Returns a notice about an incident. If events may be lost, the notice
    /// names the key that looks for them.
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

    /// Checks the first rows. Returns a notice about a gap that the agent found at
    /// its start, before the UI was open.
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

    /// Returns the form that asks for the start time, with the start of the selected gap or, if
    /// none is selected, of the last reported one.
    pub(crate) fn form(&self, selected: Option<&HistoryGap>) -> RepairForm {
        let since = match selected {
            Some(gap) => gap.since,
            None => self.since,
        };
        RepairForm::new(since)
    }
}

/// Returns the notice to show if a key needs an event and a gap is selected.
pub(crate) fn no_event<E>(keymap: &Keymap) -> UiCommand<E> {
    let hint = keymap.key(Action::Repair);
    let hint = hint.map(|key| format!(": {key} looks for what was lost"));
    let hint = hint.unwrap_or_default();
    UiCommand::notify(Role::Quiet, format!("A gap holds no event{hint}"))
}

/// The form that asks for the start time.
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

    /// Returns the request that the form describes.
    ///
    /// # Errors
    /// What is wrong in the form, in words.
    pub(crate) fn read(&self, now: Timestamp) -> Result<RepairEffect, String> {
        let since = Filter::time(self.since.text().trim(), now)?;
        let until = now.saturating_sub(MAY_STILL_COME).unwrap_or(now);
        if since >= until {
            return Err("events of the last minute may still come: choose an earlier time".into());
        }
        Ok(RepairEffect::Look {
            since,
            until,
            dry_run: self.dry_run.chosen_option() == Some(&true),
        })
    }
}

/// Formats a time as the form and the command line accept it.
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

/// Returns the lines that report what was found, and what cannot be found.
pub(crate) fn lines(repaired: &RepairReport, dry_run: bool, zone: &TimeZone) -> Vec<Line> {
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
    lines.extend(repaired.lost.iter().map(|lost| lost_event_line(lost, zone)));
    if !repaired.lost.is_empty() {
        lines.push(Line::new());
    }
    if repaired.lost.iter().any(|lost| !lost.by_hand) {
        lines.push(Line::of(Role::Quiet, MAY_BE_HOOK_FALSE));
    }
    lines.push(Line::of(Role::Quiet, repaired.left_out(zone)));
    lines.push(Line::of(Role::Quiet, CANNOT_BE_FOUND));
    let unfinished = repaired.unfinished.iter();
    lines.extend(unfinished.map(|why| Line::of(Role::Warning, why)));
    lines
}

fn lost_event_line(lost: &LostEvent, zone: &TimeZone) -> Line {
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
