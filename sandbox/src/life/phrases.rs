//! Contains words for values that look like real work.

use fastrand::Rng;

const THINGS: &[&str] = &[
    "oak frames",
    "walnut counter",
    "bookcase for the reading room",
    "stairs, second floor",
    "six bar stools",
    "conference table",
    "window sills",
    "repair of a cupboard",
    "shop fittings",
    "kitchen fronts",
    "door with glass panel",
    "exhibition plinths",
    "garden bench",
];
const NAMES: &[&str] = &[
    "Galerie Süd",
    "Kaffeerösterei Hansen",
    "Studio Okoye",
    "Buchladen am Markt",
    "Hotel Seeblick",
    "Praxis Dr. Lund",
    "Teatro Piccolo",
    "Nørrebro Cykler",
    "Atelier Śliwa",
    "小林設計",
];
const CITIES: &[&str] = &[
    "Kiel", "Rostock", "Malmö", "Århus", "Gdańsk", "Lübeck", "Bergen",
];
const NOTES: &[&str] = &[
    "Customer asks for a darker oil.",
    "Drawing approved, see file.",
    "Measure again on site.",
    "Delivery by the back entrance only.",
    "Wood arrives on Thursday.",
    "Second coat needed.",
    "Invoice goes to the head office.",
];
const COMMENTS: &[&str] = &[
    "Done, please check.",
    "I called them, they are fine with next week.",
    "Who takes this one?",
    "The screws are the wrong length again.",
    "Looks great!",
    "Can we ship before Friday?",
    "Photo attached.",
    "Waiting for the customer's answer.",
];
const TASKS: &[&str] = &[
    "Order hinges",
    "Call the customer",
    "Book the van",
    "Send the offer",
    "Sharpen the planer",
    "Check the invoice",
    "Take photos for the website",
];
const FILES: &[(&str, &str)] = &[
    ("drawing-v2.pdf", "application/pdf"),
    ("photo-front.jpg", "image/jpeg"),
    ("offer.pdf", "application/pdf"),
    ("cutting-list.xlsx", "application/vnd.ms-excel"),
];
const TAGS: &[&str] = &["urgent", "waiting", "export", "repeat-customer"];

/// Returns a text for a field with this name.
pub(super) fn text(external_id: &str, rng: &mut Rng) -> String {
    match external_id {
        "name" | "customer" | "company" => pick(NAMES, rng),
        "city" | "address" | "location" => pick(CITIES, rng),
        "title" => format!("{} {}", rng.u8(2..60), pick(THINGS, rng)),
        _ => pick(NOTES, rng),
    }
}

pub(super) fn comment(rng: &mut Rng) -> String {
    pick(COMMENTS, rng)
}

pub(super) fn task(rng: &mut Rng) -> String {
    pick(TASKS, rng)
}

pub(super) fn tag(rng: &mut Rng) -> String {
    pick(TAGS, rng)
}

/// Returns a file name and a media type.
pub(super) fn file(rng: &mut Rng) -> (String, String) {
    let (name, mimetype) = rng.choice(FILES).copied().unwrap_or_default();
    (name.to_owned(), mimetype.to_owned())
}

fn pick(phrases: &[&str], rng: &mut Rng) -> String {
    rng.choice(phrases)
        .map_or_else(String::new, |text| (*text).to_owned())
}
