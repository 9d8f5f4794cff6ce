//! Decides how a replay starts: immediately, after a search for the events,
//! or after a confirmation.

use podtap_agent::history::{Filter, Position};
use podtap_agent::{EventId, Target};

use super::ReplayRequest;
use super::effect::ReplayEffect;
use crate::detail::Detail;
use crate::event_name::event_name;
use crate::keymap::{Action, Context, Keymap};
use crate::line::Line;
use crate::list::marks::find_all;
use crate::list::{FindPurpose, List, ListEffect, ReplayOptions};
use crate::theme::Role;
use crate::widget::lines::Lines;
use crate::words;

/// The first step of a replay.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ReplayStart {
    /// Replays one event.
    Send(ReplayEffect),
    /// Replays these events in order.
    SendAll(ReplayRequest),
    /// Finds the events.
    Find(ListEffect),
    /// Asks a person for confirmation.
    Ask(Lines, ReplayRequest),
}

/// The state that decides how a replay starts.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Starter<'a> {
    /// The list, for the names of events.
    pub(crate) list: &'a List,
    /// The detail, for the name of the open event.
    pub(crate) detail: &'a Detail,
    /// The configured local service.
    pub(crate) local: Option<&'a Target>,
    /// The keys, for the hint.
    pub(crate) keymap: &'a Keymap,
}

impl Starter<'_> {
    /// Replays the selected event or burst. In the list, replays all marked events after
    /// a confirmation, if there are any.
    pub(crate) fn begin(self, is_in_detail: bool) -> Option<ReplayStart> {
        let marked = self.list.marked_events();
        if marked.is_empty() || is_in_detail {
            return self.start_selected();
        }
        let what = self.name_all(&marked, "marked event");
        let request = ReplayRequest {
            events: marked,
            target: None,
            rate: None,
        };
        Some(self.question(&what, None, request))
    }

    fn start_selected(self) -> Option<ReplayStart> {
        let row = self.list.selected_event()?;
        Some(match &row.burst {
            Some(burst) => {
                let options = ReplayOptions {
                    of: Some(words::burst(row)),
                    asks: true,
                    target: None,
                    rate: None,
                };
                find(Filter::between(burst.first, burst.last), options)
            }
            None => ReplayStart::Send(ReplayEffect::Replay {
                id: row.id,
                target: None,
                edited: None,
            }),
        })
    }

    /// Replays the events that were found, newest first in `found`, or asks for confirmation.
    pub(crate) fn on_found(
        self,
        found: Vec<(Position, EventId)>,
        options: ReplayOptions,
    ) -> ReplayStart {
        let request = ReplayRequest {
            events: found.into_iter().rev().map(|(_, id)| id).collect(),
            target: options.target,
            rate: options.rate,
        };
        if !options.asks {
            return ReplayStart::SendAll(request);
        }
        let what = self.name_all(&request.events, "event");
        self.question(&what, options.of, request)
    }

    /// Returns the name of a single event, or the number of several.
    fn name_all(self, events: &[EventId], noun: &str) -> String {
        match events {
            [only] => event_name(*only, self.list, self.detail),
            several => {
                let many = u64::try_from(several.len()).unwrap_or(u64::MAX);
                words::count(many, noun)
            }
        }
    }

    fn question(self, what: &str, of: Option<String>, request: ReplayRequest) -> ReplayStart {
        let order = if request.events.len() > 1 {
            ", oldest first"
        } else {
            ""
        };
        let to = request.target.as_ref().or(self.local);
        let to = to.map_or_else(|| "where each went first".to_owned(), ToString::to_string);
        let mut lines = vec![Line::of(Role::Plain, format!("Send {what} again{order}?"))];
        lines.extend(of.map(|of| Line::of(Role::Quiet, "of ").with(Role::Plain, of)));
        lines.push(Line::of(Role::Quiet, "to ").with(Role::Plain, to));
        let rate = request.rate.map(|rate| format!("{rate} per second"));
        lines.extend(rate.map(|rate| Line::of(Role::Quiet, rate)));
        let hint = [(Action::Accept, "sends"), (Action::Back, "leaves")];
        let hint = self.keymap.hints(Context::Confirm, &hint);
        ReplayStart::Ask(Lines::new("Replay", hint, lines), request)
    }
}

/// Starts a replay with the search for the events that match the filter.
pub(super) fn find(filter: Filter, options: ReplayOptions) -> ReplayStart {
    ReplayStart::Find(find_all(filter, FindPurpose::Replay(options)))
}
