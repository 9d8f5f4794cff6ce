//! Opens the page of an event's object in Podio.

use super::effect::ExplainEffect;
use crate::command::UiCommand;
use crate::theme::Role;

/// Opens the link in the browser. If the person works from another machine, their browser is there,
/// so the link is copied to their clipboard instead.
pub(super) fn open(link: Result<String, String>, is_remote: bool) -> Vec<UiCommand<ExplainEffect>> {
    // Only web pages are opened: the link comes from Podio and goes to another program.
    let is_page = |link: &str| link.starts_with("https://") || link.starts_with("http://");
    match link {
        Ok(link) if !is_page(&link) => {
            vec![UiCommand::Notify(
                Role::Failed,
                format!("{link} is not a web page"),
            )]
        }
        Ok(link) if is_remote => vec![
            UiCommand::Notify(Role::Ok, format!("Copied {link}")),
            UiCommand::Copy(link.into_bytes()),
        ],
        Ok(link) => vec![
            UiCommand::Notify(Role::Quiet, format!("Opening {link}")),
            UiCommand::Run(ExplainEffect::Browse(link)),
        ],
        Err(error) => vec![UiCommand::Notify(Role::Failed, error)],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_opens_where_the_person_sits_and_nothing_else_does() {
        let link = "https://podio.com/acme/crm/apps/bugs/items/17".to_owned();
        let opens = UiCommand::Run(ExplainEffect::Browse(link.clone()));
        assert!(open(Ok(link.clone()), false).contains(&opens));
        let copies = UiCommand::Copy(link.clone().into_bytes());
        let remote = open(Ok(link), true);
        assert!(remote.contains(&copies) && !remote.contains(&opens));
        for link in ["file:///etc/passwd", "-help"] {
            let page = open(Ok(link.to_owned()), false);
            assert!(
                matches!(page.as_slice(), [UiCommand::Notify(Role::Failed, _)]),
                "{page:?}"
            );
        }
    }
}
