//! Lists the characters that a terminal obeys or hides instead of showing them: one list for all
//! output of untrusted text (invariant 7).

/// Returns whether a character takes no cell, or changes where or how others appear: control
/// characters from U+0080, direction marks and overrides, and invisible characters. Those below
/// U+0020 and U+007F are covered by [`char::is_control`], and have pictures.
pub fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{80}'..='\u{9f}'         // C1 controls
        | '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{70f}'
        | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
        | '\u{200b}'..='\u{200f}'   // zero width and direction marks
        | '\u{2028}'..='\u{202e}'   // separators, embeddings and overrides
        | '\u{2060}'..='\u{206f}'   // invisible operators and isolates
        | '\u{3164}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}'
        | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}'
        | '\u{e0000}'..='\u{e0fff}' // tags and supplementary selectors
    )
}
