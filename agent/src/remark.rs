//! Describes what is remarkable about an event, besides its content: it came twice, late or not at
//! all, or earlier ones are missing. Every view uses the same words. Pure.

use crate::history::Insight;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remark {
    /// Name of the remark: one word.
    pub label: &'static str,
    pub words: String,
}

/// Returns the remarks on an event.
pub fn of(insight: &Insight) -> Vec<Remark> {
    let duplicate = insight.duplicate.map(|duplicate| Remark {
        label: "duplicate",
        words: if duplicate.same_hook {
            "repeats an earlier event of the same hook"
        } else {
            "another hook has sent the same; is one of them left over?"
        }
        .to_owned(),
    });
    let late = insight.late.map(|after| Remark {
        label: "late",
        words: format!("it arrived after r{after} of the same item, which is newer"),
    });
    let repaired = insight.repaired.then(|| Remark {
        label: "repaired",
        words: "it never arrived: rebuilt from Podio's revisions".to_owned(),
    });
    let missing = (insight.missing > 0).then(|| {
        let (count, plural) = match insight.missing {
            1 => ("1".to_owned(), ""),
            many => (many.to_string(), "s"),
        };
        Remark {
            label: "missing",
            words: format!(
                "{count} revision{plural} before this one never arrived, or had hook=false"
            ),
        }
    });
    [duplicate, late, repaired, missing]
        .into_iter()
        .flatten()
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ordinary_event_has_none_and_each_finding_has_its_words() {
        assert_eq!(of(&Insight::default()), []);
        let insight = Insight {
            late: Some(9),
            missing: 1,
            repaired: true,
            ..Insight::default()
        };
        let labels: Vec<_> = of(&insight).iter().map(|remark| remark.label).collect();
        assert_eq!(labels, ["late", "repaired", "missing"]);
        let last = of(&insight).pop().unwrap();
        assert!(last.words.starts_with("1 revision before"), "{last:?}");
    }
}
