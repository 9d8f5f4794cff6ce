//! Draws box lines and bars as shapes. As text, they would leave gaps between rows in most fonts.

/// Width of a cell, in pixels.
pub(super) const CELL_WIDTH: f32 = 8.4;

/// Height of a cell, in pixels.
pub(super) const CELL_HEIGHT: f32 = 18.0;

/// Radius of a rounded corner.
const RADIUS: f32 = 4.0;

/// Returns the shape of a symbol in the cell at (`x`, `y`), or `None` if the symbol is text.
pub(super) fn shape(symbol: &str, x: f32, y: f32, ink: &str) -> Option<String> {
    let (right, bottom) = (x + CELL_WIDTH, y + CELL_HEIGHT);
    let (middle, center) = (x + CELL_WIDTH / 2.0, y + CELL_HEIGHT / 2.0);
    let (before, after) = (center - RADIUS, center + RADIUS);
    let mut thickness = 1.2;
    let path = match symbol {
        "─" => format!("M{x:.1} {center:.1}H{right:.1}"),
        "━" => {
            thickness = 2.6;
            format!("M{x:.1} {center:.1}H{right:.1}")
        }
        "│" => format!("M{middle:.1} {y:.1}V{bottom:.1}"),
        "╭" => format!(
            "M{middle:.1} {bottom:.1}V{after:.1}Q{middle:.1} {center:.1} {right:.1} {center:.1}"
        ),
        "╮" => format!(
            "M{middle:.1} {bottom:.1}V{after:.1}Q{middle:.1} {center:.1} {x:.1} {center:.1}"
        ),
        "╰" => format!(
            "M{middle:.1} {y:.1}V{before:.1}Q{middle:.1} {center:.1} {right:.1} {center:.1}"
        ),
        "╯" => {
            format!("M{middle:.1} {y:.1}V{before:.1}Q{middle:.1} {center:.1} {x:.1} {center:.1}")
        }
        _ => return bar(symbol, x, bottom, ink),
    };
    Some(format!(
        "<path d=\"{path}\" fill=\"none\" stroke=\"{ink}\" stroke-width=\"{thickness}\"/>"
    ))
}

/// Returns a bar of eighths that starts at the cell's lower edge.
fn bar(symbol: &str, x: f32, bottom: f32, ink: &str) -> Option<String> {
    let mut chars = symbol.chars();
    let (Some(bar), None) = (chars.next(), chars.next()) else {
        return None;
    };
    let eighths = u8::try_from(u32::from(bar).checked_sub(0x2580)?)
        .ok()
        .filter(|n| (1..=8).contains(n))?;
    let height = CELL_HEIGHT * f32::from(eighths) / 8.0 * 0.8;
    let (y, width) = (bottom - 2.0 - height, CELL_WIDTH - 1.0);
    Some(format!(
        "<rect x=\"{x:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{height:.1}\" fill=\"{ink}\"/>"
    ))
}
