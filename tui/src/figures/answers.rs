//! Shows the answer times of the local service as a histogram, in which a line
//! marks the time that Podio waits.

use podtap_agent::figures::{AnswerTimes, Bucket, HookLimits};

use super::LABEL;
use crate::chart;
use crate::line::Line;
use crate::theme::Role;
use crate::words;

/// Cells of a bucket's label, and of its count.
const EDGE: usize = 12;
const COUNT: usize = 8;

/// Returns the histogram on lines of `width` cells.
pub(crate) fn answers(times: &AnswerTimes, width: usize) -> Vec<Line> {
    let heading = Line::new().column(Role::Quiet, "Answer times", LABEL);
    let (Some(p50), Some(p95), Some(max)) = (times.p50, times.p95, times.max) else {
        let text = match times.unanswered {
            0 => "nothing was delivered within a day".to_owned(),
            many => format!("none: {} unanswered", words::count(many, "delivery")),
        };
        return vec![heading.with(Role::Quiet, text.replace("deliverys", "deliveries"))];
    };
    let [p50, p95, max] = [p50, p95, max].map(words::duration);
    let text = format!("p50 {p50} · p95 {p95} · max {max}");
    let mut lines = vec![heading.with(Role::Plain, text)];
    let most = times.buckets.iter().map(|bucket| bucket.count).max();
    let most = most.unwrap_or(0);
    let room = width.saturating_sub(EDGE + COUNT).max(1);
    let is_slow = |bucket: &Bucket| {
        bucket
            .up_to
            .is_none_or(|edge| edge > HookLimits::PODIO.answer)
    };
    let row = |bucket: &Bucket, after: Option<&Bucket>| {
        let edge = match (bucket.up_to, after.and_then(|it| it.up_to)) {
            (Some(edge), _) => format!("≤ {}", words::duration(edge)),
            (None, Some(edge)) => format!("> {}", words::duration(edge)),
            (None, None) => String::new(),
        };
        let role = if is_slow(bucket) {
            Role::Failed
        } else {
            Role::Ok
        };
        Line::new()
            .column_right(Role::Quiet, edge, EDGE - 1)
            .space(1)
            .with(role, chart::bar(bucket.count, most, room))
            .with(Role::Quiet, format!(" {}", words::number(bucket.count)))
    };
    let is_there = |bucket: &Bucket| bucket.count > 0;
    let first = times.buckets.iter().position(is_there).unwrap_or(0);
    let last = times.buckets.iter().rposition(is_there).unwrap_or(0);
    let mut limit = Some(limit_line(times, width));
    let shown = times.buckets.iter().enumerate().take(last + 1).skip(first);
    for (index, bucket) in shown {
        if is_slow(bucket) {
            lines.extend(limit.take());
        }
        let before = index.checked_sub(1).and_then(|at| times.buckets.get(at));
        lines.push(row(bucket, before));
    }
    lines.extend(limit);
    if times.unanswered > 0 {
        let unanswered = format!("{} without an answer", words::number(times.unanswered));
        lines.push(Line::new().space(EDGE).with(Role::Failed, unanswered));
    }
    lines
}

/// Returns the line at which Podio stops waiting.
fn limit_line(times: &AnswerTimes, width: usize) -> Line {
    let (role, told) = match times.over_limit {
        0 => (Role::Quiet, "Podio waits no longer".to_owned()),
        over => {
            let share = times.share_over_limit() * 100.0;
            let over = words::number(over);
            (
                Role::Failed,
                format!("Podio waits no longer: {over} ({share:.1} %) too late"),
            )
        }
    };
    let limit = HookLimits::PODIO.answer.as_secs();
    let line = Line::new()
        .column_right(role, format!("── {limit} s"), EDGE - 1)
        .with(role, format!(" ─── {told} "));
    let rest = width.saturating_sub(line.width());
    line.with(role, "─".repeat(rest)).fit(width)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn times(counts: &[(u64, u64)]) -> AnswerTimes {
        let bucket = |(edge, count): &(u64, u64)| Bucket {
            up_to: (*edge > 0).then(|| Duration::from_millis(*edge)),
            count: *count,
        };
        let slow = counts
            .iter()
            .filter(|(edge, _)| *edge == 0 || *edge > 15_000);
        let slow: u64 = slow.map(|(_, count)| count).sum();
        AnswerTimes {
            buckets: counts.iter().map(bucket).collect(),
            answered: counts.iter().map(|(_, count)| count).sum(),
            over_limit: slow,
            p50: Some(Duration::from_millis(38)),
            p95: Some(Duration::from_millis(88)),
            max: Some(Duration::from_millis(380)),
            ..AnswerTimes::default()
        }
    }

    fn bar_lines(counts: &[(u64, u64)], width: usize) -> Vec<String> {
        let lines = answers(&times(counts), width);
        assert!(lines.iter().all(|line| line.width() <= width), "{lines:?}");
        lines.iter().map(Line::text).collect()
    }

    #[test]
    fn podios_limit_stands_below_what_is_fast_and_above_what_is_slow() {
        let fast = [(1, 0), (10, 4), (50, 40), (15_000, 0), (30_000, 0), (0, 0)];
        let lines = bar_lines(&fast, 52);
        assert!(lines[0].contains("p50 38 ms · p95 88 ms"), "{lines:?}");
        assert!(lines[1].contains("≤ 10 ms ███▏ 4"), "{lines:?}");
        assert!(lines[2].contains("≤ 50 ms █"), "{lines:?}");
        assert!(
            lines[3].contains("15 s ─── Podio waits no longer ─"),
            "{lines:?}"
        );
        assert_eq!(lines.len(), 4);

        let slow = [(10_000, 4), (15_000, 1), (30_000, 2), (60_000, 0), (0, 1)];
        let lines = bar_lines(&slow, 76);
        assert!(
            lines[3].contains("15 s ─── Podio waits no longer: 3 (37.5 %) too late"),
            "{lines:?}"
        );
        assert!(lines[4].contains("≤ 30.0 s"), "{lines:?}");
        assert!(lines[6].contains("> 60.0 s"), "{lines:?}");
    }

    #[test]
    fn nothing_is_said_to_be_nothing() {
        let none = answers(&AnswerTimes::default(), 60);
        assert!(none[0].text().contains("nothing was delivered"));
        let lost = AnswerTimes {
            unanswered: 3,
            ..AnswerTimes::default()
        };
        assert!(
            answers(&lost, 60)[0]
                .text()
                .contains("3 deliveries unanswered")
        );
    }
}
