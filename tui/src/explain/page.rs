//! The page of what an event is about, in Podio itself.

use super::effect::ExplainEffect;

/// What is done with a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Page {
    /// It opens in the browser.
    Opens(ExplainEffect),
    /// The person sits elsewhere, and so does their browser: the link goes to their clipboard.
    Copied(String),
    /// It is not opened, for this reason.
    Refused(String),
}

impl Page {
    /// What to do with what Podio has told, on this machine or on a remote one.
    pub(crate) fn of(link: Result<String, String>, remote: bool) -> Self {
        // Only a page: what Podio tells is handed to another program.
        let is_page = |link: &str| link.starts_with("https://") || link.starts_with("http://");
        match link {
            Ok(link) if !is_page(&link) => Self::Refused(format!("{link} is no page")),
            Ok(link) if remote => Self::Copied(link),
            Ok(link) => Self::Opens(ExplainEffect::Browse(link)),
            Err(error) => Self::Refused(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_opens_where_the_person_sits_and_nothing_else_does() {
        let link = "https://podio.com/acme/crm/apps/bugs/items/17".to_owned();
        let opens = Page::Opens(ExplainEffect::Browse(link.clone()));
        assert_eq!(Page::of(Ok(link.clone()), false), opens);
        assert_eq!(Page::of(Ok(link.clone()), true), Page::Copied(link));
        for link in ["file:///etc/passwd", "-help"] {
            let page = Page::of(Ok(link.to_owned()), false);
            assert!(matches!(page, Page::Refused(_)), "{page:?}");
        }
    }
}
