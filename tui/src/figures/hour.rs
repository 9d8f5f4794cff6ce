//! Shows the last hour of the link and of the local service as strips, with
//! one or a few minutes per cell.

use podtap_agent::figures::{Minute, MinuteState};

use super::LABEL;
use crate::chart;
use crate::line::Line;
use crate::theme::Role;
use crate::words;

/// Returns the strips on lines of `width` cells; one line if nothing is known.
pub(crate) fn hour(minutes: &[Minute], width: usize) -> Vec<Line> {
    let is_known = |minute: &Minute| {
        minute.link != MinuteState::Unknown || minute.service != MinuteState::Unknown
    };
    let heading = || Line::new().column(Role::Quiet, "Last hour", LABEL);
    if !minutes.iter().any(is_known) {
        let text = "nothing is known: the process that listens keeps it";
        return vec![heading().with(Role::Quiet, text)];
    }
    let room = width.saturating_sub(LABEL).max(1);
    let each = minutes.len().div_ceil(room).max(1);
    let strip = |label: &str, state: fn(&Minute) -> MinuteState| {
        let line = Line::new().column(Role::Quiet, label, LABEL);
        minutes.chunks(each).fold(line, |line, part| {
            let (role, cell) = cell(part.iter().map(state));
            line.with(role, cell)
        })
    };
    let cells = minutes.len().div_ceil(each);
    let from = format!("−{} min", minutes.len());
    let axis = heading()
        .column(Role::Quiet, from, cells.saturating_sub(3))
        .with(Role::Quiet, "now");
    let mut lines = vec![
        axis,
        strip("  link", |minute| minute.link),
        strip("  local service", |minute| minute.service),
    ];
    let waiting: Vec<u64> = minutes
        .chunks(each)
        .map(|part| part.iter().map(|minute| minute.waiting).max().unwrap_or(0))
        .collect();
    if let Some(most @ 1..) = waiting.iter().copied().max() {
        let line = Line::new().column(Role::Quiet, "  waiting", LABEL);
        lines.push(line.with(Role::Waiting, chart::sparkline(&waiting)));
        let text = format!("at most {} at once", words::count(most, "event"));
        lines.push(Line::new().space(LABEL).with(Role::Quiet, text));
    }
    lines.extend(missing_lines(minutes, each));
    lines
}

/// Returns how many events never arrived, and when.
fn missing_lines(minutes: &[Minute], each: usize) -> Vec<Line> {
    let count = |of: fn(&Minute) -> u64| minutes.iter().map(of).fold(0, u64::saturating_add);
    let (lost, refused) = (count(|minute| minute.lost), count(|minute| minute.refused));
    if lost + refused == 0 {
        return Vec::new();
    }
    let marks = minutes.chunks(each).map(|part| {
        let is_gone = part.iter().any(|minute| minute.lost + minute.refused > 0);
        if is_gone { '!' } else { ' ' }
    });
    let line = Line::new().column(Role::Quiet, "  gaps", LABEL);
    let mut told = Vec::new();
    if lost > 0 {
        told.push(format!("{} lost on the relay", words::count(lost, "event")));
    }
    if refused > 0 {
        let refused = words::count(refused, "webhook");
        told.push(format!("{refused} refused by the relay"));
    }
    vec![
        line.with(Role::Failed, marks.collect::<String>()),
        Line::new().space(LABEL).with(Role::Quiet, told.join(", ")),
    ]
}

/// Returns the cell for some minutes. The states differ in height; an
/// interruption is a line at the bottom.
fn cell(states: impl Iterator<Item = MinuteState>) -> (Role, &'static str) {
    let (mut up, mut away) = (false, false);
    for state in states {
        up |= matches!(state, MinuteState::Up | MinuteState::Partly);
        away |= matches!(state, MinuteState::Away | MinuteState::Partly);
    }
    match (up, away) {
        (true, false) => (Role::Ok, "█"),
        (true, true) => (Role::Warning, "▄"),
        (false, true) => (Role::Failed, "▁"),
        (false, false) => (Role::Quiet, "·"),
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;

    fn minute(link: MinuteState, service: MinuteState, waiting: u64) -> Minute {
        Minute {
            at: Timestamp::UNIX_EPOCH,
            link,
            service,
            waiting,
            lost: 0,
            refused: 0,
        }
    }

    fn bar_lines(minutes: &[Minute], width: usize) -> Vec<String> {
        hour(minutes, width).iter().map(Line::text).collect()
    }

    #[test]
    fn each_minute_is_seen_and_where_there_is_little_room_each_two() {
        use MinuteState::{Away, Partly, Unknown, Up};
        let mut minutes = vec![minute(Unknown, Unknown, 0); 50];
        minutes.extend([minute(Up, Unknown, 0); 6]);
        minutes.extend([
            minute(Partly, Up, 3),
            minute(Away, Up, 12),
            minute(Away, Away, 12),
            minute(Up, Up, 0),
        ]);
        minutes[57].lost = 2;
        let wide = bar_lines(&minutes, 80);
        assert!(wide[0].ends_with("now") && wide[0].chars().count() == LABEL + 60);
        assert!(wide[1].ends_with("·██████▄▁▁█"), "{wide:?}");
        assert!(wide[2].ends_with("·······██▁█"), "{wide:?}");
        assert!(wide[3].ends_with(" ▂██ "), "{wide:?}");
        assert!(wide[4].contains("at most 12 events at once"));
        assert!(wide[6].contains("2 events lost"), "{wide:?}");
        let narrow = bar_lines(&minutes, 52);
        assert!(narrow[1].ends_with("·███▄▄"), "{narrow:?}");
        assert!(narrow.iter().all(|line| line.chars().count() <= 52));
    }

    #[test]
    fn without_a_link_it_is_said_that_nothing_is_known() {
        let unknown = minute(MinuteState::Unknown, MinuteState::Unknown, 0);
        let lines = bar_lines(&[unknown; 60], 80);
        assert_eq!(lines.len(), 1);
        assert!(lines[0].contains("nothing is known"));
    }
}
