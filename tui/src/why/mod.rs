//! Explains why something arrived or did not: the selected event, or what a person types.

mod effect;

use podtap_agent::history::EventRow;
use podtap_agent::why::{Holds, Why};

pub(crate) use effect::{WhyAnswer, WhyEffect, run};

use crate::line::Line;
use crate::theme::Role;
use crate::widget::form::{Fields, Text, fields};

/// Cells of the name of a link.
const LABEL: usize = 20;

/// The form that asks for the subject.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct WhyForm {
    subject: Text,
}

impl WhyForm {
    /// Creates a form with the object of the selected event; if it has
    /// none, with its hook or its type.
    pub(crate) fn new(row: Option<&EventRow>) -> Self {
        let about = row.and_then(|row| {
            let object = row
                .object
                .map(|it| format!("{}:{}", it.kind.as_str(), it.id));
            let hook = row.hook_id.map(|id| format!("hook:{id}"));
            object.or(hook).or_else(|| row.event_type.clone())
        });
        let hint = "item:4711, hook:90211, item.update, or the URL of an item in Podio";
        Self {
            subject: Text::new("About", &about.unwrap_or_default(), hint),
        }
    }

    /// Returns the request that the form describes.
    pub(crate) fn read(&self) -> WhyEffect {
        WhyEffect::Ask(self.subject.text())
    }
}

impl Fields for WhyForm {
    fields!(subject);

    fn title(&self) -> &'static str {
        "Why did it arrive, or not?"
    }

    fn verb(&self) -> &'static str {
        "ask"
    }
}

/// Returns the explanation, the advice, and then the path of the event, link by link.
pub(crate) fn lines(why: &Why) -> Vec<Line> {
    let is_good = why.links.iter().all(|link| link.holds != Holds::No);
    let role = if is_good { Role::Ok } else { Role::Failed };
    let mut lines = vec![
        Line::of(Role::Name, why.subject.to_string()),
        Line::of(role, why.conclusion.as_str()),
    ];
    if let Some(cure) = &why.cure {
        lines.push(Line::of(Role::Plain, format!("try  {cure}")).hanging(5));
    }
    lines.push(Line::new());
    lines.extend(why.links.iter().map(|link| {
        let (sign, role) = match link.holds {
            Holds::Yes => ("✓ ", Role::Ok),
            Holds::No => ("✗ ", Role::Failed),
            Holds::Unknown => ("? ", Role::Quiet),
        };
        Line::of(role, sign)
            .column(Role::Plain, link.step.label(), LABEL)
            .with(Role::Plain, link.reason.as_str())
            .hanging(LABEL + 2)
    }));
    lines
}

#[cfg(test)]
mod tests {
    use podtap_agent::why::{Cause, Subject, WhyLink, WhyStep};

    use super::*;

    #[test]
    fn the_answer_comes_first_and_the_way_below_it() {
        let why = Why {
            subject: Subject::parse("item:4711").unwrap(),
            event: None,
            cause: Cause::HookInactive,
            conclusion: "the hook is not active".to_owned(),
            cure: Some("podtap hooks verify 7".to_owned()),
            links: vec![WhyLink {
                step: WhyStep::Active,
                holds: Holds::No,
                reason: "hook 7 is \u{1b}[2Jinactive".to_owned(),
            }],
        };
        let text: Vec<String> = lines(&why).iter().map(Line::text).collect();
        assert_eq!(text[1], "the hook is not active");
        assert_eq!(text[2], "try  podtap hooks verify 7");
        assert!(text[4].starts_with("✗ the hook is active"), "{text:?}");
        assert!(!text[4].contains('\u{1b}'), "{text:?}");
    }
}
