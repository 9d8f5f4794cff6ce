//! Implements files, which are uploaded and downloaded whole.

use bytes::Bytes;
use futures_util::FutureExt as _;
use http::Method;
use serde_json::{Value, json};

use super::access::{Caller, reach};
use super::input;
use crate::answer::{ApiAnswer, ApiRequest, ErrorAnswer};
use crate::world::{Attachment, FileContent, StoredFile, World};

pub(super) fn route(
    world: &mut World,
    caller: &Caller,
    request: &ApiRequest,
    rest: &[&str],
) -> Result<ApiAnswer, ErrorAnswer> {
    let switches = input::switches(request);
    match (&request.method, rest) {
        (&Method::POST, [] | ["v2"]) => {
            let upload = upload(request)?;
            let content = FileContent::Kept(upload.bytes);
            let file_id = world.upload(upload.name, upload.mimetype, content, &caller.author);
            let file = world
                .files
                .get(&file_id)
                .ok_or_else(ErrorAnswer::not_found)?;
            Ok(ApiAnswer::json(world.show_file(file)))
        }
        (&Method::GET, []) => list(world, caller, request, |_| true),
        (&Method::GET, [kind @ ("app" | "space"), id]) => {
            let id = input::id(id)?;
            let of_app = *kind == "app";
            list(world, caller, request, |on| {
                let place = if of_app {
                    world.app_of(on)
                } else {
                    world.space_of(on)
                };
                place == Some(id)
            })
        }
        (&Method::GET, [file_id]) => {
            let file = file(world, caller, file_id)?;
            Ok(ApiAnswer::json(world.show_file(file)))
        }
        (&Method::GET, [file_id, "raw"]) => {
            let file = file(world, caller, file_id)?;
            let gone =
                || ErrorAnswer::new(410, "gone", "The sandbox no longer has the file's bytes");
            let bytes = file.content.bytes().ok_or_else(gone)?;
            Ok(ApiAnswer::bytes(file.mimetype.clone(), bytes))
        }
        (&Method::POST, [file_id, "attach"]) => {
            let body = request.json()?;
            let ref_id = input::number(&body, "ref_id")?;
            let on = Attachment::new(input::text(&body, "ref_type")?, ref_id)?;
            reach(world, caller, on)?;
            world.attach(input::id(file_id)?, on, switches)?;
            Ok(ApiAnswer::empty())
        }
        (&Method::POST, [file_id, "replace"]) => {
            let old = input::number(&request.json()?, "old_file_id")?;
            world.replace_file(old, input::id(file_id)?, switches)?;
            Ok(ApiAnswer::empty())
        }
        (&Method::POST, [file_id, "copy"]) => {
            let file = file(world, caller, file_id)?;
            let content = file
                .content
                .bytes()
                .map_or(FileContent::Forgotten, FileContent::Kept);
            let (name, mimetype) = (file.name.clone(), file.mimetype.clone());
            let copy = world.upload(name, mimetype, content, &caller.author);
            Ok(ApiAnswer::json(json!({ "file_id": copy })))
        }
        (&Method::DELETE, [file_id]) => {
            world.delete_file(input::id(file_id)?, switches)?;
            Ok(ApiAnswer::empty())
        }
        _ => Err(ErrorAnswer::no_route()),
    }
}

fn file<'w>(world: &'w World, caller: &Caller, id: &str) -> Result<&'w StoredFile, ErrorAnswer> {
    let file = world
        .files
        .get(&input::id(id)?)
        .ok_or_else(ErrorAnswer::not_found)?;
    file.on.map_or(Ok(()), |on| reach(world, caller, on))?;
    Ok(file)
}

fn list(
    world: &World,
    caller: &Caller,
    request: &ApiRequest,
    suits: impl Fn(Attachment) -> bool,
) -> Result<ApiAnswer, ErrorAnswer> {
    input::refuse_unknown(request, &["limit", "offset"])?;
    let files = world.files.values().filter(|file| {
        file.on
            .is_some_and(|on| suits(on) && reach(world, caller, on).is_ok())
    });
    input::page(request, files.map(|file| world.show_file(file)))
}

struct Upload {
    name: String,
    mimetype: String,
    bytes: Bytes,
}

/// Reads a form with the parts `source` and `filename`. The sandbox also accepts JSON with
/// a `filename`, for a file without content.
fn upload(request: &ApiRequest) -> Result<Upload, ErrorAnswer> {
    let content_type = request.header("content-type").unwrap_or_default();
    let mut name = None;
    let mut source = None;
    if let Ok(boundary) = multer::parse_boundary(content_type) {
        let body = request.body.clone();
        let body = futures_util::stream::once(async { Ok::<_, std::convert::Infallible>(body) });
        let mut parts = multer::Multipart::new(body, boundary);
        // The whole body is in memory, so the parser never has to wait.
        while let Some(part) = parts
            .next_field()
            .now_or_never()
            .and_then(Result::ok)
            .flatten()
        {
            let is_source = part.name() == Some("source") || part.file_name().is_some();
            let file_name = part.file_name().map(str::to_owned);
            let mimetype = part.content_type().map(ToString::to_string);
            let is_name = part.name() == Some("filename");
            let bytes = part.bytes().now_or_never().and_then(Result::ok);
            let bytes = bytes.ok_or_else(|| ErrorAnswer::invalid("The upload is cut short"))?;
            if is_source {
                name = name.or(file_name);
                source = Some((mimetype, bytes));
            } else if is_name {
                name = Some(String::from_utf8_lossy(&bytes).into_owned());
            }
        }
        if source.is_none() {
            return Err(ErrorAnswer::invalid("Missing parameter source"));
        }
    } else {
        let body = request.json()?;
        name = body
            .get("filename")
            .and_then(Value::as_str)
            .map(str::to_owned);
    }
    let (mimetype, bytes) = source.unwrap_or_default();
    Ok(Upload {
        name: name.unwrap_or_else(|| "upload.bin".to_owned()),
        mimetype: mimetype.unwrap_or_else(|| "application/octet-stream".to_owned()),
        bytes,
    })
}
