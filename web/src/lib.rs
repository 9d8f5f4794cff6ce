//! A web page on the histories of agents: the list as it grows, each event whole, what changed and why it
//! arrived, its attempts, a replay, also of an edited request, all that happened to an object, and when
//! and how fast it all was.
//!
//! The page is for the person at the machine. [`BoundPage::bind`] listens, [`PageLink::url`] is what that
//! person opens, with a token that is good for one run. Everything else is refused: see `guard`.
//! What was captured leaves here as JSON alone, and the page shows it as text.

mod access;
mod answer;
mod changes;
mod detail;
mod edit;
mod figures;
mod files;
mod guard;
mod list;
mod login;
mod object;
mod once;
mod page;
mod route;
mod status;
mod tunnels;
mod why;

pub use page::{BoundPage, PageConfig, PageError, PageLink};
pub use tunnels::PageTunnels;
