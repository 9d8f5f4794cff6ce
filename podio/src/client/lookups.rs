//! Single look-ups that explain an event: apps, fields, comments, tasks, files, people, spaces, scope.

use super::model::{App, AppField, Comment, Contact, File, Space, StatusPost, Task, TokenScope};
use super::{Call, Client, Error};

impl Client {
    /// An app. Podio's answer also holds the app's token and mailbox; they are not read.
    pub async fn app(&self, app_id: u64) -> Result<App, Error> {
        self.fetch(Call::get(format!("/app/{app_id}"))).await
    }

    /// A field of an app. Hooks on one of type `calculation` never fire (podio.md 1.1).
    pub async fn field(&self, app_id: u64, field_id: u64) -> Result<AppField, Error> {
        self.fetch(Call::get(format!("/app/{app_id}/field/{field_id}")))
            .await
    }

    /// A comment, while it exists: Podio answers 404 or 410 after it was deleted.
    pub async fn comment(&self, comment_id: u64) -> Result<Comment, Error> {
        self.fetch(Call::get(format!("/comment/{comment_id}")))
            .await
    }

    /// A task; needs a user's token.
    pub async fn task(&self, task_id: u64) -> Result<Task, Error> {
        self.fetch(Call::get(format!("/task/{task_id}"))).await
    }

    /// What is known of a file, without its bytes.
    pub async fn file(&self, file_id: u64) -> Result<File, Error> {
        self.fetch(Call::get(format!("/file/{file_id}"))).await
    }

    /// A contact by its profile; needs a user's token (podio.md 5.4).
    pub async fn contact(&self, profile_id: u64) -> Result<Contact, Error> {
        self.fetch(Call::get(format!("/contact/{profile_id}/v2")))
            .await
    }

    /// A user as a contact; needs a user's token.
    pub async fn user(&self, user_id: u64) -> Result<Contact, Error> {
        self.fetch(Call::get(format!("/contact/user/{user_id}")))
            .await
    }

    /// A status post; needs a user's token.
    pub async fn status(&self, status_id: u64) -> Result<StatusPost, Error> {
        self.fetch(Call::get(format!("/status/{status_id}"))).await
    }

    /// A space; needs a user's token, because apps get 403 (podio.md 5.4).
    pub async fn space(&self, space_id: u64) -> Result<Space, Error> {
        self.fetch(Call::get(format!("/space/{space_id}"))).await
    }

    /// What the tokens reach: the safe way to find out whether credentials work (podio.md 3.4).
    pub async fn scopes(&self) -> Result<Vec<TokenScope>, Error> {
        self.fetch_list(Call::get("/oauth/scope".to_owned())).await
    }
}
