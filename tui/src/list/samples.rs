//! An app with given rows, for tests.

use podtap_agent::history::HistoryRow;

use super::{ListAnswer, ListEffect};
use crate::app::App;
use crate::effect::Effect;
use crate::message::{FeatureAnswer, Message};
use crate::testing::{app, now, settle};

/// Returns an app whose history has these rows, the newest first.
pub(crate) fn with_rows(rows: &[HistoryRow]) -> App {
    let mut app = app(120, 40);
    for effect in app.update(Message::Tick(now())) {
        if let Effect::List(ListEffect::LoadPage { generation, .. }) = effect {
            let result = Ok(rows.to_vec().into());
            let page = FeatureAnswer::List(ListAnswer::Page { generation, result });
            settle(&mut app, Message::Answer(page), 0);
        }
    }
    app
}
