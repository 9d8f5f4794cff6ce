//! Describes one row of the hooks in full.

use podtap_agent::{CallFailure, HookStanding, ListedHook};

use super::row::{self, HookRow};
use crate::line::Line;
use crate::paragraph;
use crate::theme::Role;
use crate::words;

/// Cells of a label.
const LABEL: usize = 12;

/// Returns the description of a row, in lines of `width` cells.
pub(crate) fn about(row: &HookRow, width: usize) -> Vec<Line> {
    let mut about = About {
        lines: Vec::new(),
        room: width.saturating_sub(LABEL),
    };
    match row {
        HookRow::Hook(listed) => {
            about.hook(listed);
            match &listed.standing {
                Some(standing) => about.standing(standing),
                None => about.say("standing", Role::Quiet, "it was not called within a week"),
            }
        }
        HookRow::Failed(failed) => {
            about.say("on", Role::Plain, &failed.place.to_string());
            about.say("", Role::Quiet, &failed.place.at.to_string());
            about.say("its hooks", Role::Failed, "cannot be listed");
            about.say("", Role::Plain, &failed.reason);
        }
        HookRow::Called(standing) => {
            about.say("hook", Role::Number, &standing.hook_id.to_string());
            let text = "the history has its calls, but Podio's lists do not have the hook";
            about.say("known from", Role::Quiet, text);
            about.standing(standing);
        }
    }
    about.lines
}

struct About {
    lines: Vec<Line>,
    room: usize,
}

impl About {
    /// Adds a label and, beside it, text that is wrapped.
    fn say(&mut self, label: &str, role: Role, text: &str) {
        let parts = paragraph::lines(role, text, self.room);
        for (index, part) in parts.into_iter().enumerate() {
            let label = if index == 0 { label } else { "" };
            let line = Line::new().column(Role::Quiet, label, LABEL);
            self.lines.push(line.join(part));
        }
    }

    fn hook(&mut self, listed: &ListedHook) {
        let hook = &listed.hook;
        let (role, status) = row::status(hook.status);
        self.say("hook", Role::Number, &hook.hook_id.to_string());
        self.say("status", role, status);
        self.say("event", Role::Plain, &hook.event);
        self.say("on", Role::Plain, &listed.place.to_string());
        if listed.place.name.is_some() {
            self.say("", Role::Quiet, &listed.place.at.to_string());
        }
        self.say("URL", Role::Accent, &hook.url);
        let (role, _) = row::mark(&listed.verdict);
        self.say("leads to", role, &listed.verdict.words());
        if let Some(by) = &hook.created_by {
            let kind = if by.kind == "app" { " (app)" } else { "" };
            self.say("made by", Role::Plain, &format!("{}{kind}", by.name));
        }
        if let Some(via) = hook.created_via.as_ref().filter(|via| !via.name.is_empty()) {
            self.say("through", Role::Plain, &via.name);
        }
        if let Some(on) = &hook.created_on {
            self.say("made on", Role::Plain, &format!("{on} UTC"));
        }
        if listed.made_here {
            let text = "the agent created it, and removes it when it ends";
            self.say("kept", Role::Plain, text);
        }
    }

    fn standing(&mut self, standing: &HookStanding) {
        let bad = standing.conclusion() != "active";
        let role = if bad { Role::Warning } else { Role::Ok };
        let conclusion = format!(
            "{}, if Podio called the local service directly",
            standing.conclusion()
        );
        self.say("standing", role, &conclusion);
        let counts = format!(
            "{} in a week, {} failed; {} of these in 15 min (15 suspend), {} in 7 days (200 disable)",
            words::count(standing.calls, "call"),
            words::number(standing.failed),
            standing.failed_soon,
            standing.failed_week
        );
        self.say("", Role::Plain, &counts);
        if let Some(failure) = standing.newest_failure {
            let why = match failure {
                CallFailure::Unreachable => "there was no connection".to_owned(),
                CallFailure::Slow => "the answer took longer than Podio waits".to_owned(),
                CallFailure::Status(status) => format!("the answer was {status}"),
            };
            self.say("", Role::Plain, &format!("the newest failure: {why}"));
        }
        if standing.missed > 0 {
            let missed = words::count(standing.missed, "event");
            self.say(
                "",
                Role::Warning,
                &format!("{missed} would have been missed"),
            );
        }
    }
}
