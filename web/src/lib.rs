//! A web page on an agent's history: the list as it grows, each event whole, what changed, its
//! attempts, a replay, and when and how fast it all was.
//!
//! The page is for the person at the machine. [`BoundPage::bind`] listens, [`BoundPage::url`] is what that
//! person opens, with a token that is good for one run. Everything else is refused: see `guard`.
//! What was captured leaves here as JSON alone, and the page shows it as text.

mod access;
mod answer;
mod changes;
mod detail;
mod figures;
mod files;
mod guard;
mod list;
mod login;
mod page;
mod route;
mod status;

pub use page::{BoundPage, PageConfig, PageError};
