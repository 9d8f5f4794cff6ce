//! Stores links that were added to be shown in items. The sandbox does not fetch them, so
//! it knows only their URLs.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{World, next};

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Embed {
    pub(crate) id: u64,
    pub(crate) url: String,
}

impl Embed {
    pub(crate) fn show(&self) -> Value {
        let url = url::Url::parse(&self.url).ok();
        let hostname = url.as_ref().and_then(|url| url.host_str());
        json!({
            "embed_id": self.id,
            "url": self.url,
            "original_url": self.url,
            "resolved_url": self.url,
            "type": "link",
            "title": self.url,
            "description": null,
            "hostname": hostname,
            "files": [],
        })
    }
}

impl World {
    pub(crate) fn add_embed(&mut self, url: String) -> Value {
        let id = next(&mut self.ids.embed);
        let embed = Embed { id, url };
        let shown = embed.show();
        self.embeds.insert(id, embed);
        shown
    }
}
