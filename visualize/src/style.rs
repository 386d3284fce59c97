//! How things look: colours, lines, sizes.

use crate::model::EdgeKind;

/// Fonts, the first that the viewer has.
pub(crate) const FONT: &str = "Helvetica,Arial,sans-serif";
/// Text on boxes.
pub(crate) const INK: &str = "#16191d";
/// Text beside edges.
pub(crate) const SOFT_INK: &str = "#4a4f55";
/// Frames of boxes.
pub(crate) const FRAME: &str = "#5c6166";
/// Frames of clusters.
pub(crate) const CLUSTER_FRAME: &str = "#a3a8ad";
/// Inside of clusters.
pub(crate) const CLUSTER_FILL: &str = "#f5f6f7";
/// Boxes of several players, which show their colours in a band, and boxes of nobody.
pub(crate) const NEUTRAL: &str = "#ffffff";

/// After Paul Tol's "light" qualitative scheme, which is made for cells with dark text in them, tuned
/// so that any two differ with every common kind of colour blindness (CIE76 distance 13 or more).
/// <https://personal.sron.nl/~pault/#sec:qualitative>
const PALETTE: [(u8, u8, u8); 7] = [
    (0x83, 0xB1, 0xE0),
    (0xF1, 0xE1, 0x9A),
    (0xF0, 0x97, 0x7A),
    (0x57, 0xBF, 0x9F),
    (0xFF, 0xBE, 0xCB),
    (0xC3, 0xCF, 0x45),
    (0xB4, 0xE7, 0xFF),
];

/// The colour of a player by its place in the graph's list of players: `#83b1e0`.
///
/// There are seven colours; further players have them again in paler shades.
#[must_use]
pub fn player_colour(player: usize) -> String {
    let (r, g, b) = PALETTE[player % PALETTE.len()];
    let shade = (player / PALETTE.len() % 3) as u32;
    let paler = |part: u8| 255 - (255 - u32::from(part)) * (5 - 2 * shade) / 5;
    format!("#{:02x}{:02x}{:02x}", paler(r), paler(g), paler(b))
}

/// How edges of a kind are drawn.
pub(crate) struct Line {
    /// Colour of the line.
    pub(crate) colour: &'static str,
    /// Colour of the text beside it, which needs more contrast than a line.
    pub(crate) text: &'static str,
    /// Whether there are two lines side by side.
    pub(crate) double: bool,
    /// Width of one line in points.
    pub(crate) width: &'static str,
    /// Graphviz name of its head.
    pub(crate) head: &'static str,
    /// The head in the legend: characters that every common font has.
    pub(crate) glyph: &'static str,
    /// What the legend says.
    pub(crate) meaning: &'static str,
}

/// The line of a kind. Kinds differ in form as well as in colour.
pub(crate) fn line(kind: EdgeKind) -> Line {
    match kind {
        EdgeKind::Plain => Line {
            colour: "#7d8287",
            text: SOFT_INK,
            double: false,
            width: "1.5",
            head: "normal",
            glyph: "►",
            meaning: "plaintext",
        },
        EdgeKind::Secret => Line {
            colour: "#6f42c1",
            text: "#5b33a6",
            double: true,
            width: "1.3",
            head: "normal",
            glyph: "►",
            meaning: "secret-shared: nobody can read it",
        },
        EdgeKind::Reveal => Line {
            colour: "#6f42c1",
            text: "#5b33a6",
            double: true,
            width: "1.3",
            head: "normalodot",
            glyph: "○►",
            meaning: "reveal: a secret becomes plaintext",
        },
        EdgeKind::Update => Line {
            colour: "#e8850c",
            text: "#a85a00",
            double: false,
            width: "2.2",
            head: "normal",
            glyph: "►",
            meaning: "update of variables for the next step",
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Relative luminance, WCAG 2.
    fn luminance(colour: &str) -> f64 {
        let part = |at: usize| {
            let c = f64::from(u8::from_str_radix(&colour[at..at + 2], 16).unwrap()) / 255.0;
            if c <= 0.03928 { c / 12.92 } else { ((c + 0.055) / 1.055).powf(2.4) }
        };
        0.2126 * part(1) + 0.7152 * part(3) + 0.0722 * part(5)
    }

    fn contrast(a: &str, b: &str) -> f64 {
        let (a, b) = (luminance(a), luminance(b));
        (a.max(b) + 0.05) / (a.min(b) + 0.05)
    }

    #[test]
    fn text_has_contrast() {
        for player in 0..21 {
            assert!(contrast(INK, &player_colour(player)) >= 7.0, "player {player}");
        }
        for kind in [EdgeKind::Plain, EdgeKind::Secret, EdgeKind::Reveal, EdgeKind::Update] {
            assert!(contrast(line(kind).text, CLUSTER_FILL) >= 4.5, "{kind:?}");
        }
    }

    #[test]
    fn players_have_colours_of_their_own() {
        let colours: std::collections::HashSet<_> = (0..21).map(player_colour).collect();
        assert_eq!(colours.len(), 21);
    }
}
