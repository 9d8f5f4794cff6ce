//! How a replay shall go: to which local service, and how fast.

use podtap_agent::{EventId, Target};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::widgets::{Clear, Widget};

use crate::app::App;
use crate::batch::Batch;
use crate::frame::{Frame, Titles};
use crate::input::Input;
use crate::keymap::{Action, Key};
use crate::layout::{centered, inner};
use crate::line::Line;
use crate::theme::Role;
use crate::words;

/// Cells of a label.
const LABEL: usize = 14;

/// The open form.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Options {
    events: Vec<EventId>,
    target: Input,
    rate: Input,
    /// Whether the rate is being typed, and not the target.
    at_rate: bool,
    fault: Option<String>,
}

impl Options {
    /// The form for these events.
    pub(crate) fn new(events: Vec<EventId>) -> Self {
        Self {
            events,
            ..Self::default()
        }
    }

    /// A key was pressed. Returns the replays, once the form is whole and sent.
    pub(crate) fn key(&mut self, key: Key, action: Option<Action>) -> Option<Batch> {
        match action {
            Some(Action::Open) => return self.batch(),
            Some(Action::Up | Action::Down | Action::NextTab) => self.at_rate = !self.at_rate,
            _ => {
                self.typed().key(key);
            }
        }
        None
    }

    /// Text was pasted into the field that is being typed.
    pub(crate) fn paste(&mut self, text: &str) {
        self.typed().insert(text);
    }

    fn typed(&mut self) -> &mut Input {
        if self.at_rate {
            &mut self.rate
        } else {
            &mut self.target
        }
    }

    fn batch(&mut self) -> Option<Batch> {
        let (target, rate) = (self.target.text(), self.rate.text());
        let parsed = optional(&target, |text| {
            text.parse::<Target>().map_err(|e| e.to_string())
        });
        let parsed = parsed.and_then(|target| Ok((target, optional(&rate, per_second)?)));
        match parsed {
            Ok((target, rate)) => Some(Batch::new(self.events.iter().copied(), target, rate)),
            Err(fault) => {
                self.fault = Some(fault);
                None
            }
        }
    }

    /// Draws the form over `screen`.
    pub(crate) fn view(&self, app: &App, screen: Rect, buffer: &mut Buffer) {
        let area = centered(screen, 64, 6);
        Clear.render(area, buffer);
        let many = u64::try_from(self.events.len()).unwrap_or(u64::MAX);
        let titles = Titles {
            left: Line::of(
                Role::Strong,
                format!("Replay {}", words::count(many, "event")),
            ),
            right: Line::of(Role::Accent, "tab next · enter sends"),
            ..Titles::default()
        };
        Frame {
            focused: true,
            titles,
        }
        .draw(area, app.theme(), buffer);
        let area = inner(area);
        let room = usize::from(area.width).saturating_sub(LABEL);
        let configured = app.status().target.as_ref().map(ToString::to_string);
        let field = |label, input: &Input, typed: bool, otherwise: String| {
            let value = match (typed, input.text().is_empty()) {
                (true, _) => input.line(room, None),
                (false, true) => Line::of(Role::Quiet, otherwise),
                (false, false) => Line::of(Role::Plain, input.text()),
            };
            Line::new().column(Role::Quiet, label, LABEL).join(value)
        };
        let local = configured.unwrap_or_else(|| "none is configured".to_owned());
        let fast = "as fast as it answers".to_owned();
        let lines = [
            field("Local service", &self.target, !self.at_rate, local),
            field("Per second", &self.rate, self.at_rate, fast),
            Line::new(),
            Line::of(Role::Failed, self.fault.as_deref().unwrap_or_default()),
        ];
        for (line, row) in lines.iter().zip(area.rows()) {
            line.draw(row, app.theme(), buffer);
        }
    }
}

fn optional<T>(
    text: &str,
    parse: impl FnOnce(&str) -> Result<T, String>,
) -> Result<Option<T>, String> {
    let text = text.trim();
    if text.is_empty() {
        Ok(None)
    } else {
        parse(text).map(Some)
    }
}

fn per_second(text: &str) -> Result<usize, String> {
    let number = text.parse().ok().filter(|rate| (1..=1_000).contains(rate));
    number.ok_or_else(|| format!("{text:?} is no rate: write a number from 1 to 1000"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::id;

    fn sent(target: &str, rate: &str) -> Result<usize, String> {
        let enter: Key = "enter".parse().unwrap();
        let mut options = Options::new(vec![id(1), id(2), id(3)]);
        options.paste(target);
        options.key("tab".parse().unwrap(), Some(Action::NextTab));
        options.paste(rate);
        let batch = options.key(enter, Some(Action::Open));
        batch
            .map(|mut batch| batch.next().len())
            .ok_or(options.fault.unwrap_or_default())
    }

    #[test]
    fn empty_fields_leave_things_as_they_are() {
        assert_eq!(sent("", ""), Ok(3));
        assert_eq!(sent("4000", "2"), Ok(2));
    }

    #[test]
    fn what_cannot_be_is_told_and_nothing_is_sent() {
        assert!(sent("ftp://x", "").unwrap_err().contains("try 3000"));
        assert!(sent("", "0").unwrap_err().contains("from 1 to 1000"));
    }
}
