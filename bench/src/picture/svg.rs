//! Draws a terminal's screen as an SVG with an exact grid of cells: every word and sign has its own
//! position, and lines and bars are shapes and not text.

use std::fmt::Write as _;

use vt100::{Cell, Color, Screen};

use super::glyph::{self, CELL_HEIGHT, CELL_WIDTH};

/// Distance from a cell's top to the baseline of its text.
const BASE_LINE: f32 = 13.5;

/// Space around the frame.
const MARGIN: f32 = 14.0;

/// The colours of a terminal, as `#rrggbb`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Palette {
    /// The background of the whole picture.
    pub background: &'static str,
    /// Ordinary text.
    pub foreground: &'static str,
    /// The sixteen colours: black, red, green, yellow, blue, magenta, cyan,
    /// white, then the bright ones.
    pub colors: [&'static str; 16],
}

impl Palette {
    /// A dark terminal.
    pub const DARK: Self = Self {
        background: "#11151c",
        foreground: "#d5dae3",
        colors: [
            "#2b313c", "#ee6d76", "#8fc26b", "#e3b563", "#65a9ec", "#c792e0", "#5fc3cf", "#c3c9d4",
            "#6b7482", "#ff8f97", "#aada8a", "#f5cf86", "#8cc3f7", "#dab2ee", "#86dbe4", "#ffffff",
        ],
    };

    /// A light terminal.
    pub const LIGHT: Self = Self {
        background: "#fbfbf9",
        foreground: "#262b33",
        colors: [
            "#262b33", "#c22f3a", "#2a7a35", "#8f6400", "#1f5fb8", "#7d3aa6", "#0d7484", "#6c737d",
            "#8b929c", "#a81f2b", "#1d6328", "#755200", "#164a93", "#642b88", "#085e6c", "#000000",
        ],
    };

    fn color(&self, color: Color, otherwise: &'static str) -> String {
        let index = match color {
            Color::Rgb(red, green, blue) => return format!("#{red:02x}{green:02x}{blue:02x}"),
            Color::Idx(index) => usize::from(index),
            Color::Default => return otherwise.to_owned(),
        };
        (*self.colors.get(index).unwrap_or(&otherwise)).to_owned()
    }
}

/// Returns the SVG of a screen. `title` is the description for screen readers.
pub fn svg(screen: &Screen, palette: &Palette, title: &str) -> String {
    let (rows, columns) = screen.size();
    let (rows, columns) = (rows.get(), columns.get());
    let width = f32::from(columns) * CELL_WIDTH + 2.0 * MARGIN;
    let height = f32::from(rows) * CELL_HEIGHT + 2.0 * MARGIN;
    let mut drawing = Drawing {
        svg: String::new(),
        palette,
    };
    drawing.push_fmt(format_args!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width:.1} {height:.1}\" \
         width=\"{width:.0}\" height=\"{height:.0}\" role=\"img\">\n<title>{}</title>\n\
         <rect width=\"100%\" height=\"100%\" rx=\"9\" fill=\"{}\"/>\n\
         <g font-family=\"ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono',monospace\" \
         font-size=\"14\" xml:space=\"preserve\">\n",
        escape_xml(title),
        palette.background
    ));
    for row in 0..rows {
        let cells = (0..columns).filter_map(|column| screen.cell(row, column));
        let cells: Vec<&Cell> = cells.collect();
        drawing.row(MARGIN + f32::from(row) * CELL_HEIGHT, &cells);
    }
    drawing.push_fmt(format_args!("</g>\n</svg>\n"));
    drawing.svg
}

struct Drawing<'a> {
    svg: String,
    palette: &'a Palette,
}

impl Drawing<'_> {
    fn push_fmt(&mut self, text: std::fmt::Arguments<'_>) {
        // Writing to a String cannot fail.
        let _ = self.svg.write_fmt(text);
    }

    /// Draws a row in runs of cells with the same style.
    fn row(&mut self, y: f32, cells: &[&Cell]) {
        let mut column = 0_u16;
        for run in cells.chunk_by(|a, b| style(a) == style(b)) {
            let x = MARGIN + f32::from(column) * CELL_WIDTH;
            let length = u16::try_from(run.len()).unwrap_or(u16::MAX);
            self.run(x, y, run, f32::from(length) * CELL_WIDTH);
            column = column.saturating_add(length);
        }
    }

    fn run(&mut self, x: f32, y: f32, run: &[&Cell], width: f32) {
        let Some(first) = run.first() else {
            return;
        };
        let palette = self.palette;
        let mut ink = palette.color(first.fgcolor(), palette.foreground);
        let mut paper = palette.color(first.bgcolor(), palette.background);
        if first.inverse() {
            std::mem::swap(&mut ink, &mut paper);
        }
        if paper != palette.background {
            self.push_fmt(format_args!(
                "<rect x=\"{x:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{CELL_HEIGHT}\" \
                 fill=\"{paper}\"/>\n"
            ));
        }
        let dim = if first.dim() { " opacity=\"0.62\"" } else { "" };
        let weight = if first.bold() {
            " font-weight=\"700\""
        } else {
            ""
        };
        let line = if first.underline() {
            " text-decoration=\"underline\""
        } else {
            ""
        };
        let look = format!("fill=\"{ink}\"{weight}{dim}{line}");
        let mut column = 0_u16;
        // Plain letters form one text, and any other character a text of its own: some
        // renderers position only the first character of a text, and fonts agree only
        // about the width of plain letters.
        let is_plain = |cell: &Cell| matches!(cell.contents().as_bytes(), [b'!'..=b'~']);
        for piece in run.chunk_by(|a, b| is_plain(a) && is_plain(b)) {
            let x = x + f32::from(column) * CELL_WIDTH;
            column = column.saturating_add(u16::try_from(piece.len()).unwrap_or(u16::MAX));
            let text: String = piece.iter().map(|cell| cell.contents()).collect();
            if let Some(shape) = glyph::shape(&text, x, y, &ink) {
                self.push_fmt(format_args!("<g{dim}>{shape}</g>\n"));
            } else if !text.trim().is_empty() {
                let (base_line, text) = (y + BASE_LINE, escape_xml(&text));
                self.push_fmt(format_args!(
                    "<text x=\"{x:.1}\" y=\"{base_line:.1}\" {look}>{text}</text>\n"
                ));
            }
        }
    }
}

/// Returns the style of a cell: everything about its appearance except its text.
fn style(cell: &Cell) -> (Color, Color, [bool; 4]) {
    let marks = [cell.bold(), cell.dim(), cell.underline(), cell.inverse()];
    (cell.fgcolor(), cell.bgcolor(), marks)
}

fn escape_xml(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn draw_text(text: &str, columns: u16, palette: &Palette) -> String {
        let (rows, columns) = (1.try_into().unwrap(), columns.try_into().unwrap());
        let mut parser = vt100::Parser::new(rows, columns, 0);
        parser.process(text.as_bytes());
        svg(parser.screen(), palette, "a & b")
    }

    #[test]
    fn every_word_has_its_own_place_and_nothing_is_markup() {
        let svg = draw_text("a<│▅é", 6, &Palette::DARK);
        assert!(svg.contains("<title>a &amp; b</title>"), "{svg}");
        assert!(
            svg.contains("<text x=\"14.0\" ") && svg.contains(">a&lt;</text>"),
            "{svg}"
        );
        assert!(
            svg.contains("<text x=\"47.6\" ") && svg.contains(">é</text>"),
            "{svg}"
        );
        assert!(
            svg.contains("<path") && svg.contains("<rect x=\"39.2\""),
            "{svg}"
        );
    }

    #[test]
    fn reversed_cells_swap_ink_and_paper() {
        let svg = draw_text("\x1b[31;7mab", 2, &Palette::LIGHT);
        assert!(
            svg.contains("fill=\"#c22f3a\"/>") && svg.contains("fill=\"#fbfbf9\">ab"),
            "{svg}"
        );
    }
}
