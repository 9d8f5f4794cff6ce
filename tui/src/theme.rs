//! The meanings of text and their appearance: only this module turns a
//! [`Role`] into a ratatui style.
//!
//! No theme sets a background, so that the terminal's own stays; the selection is reversed video.
//! Words and signs also carry every meaning, so that nothing is lost without colour.

use ratatui::style::{Color, Modifier, Style};

/// The meaning of a piece of text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Role {
    /// Ordinary text.
    #[default]
    Plain,
    /// Labels, times and borders, which should not draw attention.
    Quiet,
    /// Headings and selected text.
    Strong,
    /// Keys to press and the focused border.
    Accent,
    /// Success.
    Ok,
    /// A problem with an answer, such as a 4xx, or a hint.
    Warning,
    /// A failure, such as a 5xx or no answer.
    Failed,
    /// Running or waiting.
    Waiting,
    /// Names of parameters, headers and JSON fields.
    Name,
    /// Text in quotes.
    Text,
    /// Numbers and literals.
    Number,
    /// A match of the search.
    Match,
    /// The cursor of a line of text.
    Cursor,
}

/// A set of colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Theme {
    /// The terminal's own 16 colours, so that its palette decides.
    #[default]
    Ansi,
    /// For dark backgrounds, in 24-bit colour.
    Dark,
    /// For light backgrounds, in 24-bit colour.
    Light,
    /// Bright colours and bold text, nothing dim.
    HighContrast,
    /// No colour at all (`NO_COLOR`): bold, dim, underlined and reversed only.
    Monochrome,
}

impl Theme {
    /// All themes, each with its name in the configuration.
    pub const ALL: &[(&str, Self)] = &[
        ("ansi", Self::Ansi),
        ("dark", Self::Dark),
        ("light", Self::Light),
        ("high-contrast", Self::HighContrast),
        ("monochrome", Self::Monochrome),
    ];

    /// Returns the theme with that name.
    pub fn from_name(name: &str) -> Option<Self> {
        let (_, theme) = Self::ALL.iter().find(|(known, _)| *known == name)?;
        Some(*theme)
    }

    /// Returns the style of a role.
    pub fn style(self, role: Role) -> Style {
        let style = match self.color(role) {
            Some(color) => Style::new().fg(color),
            None => Style::new(),
        };
        style.add_modifier(self.modifier(role))
    }

    /// Returns the style to apply over the selected row.
    pub fn selection(self, focused: bool) -> Style {
        if focused {
            // One colour for the whole row. If only reversed, each piece
            // would have another background.
            Style::reset().add_modifier(Modifier::REVERSED)
        } else {
            Style::new().add_modifier(Modifier::BOLD | Modifier::UNDERLINED)
        }
    }

    fn modifier(self, role: Role) -> Modifier {
        match (self, role) {
            (_, Role::Cursor) => Modifier::REVERSED,
            (_, Role::Match) => Modifier::BOLD | Modifier::UNDERLINED,
            (_, Role::Strong) | (Self::Monochrome, Role::Failed | Role::Accent) => Modifier::BOLD,
            (Self::Ansi | Self::Monochrome, Role::Quiet) => Modifier::DIM,
            (Self::HighContrast, role) if role != Role::Quiet && role != Role::Plain => {
                Modifier::BOLD
            }
            _ => Modifier::empty(),
        }
    }

    fn color(self, role: Role) -> Option<Color> {
        match self {
            Self::Ansi => ansi(role),
            Self::HighContrast => high_contrast(role),
            Self::Dark => dark(role).map(rgb),
            Self::Light => light(role).map(rgb),
            Self::Monochrome => None,
        }
    }
}

fn ansi(role: Role) -> Option<Color> {
    Some(match role {
        Role::Plain | Role::Quiet | Role::Strong | Role::Cursor => return None,
        Role::Accent | Role::Name => Color::Cyan,
        Role::Ok | Role::Text => Color::Green,
        Role::Warning | Role::Waiting | Role::Match => Color::Yellow,
        Role::Failed => Color::Red,
        Role::Number => Color::Magenta,
    })
}

fn high_contrast(role: Role) -> Option<Color> {
    Some(match role {
        Role::Plain | Role::Quiet | Role::Strong | Role::Cursor => return None,
        Role::Accent | Role::Name => Color::LightCyan,
        Role::Ok | Role::Text => Color::LightGreen,
        Role::Warning | Role::Waiting | Role::Match => Color::LightYellow,
        Role::Failed => Color::LightRed,
        Role::Number => Color::LightMagenta,
    })
}

fn dark(role: Role) -> Option<u32> {
    Some(match role {
        Role::Plain | Role::Strong | Role::Cursor => return None,
        Role::Quiet => 0x7d_86_96,
        Role::Accent => 0x61_af_ef,
        Role::Ok => 0x8c_c2_65,
        Role::Warning => 0xe5_b5_67,
        Role::Failed => 0xf0_71_78,
        Role::Waiting => 0xd1_9a_66,
        Role::Name => 0x73_c0_d9,
        Role::Text => 0xa5_c2_8a,
        Role::Number => 0xc6_94_e0,
        Role::Match => 0xff_d7_5f,
    })
}

fn light(role: Role) -> Option<u32> {
    Some(match role {
        Role::Plain | Role::Strong | Role::Cursor => return None,
        Role::Quiet => 0x6a_73_7d,
        Role::Accent => 0x00_5c_c5,
        Role::Ok => 0x1a_7f_37,
        Role::Warning => 0x8a_5a_00,
        Role::Failed => 0xc6_2b_2b,
        Role::Waiting => 0x9a_5b_13,
        Role::Name => 0x0b_6b_82,
        Role::Text => 0x2b_6a_2f,
        Role::Number => 0x7b_35_a8,
        Role::Match => 0xb3_5c_00,
    })
}

fn rgb(value: u32) -> Color {
    let [_, red, green, blue] = value.to_be_bytes();
    Color::Rgb(red, green, blue)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROLES: [Role; 13] = [
        Role::Plain,
        Role::Quiet,
        Role::Strong,
        Role::Accent,
        Role::Ok,
        Role::Warning,
        Role::Failed,
        Role::Waiting,
        Role::Name,
        Role::Text,
        Role::Number,
        Role::Match,
        Role::Cursor,
    ];

    #[test]
    fn no_theme_sets_a_background() {
        for (name, theme) in Theme::ALL {
            for role in ROLES {
                assert_eq!(theme.style(role).bg, None, "{name} {role:?}");
            }
            assert!(matches!(
                theme.selection(true).bg,
                None | Some(Color::Reset)
            ));
        }
    }

    #[test]
    fn without_colour_there_is_no_colour() {
        for role in ROLES {
            assert_eq!(Theme::Monochrome.style(role).fg, None, "{role:?}");
        }
    }

    #[test]
    fn the_ansi_theme_stays_within_the_palette() {
        for role in ROLES {
            let color = Theme::Ansi.style(role).fg;
            assert!(!matches!(color, Some(Color::Rgb(..) | Color::Indexed(_))));
        }
    }

    #[test]
    fn themes_are_found_by_name() {
        assert_eq!(Theme::from_name("high-contrast"), Some(Theme::HighContrast));
        assert_eq!(Theme::from_name("solarized"), None);
    }
}
