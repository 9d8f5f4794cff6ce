//! Shows a gap in place of the detail: what is known about it, and what to do.

use podtap_agent::history::HistoryGap;
use ratatui::buffer::Buffer;

use crate::env::Env;
use crate::frame::{Frame, Titles};
use crate::keymap::Action;
use crate::layout::{Layout, inner};
use crate::line::Line;
use crate::theme::Role;
use crate::{paragraph, words};

/// Cells of a label.
const LABEL: usize = 12;

/// Draws the gap in the area of the detail.
pub(crate) fn view(
    gap: &HistoryGap,
    focused: bool,
    layout: &Layout,
    env: Env<'_>,
    buffer: &mut Buffer,
) {
    let titles = Titles {
        left: Line::of(Role::Strong, "Gap"),
        ..Titles::default()
    };
    Frame { focused, titles }.draw(layout.detail, env.theme, buffer);
    let area = inner(layout.detail);
    let lines = lines(gap, usize::from(area.width), env);
    for (line, row) in lines.into_iter().zip(area.rows()) {
        line.draw(row, env.theme, buffer);
    }
}

fn lines(gap: &HistoryGap, width: usize, env: Env<'_>) -> Vec<Line> {
    let mut lines = paragraph::lines(Role::Warning, &gap.to_string(), width);
    // The advice comes first, because a low pane cuts off the rest.
    let looks = match env.keymap.key(Action::Repair) {
        Some(key) => format!(
            "{key} looks for lost events of items, as does {}",
            gap.cure()
        ),
        None => format!("{} looks for lost events of items", gap.cure()),
    };
    lines.extend(paragraph::lines(Role::Strong, &looks, width));
    lines.push(Line::new());
    let field = |label: &str, value: &str| {
        Line::new()
            .column(Role::Quiet, label, LABEL)
            .with(Role::Plain, value)
    };
    lines.push(field("found", &words::full_time(gap.found_at, env.zone)));
    let since = gap.since.map(|since| words::full_time(since, env.zone));
    lines.push(field("lost since", since.as_deref().unwrap_or("unknown")));
    let many = gap.count().map(words::number);
    lines.push(field("how many", many.as_deref().unwrap_or("unknown")));
    lines.push(field("reason", &gap.reason()));
    lines.push(Line::new());
    let text = "A gap holds no event: there is nothing to replay.";
    lines.extend(paragraph::lines(Role::Quiet, text, width));
    lines
}
