//! A web page on the histories of agents: the list while it grows, each event with its changes, its
//! attempts and why it arrived, replays, also of edited requests, the timeline of an object, and
//! when and how fast events were answered.
//!
//! The page is for the person at this machine. [`BoundPage::bind`] listens, and
//! [`PageLink::url`] is the URL that the person opens, with a token that is valid for one
//! run. All other requests are refused: see `guard`. Captured data leaves this crate only as
//! JSON, and the page shows it as text.

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
