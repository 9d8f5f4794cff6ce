//! Reads single objects that explain an event: apps,
//! fields, comments, tasks, files, people, spaces, scopes.

use super::model::{App, AppField, Comment, Contact, File, Space, StatusPost, Task, TokenScope};
use super::{ApiOperation, Client, Error};

impl Client {
    /// Returns an app. Podio's response also contains
    /// the app's token and mailbox, which are not read.
    pub async fn app(&self, app_id: u64) -> Result<App, Error> {
        self.fetch(ApiOperation::get(format!("/app/{app_id}")))
            .await
    }

    /// Returns a field of an app. Hooks on a field of type `calculation` never fire (podio.md 1.1).
    pub async fn field(&self, app_id: u64, field_id: u64) -> Result<AppField, Error> {
        self.fetch(ApiOperation::get(format!("/app/{app_id}/field/{field_id}")))
            .await
    }

    /// Returns a comment if it still exists: Podio returns 404 or 410 after it was deleted.
    pub async fn comment(&self, comment_id: u64) -> Result<Comment, Error> {
        self.fetch(ApiOperation::get(format!("/comment/{comment_id}")))
            .await
    }

    /// Returns a task; requires a user's token.
    pub async fn task(&self, task_id: u64) -> Result<Task, Error> {
        self.fetch(ApiOperation::get(format!("/task/{task_id}")))
            .await
    }

    /// Returns the description of a file, without its content.
    pub async fn file(&self, file_id: u64) -> Result<File, Error> {
        self.fetch(ApiOperation::get(format!("/file/{file_id}")))
            .await
    }

    /// Returns a contact by its profile id; requires a user's token (podio.md 5.4).
    pub async fn contact(&self, profile_id: u64) -> Result<Contact, Error> {
        self.fetch(ApiOperation::get(format!("/contact/{profile_id}/v2")))
            .await
    }

    /// Returns a user as a contact; requires a user's token.
    pub async fn user(&self, user_id: u64) -> Result<Contact, Error> {
        self.fetch(ApiOperation::get(format!("/contact/user/{user_id}")))
            .await
    }

    /// Returns a status post; requires a user's token.
    pub async fn status(&self, status_id: u64) -> Result<StatusPost, Error> {
        self.fetch(ApiOperation::get(format!("/status/{status_id}")))
            .await
    }

    /// Returns a space; requires a user's token, because apps get 403 (podio.md 5.4).
    pub async fn space(&self, space_id: u64) -> Result<Space, Error> {
        self.fetch(ApiOperation::get(format!("/space/{space_id}")))
            .await
    }

    /// Returns what the tokens have access to: the safe way to test credentials (podio.md 3.4).
    pub async fn scopes(&self) -> Result<Vec<TokenScope>, Error> {
        self.fetch_list(ApiOperation::get("/oauth/scope".to_owned()))
            .await
    }
}
