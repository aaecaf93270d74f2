//! Colours: read, computed with, and their contrast (WCAG 2, relative luminance).

use std::fmt;

/// A colour without transparency.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Color {
    /// Red.
    pub r: u8,
    /// Green.
    pub g: u8,
    /// Blue.
    pub b: u8,
}

impl Color {
    /// White.
    pub(crate) const WHITE: Color = Color {
        r: 255,
        g: 255,
        b: 255,
    };

    /// Reads `#rgb`, `#rrggbb`, `rgb(r, g, b)` and `hsl(h, s%, l%)`; nothing else is taken, because
    /// WordPress writes colours into style sheets as they are.
    pub(crate) fn parse(text: &str) -> Option<Color> {
        let text = text.trim();
        if let Some(hex) = text.strip_prefix('#') {
            return Color::hex(hex);
        }
        let (name, rest) = text.split_once('(')?;
        let inside = rest.strip_suffix(')')?;
        let parts: Vec<&str> = inside
            .split([',', ' '])
            .map(str::trim)
            .filter(|part| !part.is_empty())
            .collect();
        let [a, b, c] = parts.as_slice() else {
            return None;
        };
        match name {
            "rgb" => Some(Color {
                r: a.parse().ok()?,
                g: b.parse().ok()?,
                b: c.parse().ok()?,
            }),
            "hsl" => {
                let hue: f64 = a.trim_end_matches("deg").parse().ok()?;
                let percent = |part: &str| -> Option<f64> {
                    let number: f64 = part.strip_suffix('%')?.parse().ok()?;
                    (0.0..=100.0).contains(&number).then_some(number / 100.0)
                };
                Some(Color::hsl(hue.rem_euclid(360.0), percent(b)?, percent(c)?))
            }
            _ => None,
        }
    }

    fn hex(hex: &str) -> Option<Color> {
        if !hex.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return None;
        }
        let number = u32::from_str_radix(hex, 16).ok()?;
        let byte = |shift: u32| u8::try_from(number >> shift & 0xFF).unwrap_or_default();
        let nibble = |shift: u32| u8::try_from((number >> shift & 0xF) * 17).unwrap_or_default();
        match hex.len() {
            3 => Some(Color {
                r: nibble(8),
                g: nibble(4),
                b: nibble(0),
            }),
            6 => Some(Color {
                r: byte(16),
                g: byte(8),
                b: byte(0),
            }),
            _ => None,
        }
    }

    fn hsl(hue: f64, saturation: f64, lightness: f64) -> Color {
        let chroma = (1.0 - (2.0 * lightness - 1.0).abs()) * saturation;
        let sector = hue / 60.0;
        let x = chroma * (1.0 - (sector % 2.0 - 1.0).abs());
        let (r, g, b) = match sector {
            s if s < 1.0 => (chroma, x, 0.0),
            s if s < 2.0 => (x, chroma, 0.0),
            s if s < 3.0 => (0.0, chroma, x),
            s if s < 4.0 => (0.0, x, chroma),
            s if s < 5.0 => (x, 0.0, chroma),
            _ => (chroma, 0.0, x),
        };
        let base = lightness - chroma / 2.0;
        Color {
            r: channel((r + base) * 255.0),
            g: channel((g + base) * 255.0),
            b: channel((b + base) * 255.0),
        }
    }

    /// This colour with a share (0 to 1) of another.
    #[must_use]
    pub(crate) fn mix(self, other: Color, share: f64) -> Color {
        let one = |a: u8, b: u8| channel(f64::from(a) * (1.0 - share) + f64::from(b) * share);
        Color {
            r: one(self.r, other.r),
            g: one(self.g, other.g),
            b: one(self.b, other.b),
        }
    }

    /// Relative luminance, 0 (black) to 1 (white).
    pub(crate) fn luminance(self) -> f64 {
        let linear = |byte: u8| {
            let share = f64::from(byte) / 255.0;
            if share <= 0.040_45 {
                share / 12.92
            } else {
                ((share + 0.055) / 1.055).powf(2.4)
            }
        };
        0.2126 * linear(self.r) + 0.7152 * linear(self.g) + 0.0722 * linear(self.b)
    }

    /// Contrast ratio to another colour, 1 to 21.
    pub(crate) fn contrast(self, other: Color) -> f64 {
        let (a, b) = (self.luminance(), other.luminance());
        (a.max(b) + 0.05) / (a.min(b) + 0.05)
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "clamped to what fits"
)]
fn channel(value: f64) -> u8 {
    value.round().clamp(0.0, 255.0) as u8
}

impl fmt::Display for Color {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{:02x}{:02x}{:02x}", self.r, self.g, self.b)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms() {
        for (text, hex) in [
            ("#fff", "#ffffff"),
            ("#0f62Fe", "#0f62fe"),
            ("rgb(15, 98, 254)", "#0f62fe"),
            ("rgb(15 98 254)", "#0f62fe"),
            ("hsl(0, 100%, 50%)", "#ff0000"),
            ("hsl(120deg 100% 25%)", "#008000"),
        ] {
            assert_eq!(Color::parse(text).unwrap().to_string(), hex);
        }
        for text in [
            "red",
            "#ff",
            "#gggggg",
            "rgb(1,2)",
            "rgb(300,0,0)",
            "hsl(0, 200%, 50%)",
            "#fff;}</style>",
            "var(--x)",
            "",
        ] {
            assert_eq!(Color::parse(text), None, "{text}");
        }
    }

    #[test]
    fn contrast_is_that_of_the_guidelines() {
        let black = Color::parse("#000").unwrap();
        assert!((Color::WHITE.contrast(black) - 21.0).abs() < 1e-9);
        let grey = Color::parse("#767676").unwrap();
        assert!((grey.contrast(Color::WHITE) - 4.54).abs() < 0.01);
    }
}
