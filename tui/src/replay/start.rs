//! How a replay begins: at once, after the events were found, or after a question.

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

/// What comes first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ReplayStart {
    /// This is sent.
    Send(ReplayEffect),
    /// These are sent, one after the other.
    SendAll(ReplayRequest),
    /// The events are to be found.
    Find(ListEffect),
    /// A person is to be asked.
    Ask(Lines, ReplayRequest),
}

/// What decides how a replay begins.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Starter<'a> {
    /// The events by name, where they are listed.
    pub(crate) list: &'a List,
    /// The event by name that is open.
    pub(crate) detail: &'a Detail,
    /// The configured local service.
    pub(crate) local: Option<&'a Target>,
    /// The keys, for the hint.
    pub(crate) keymap: &'a Keymap,
}

impl Starter<'_> {
    /// Replays the selected event or burst; in the list all that are marked, once that is confirmed.
    pub(crate) fn begin(self, is_in_detail: bool) -> Option<ReplayStart> {
        let marked = self.list.marked_events();
        if marked.is_empty() || is_in_detail {
            return self.selected();
        }
        let what = self.name_all(&marked, "marked event");
        let request = ReplayRequest {
            events: marked,
            target: None,
            rate: None,
        };
        Some(self.question(&what, None, request))
    }

    fn selected(self) -> Option<ReplayStart> {
        let row = self.list.selected()?;
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

    /// These were found, newest first: they are sent, or first asked about.
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

    /// One event by its name, several by their number.
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
        let rate = request.rate.map(|rate| format!("{rate} a second"));
        lines.extend(rate.map(|rate| Line::of(Role::Quiet, rate)));
        let hint = [(Action::Accept, "sends"), (Action::Back, "leaves")];
        let hint = self.keymap.hints(Context::Confirm, &hint);
        ReplayStart::Ask(Lines::new("Replay", hint, lines), request)
    }
}

/// Begins by finding what the filter wants.
pub(super) fn find(filter: Filter, options: ReplayOptions) -> ReplayStart {
    ReplayStart::Find(find_all(filter, FindPurpose::Replay(options)))
}
