//! Explains events of status posts, contacts and members. The events are known, but their
//! parameters are not (podio.md 1.1): each id is read under the expected name, and if it is
//! missing, the explanation says so.

use podtap_podio::client::{Client, Contact, Error};
use podtap_podio::{EventKind, EventType, PodioEvent};

use super::ExplainedField;
use super::fetch::{PodioFacts, non_empty, via, who};

/// Maximum length of a title that is taken from a status post.
const MAX_TITLE: usize = 80;

impl PodioFacts {
    /// Explains a status post that was created or changed.
    pub(super) async fn status(
        &mut self,
        client: &Client,
        event: &PodioEvent,
    ) -> Result<(), Error> {
        let Some(status_id) = event.id("status_id") else {
            self.note("the event does not name the status post as expected: `status_id`");
            return Ok(());
        };
        let status = client.status(status_id).await;
        let Some(status) = self.answer_or_note(status, "the status post")? else {
            return Ok(());
        };
        let first = status.value.lines().next().unwrap_or_default();
        let title = first.chars().take(MAX_TITLE).collect();
        self.explanation.title = non_empty(title);
        self.explanation.link = status.link;
        let was_made = event.kind == EventKind::Known(EventType::StatusCreate);
        if was_made {
            self.explanation.who = status.created_by.map(who);
            self.explanation.via = status.created_via.and_then(via);
            self.explanation.when = status.created_on;
            self.push_change("status post", "", &status.value);
        } else {
            self.note(format!("text: {}", status.value));
            self.note("status posts have no revisions: this is the post as it is now");
        }
        Ok(())
    }

    /// Explains a contact that was created or changed.
    pub(super) async fn contact(
        &mut self,
        client: &Client,
        event: &PodioEvent,
    ) -> Result<(), Error> {
        let contact = match (event.id("profile_id"), event.id("user_id")) {
            (Some(profile_id), _) => client.contact(profile_id).await,
            (None, Some(user_id)) => client.user(user_id).await,
            (None, None) => {
                self.note("the event does not name the contact as expected: `profile_id`");
                return Ok(());
            }
        };
        if let Some(contact) = self.answer_or_note(contact, "the contact")? {
            self.person(&contact);
            let facts = [
                ("mail", contact.mail.join(", ")),
                ("phone", contact.phone.join(", ")),
                ("organization", contact.organization.unwrap_or_default()),
            ];
            for (fact, value) in facts {
                if let Some(value) = non_empty(value) {
                    self.note(format!("{fact}: {value}"));
                }
            }
            self.note("contacts have no revisions: this is the contact as it is now");
        }
        Ok(())
    }

    /// Explains a person who joined or left a space.
    pub(super) async fn member(
        &mut self,
        client: &Client,
        event: &PodioEvent,
    ) -> Result<(), Error> {
        let Some(user_id) = event.id("user_id") else {
            self.note("the event does not name the member as expected: `user_id`");
            return Ok(());
        };
        let user = client.user(user_id).await;
        if let Some(user) = self.answer_or_note(user, "the user")? {
            self.person(&user);
            let came = event.kind == EventKind::Known(EventType::MemberAdd);
            let (from, to) = if came {
                ("", user.name.as_str())
            } else {
                (user.name.as_str(), "")
            };
            self.push_change("member", from, to);
        }
        Ok(())
    }

    fn person(&mut self, contact: &Contact) {
        self.explanation.title = non_empty(contact.name.clone());
        self.explanation.link.clone_from(&contact.link);
    }

    fn push_change(&mut self, field: &str, from: &str, to: &str) {
        self.explanation.changes.push(ExplainedField {
            field: field.to_owned(),
            from: from.to_owned(),
            to: to.to_owned(),
        });
    }
}
