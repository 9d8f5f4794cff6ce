//! The page's own files, which are written by hand and compiled into the program.

use http::StatusCode;

use crate::answer::{PageAnswer, whole};

const HTML: &str = "text/html; charset=utf-8";
const STYLE: &str = "text/css; charset=utf-8";
const DRAWING: &str = "image/svg+xml";
const SCRIPT: &str = "text/javascript; charset=utf-8";

/// Defines the table of the files in a folder.
macro_rules! page_files {
    ($($path:literal = $kind:ident $file:literal,)+) => {
        /// The path, type and text of each file.
        const FILES: &[(&str, &str, &str)] =
            &[$(($path, $kind, include_str!(concat!("../page/", $file)))),+];
    };
}

page_files! {
    "/" = HTML "index.html",
    "/app.css" = STYLE "app.css",
    "/event.css" = STYLE "event.css",
    "/app.js" = SCRIPT "app.js",
    "/ask.js" = SCRIPT "ask.js",
    "/dom.js" = SCRIPT "dom.js",
    "/edit.js" = SCRIPT "edit.js",
    "/event.js" = SCRIPT "event.js",
    "/figures.js" = SCRIPT "figures.js",
    "/gaps.js" = SCRIPT "gaps.js",
    "/icon.svg" = DRAWING "icon.svg",
    "/keys.js" = SCRIPT "keys.js",
    "/list.js" = SCRIPT "list.js",
    "/object.js" = SCRIPT "object.js",
    "/pane.js" = SCRIPT "pane.js",
    "/status.js" = SCRIPT "status.js",
    "/why.js" = SCRIPT "why.js",
}

/// The style of the page that asks for a password: the only file that is served without a session.
const LOGIN_STYLE: &str = include_str!("../page/login.css");

/// Returns the file at this path.
pub(crate) fn file(path: &str) -> Option<PageAnswer> {
    let found = FILES.iter().find(|(known, ..)| *known == path);
    found.map(|(_, kind, text)| whole(StatusCode::OK, kind, *text))
}

/// Returns the file at this path, if it needs no session.
pub(crate) fn open_file(path: &str) -> Option<PageAnswer> {
    (path == "/login.css").then(|| whole(StatusCode::OK, STYLE, LOGIN_STYLE))
}
