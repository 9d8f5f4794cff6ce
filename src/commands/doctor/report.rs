//! Formats the links as lines for people and as JSON for programs.

use podtap_agent::amount::count;
use serde::Serialize;

use super::finding::{LinkCheck, LinkFinding, LinkMark};
use super::part::Part;
use crate::output::json;
use crate::style::{LineStyle, StyledLine, Tone};

/// Width of the longest name, in terminal cells.
const NAME: usize = 13;

/// Formats links as lines. Consecutive links that are skipped for the same reason share one line.
pub(super) struct DoctorReport<'a> {
    look: &'a LineStyle,
    skipped: Vec<LinkCheck>,
}

impl<'a> DoctorReport<'a> {
    pub(super) fn new(look: &'a LineStyle) -> Self {
        Self {
            look,
            skipped: Vec::new(),
        }
    }

    /// Returns the lines that are complete once this link was checked.
    pub(super) fn lines(&mut self, check: &LinkCheck) -> Vec<StyledLine> {
        let is_same = |skipped: &LinkCheck| skipped.finding == check.finding;
        if check.finding.mark == LinkMark::Skipped && self.skipped.last().is_none_or(is_same) {
            self.skipped.push(check.clone());
            return Vec::new();
        }
        let mut lines = self.rest();
        if check.finding.mark == LinkMark::Skipped {
            self.skipped.push(check.clone());
        } else {
            lines.extend(self.of(check.part.name(), &check.finding));
        }
        lines
    }

    /// Returns the line that is still held back.
    pub(super) fn rest(&mut self) -> Vec<StyledLine> {
        let skipped = std::mem::take(&mut self.skipped);
        let Some(first) = skipped.first() else {
            return Vec::new();
        };
        let names: Vec<_> = skipped.iter().map(|check| check.part.name()).collect();
        let mut finding = first.finding.clone();
        finding.detail = match names.as_slice() {
            [_] => format!("skipped ({})", finding.detail),
            _ => format!("skipped with {} ({})", list(&names), finding.detail),
        };
        self.of(first.part.name(), &finding)
    }

    fn of(&self, name: &str, finding: &LinkFinding) -> Vec<StyledLine> {
        let (sign, tone) = match finding.mark {
            LinkMark::Good => ("✓", Tone::Good),
            LinkMark::Doubtful => ("!", Tone::Doubtful),
            LinkMark::Broken => ("✗", Tone::Bad),
            LinkMark::Skipped => ("–", Tone::Plain),
        };
        let detail = format!(" {name:NAME$}  {}", finding.detail);
        let mut lines = vec![self.look.line(&[(tone, sign), (Tone::Plain, &detail)])];
        if let Some(fix) = &finding.fix {
            let fix = format!("  {:NAME$}  → {fix}", "");
            lines.push(self.look.plain(&fix));
        }
        lines
    }
}

/// Lists the names after the first.
fn list(names: &[&str]) -> String {
    names.get(1..).unwrap_or_default().join(", ")
}

/// Returns the last line.
pub(super) fn summary(checks: &[LinkCheck]) -> String {
    let of = |mark: LinkMark| -> Vec<Part> {
        let all = checks.iter().filter(|check| check.finding.mark == mark);
        all.map(|check| check.part).collect()
    };
    let broken = of(LinkMark::Broken);
    let names: Vec<_> = broken.iter().map(|part| part.name()).collect();
    match (broken.len() as u64, of(LinkMark::Doubtful).len() as u64) {
        (0, 0) => "Nothing is wrong with what could be checked.".to_owned(),
        (0, doubtful) => format!("Nothing is broken; look at {}.", count(doubtful, "warning")),
        (1, _) => format!("1 link is broken: {}.", names.join("")),
        (several, _) => format!("{several} links are broken: {}.", names.join(", ")),
    }
}

/// The JSON object of a link.
#[derive(Debug, Serialize)]
pub(super) struct LinkObject {
    link: &'static str,
    status: &'static str,
    detail: String,
    fix: Option<String>,
    needs: Option<&'static str>,
}

impl LinkObject {
    pub(super) fn new(check: &LinkCheck) -> Self {
        let LinkFinding {
            mark,
            detail,
            fix,
            needs,
        } = check.finding.clone();
        let status = match mark {
            LinkMark::Good => "ok",
            LinkMark::Doubtful => "warning",
            LinkMark::Broken => "failed",
            LinkMark::Skipped => "skipped",
        };
        Self {
            link: check.part.id(),
            status,
            detail,
            fix,
            needs: needs.map(Part::id),
        }
    }

    pub(super) fn line(&self) -> String {
        json::line("check", self)
    }
}

#[cfg(test)]
mod tests {
    use jiff::tz::TimeZone;

    use super::*;

    #[test]
    fn what_is_skipped_for_one_reason_is_one_line_and_a_fix_follows_what_it_is_for() {
        let look = LineStyle {
            zone: TimeZone::UTC,
            coloured: false,
        };
        let mut report = DoctorReport::new(&look);
        let checks = [
            (Part::Dns, LinkFinding::good("hooks.test is 192.0.2.1")),
            (
                Part::Tcp,
                LinkFinding::new_broken("connection refused", "start it"),
            ),
            (Part::Tls, LinkFinding::needs(Part::Tcp)),
            (Part::Relay, LinkFinding::needs(Part::Tcp)),
            (Part::Hooks, LinkFinding::new_skipped("no credentials")),
        ]
        .map(|(part, finding)| LinkCheck { part, finding });
        let mut lines: Vec<_> = checks
            .iter()
            .flat_map(|check| report.lines(check))
            .collect();
        lines.extend(report.rest());
        let lines: Vec<_> = lines.iter().map(StyledLine::as_str).collect();
        assert_eq!(
            lines,
            [
                "✓ relay's name   hooks.test is 192.0.2.1",
                "✗ connection     connection refused",
                "                 → start it",
                "– TLS            skipped with relay (needs the connection)",
                "– hooks          skipped (no credentials)",
            ]
        );
        assert_eq!(summary(&checks), "1 link is broken: connection.");
    }
}
