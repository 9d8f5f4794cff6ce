//! Converts Podio's long texts, which are HTML, to words on one line.
//! A crate tokenizes the HTML; this module decides how each tag reads.

use html5gum::{EndTag, StartTag, Token, Tokenizer};

/// Tags whose content is not text.
const SILENT: &[&[u8]] = &[b"script", b"style", b"head", b"title"];

/// Tags that begin a block.
const BLOCKS: &[&[u8]] = &[
    b"p",
    b"div",
    b"br",
    b"hr",
    b"li",
    b"ul",
    b"ol",
    b"table",
    b"tr",
    b"td",
    b"th",
    b"h1",
    b"h2",
    b"h3",
    b"h4",
    b"h5",
    b"h6",
    b"blockquote",
    b"pre",
];

/// Other tags that a rich-text editor writes; like those above, they show that a text is HTML.
const INLINE: &[&[u8]] = &[
    b"a", b"b", b"strong", b"i", b"em", b"u", b"s", b"strike", b"del", b"ins", b"code", b"span",
    b"font", b"img", b"sub", b"sup", b"tbody", b"thead", b"small",
];

/// Returns the text without its markup, and with it.
pub(super) fn words(html: &str) -> (String, String) {
    let (mut text, mut marked) = (String::new(), String::new());
    let mut links = Vec::new();
    let mut silent = 0_usize;
    // The tokenizer's error type has no values.
    for Ok(token) in Tokenizer::new(html) {
        match token {
            Token::StartTag(tag) => {
                if SILENT.contains(&tag.name.as_slice()) && !tag.self_closing {
                    silent += 1;
                }
                open(&tag, &mut text, &mut marked, &mut links);
            }
            Token::EndTag(tag) => {
                if SILENT.contains(&tag.name.as_slice()) {
                    silent = silent.saturating_sub(1);
                }
                close(&tag, &mut text, &mut marked, &mut links);
            }
            Token::String(string) if silent == 0 => {
                let string = String::from_utf8_lossy(&string);
                text.push_str(&string);
                marked.push_str(&string);
            }
            _ => {}
        }
    }
    let marked = one_line(&marked);
    let marked = marked.trim_end_matches(['⏎', ' ']).to_owned();
    (one_line(&text), marked)
}

/// Returns whether a text seems to come from a rich-text editor.
pub(super) fn looks_like_html(text: &str) -> bool {
    let is_tag = |token: &Token| match token {
        Token::StartTag(tag) => {
            let name = tag.name.as_slice();
            BLOCKS.contains(&name) || INLINE.contains(&name)
        }
        _ => false,
    };
    Tokenizer::new(text).any(|Ok(token)| is_tag(&token)) || has_entity(text)
}

/// Returns whether a text has an entity with a semicolon, such as `&amp;` or `&#39;`.
fn has_entity(text: &str) -> bool {
    text.split('&').skip(1).any(|rest| {
        let entity = rest.split_once(';').map(|(name, _)| name);
        entity.is_some_and(|name| {
            let entity = format!("&{name};");
            let is_word = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '#');
            is_word && !name.is_empty() && words(&entity).0 != entity
        })
    })
}

fn open(tag: &StartTag<()>, text: &mut String, marked: &mut String, links: &mut Vec<String>) {
    let name = tag.name.as_slice();
    if BLOCKS.contains(&name) {
        text.push(' ');
        marked.push_str(if name == b"br" { " ⏎ " } else { " " });
    }
    if name == b"li" {
        text.push_str("• ");
        marked.push_str("• ");
    }
    let attribute = |name: &str| {
        let value = tag.attributes.get(name.as_bytes())?;
        Some(String::from_utf8_lossy(value).into_owned())
    };
    if name == b"a" {
        links.push(attribute("href").unwrap_or_default());
    }
    if let Some(sign) = sign(name) {
        marked.push_str(sign);
    } else if name != b"a" && (!BLOCKS.contains(&name) || !tag.attributes.is_empty()) {
        // Other markup, such as a colour, is shown as the tag itself.
        marked.push('<');
        marked.push_str(&String::from_utf8_lossy(name));
        for (name, value) in &tag.attributes {
            let (name, value) = (
                String::from_utf8_lossy(name),
                String::from_utf8_lossy(value),
            );
            marked.push_str(&format!(" {name}={value:?}"));
        }
        marked.push('>');
    }
}

fn close(tag: &EndTag<()>, text: &mut String, marked: &mut String, links: &mut Vec<String>) {
    let name = tag.name.as_slice();
    if name == b"a" {
        let link = links.pop().filter(|link| !link.is_empty());
        marked.push_str(&link.map_or_else(String::new, |link| format!(" ({link})")));
    }
    if let Some(sign) = sign(name) {
        marked.push_str(sign);
    }
    if BLOCKS.contains(&name) {
        text.push(' ');
        marked.push_str(" ⏎ ");
    }
}

/// Returns the characters that mark emphasis in plain text.
fn sign(name: &[u8]) -> Option<&'static str> {
    match name {
        b"b" | b"strong" => Some("**"),
        b"i" | b"em" => Some("*"),
        b"u" | b"ins" => Some("__"),
        b"s" | b"strike" | b"del" => Some("~~"),
        b"code" => Some("`"),
        _ => None,
    }
}

fn one_line(text: &str) -> String {
    let words: Vec<_> = text.split_whitespace().collect();
    words.join(" ")
}
