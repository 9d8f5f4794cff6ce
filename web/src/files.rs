//! The page's own files: hand-written, and part of the program.

use http::StatusCode;

use crate::answer::{PageAnswer, whole};

/// The page itself.
const PAGE: &str = include_str!("../page/index.html");
const STYLE: &str = include_str!("../page/app.css");
const SCRIPT: &str = include_str!("../page/app.js");

/// The file at this path.
pub(crate) fn file(path: &str) -> Option<PageAnswer> {
    let (kind, text) = match path {
        "/" => ("text/html; charset=utf-8", PAGE),
        "/app.css" => ("text/css; charset=utf-8", STYLE),
        "/app.js" => ("text/javascript; charset=utf-8", SCRIPT),
        _ => return None,
    };
    Some(whole(StatusCode::OK, kind, text))
}
