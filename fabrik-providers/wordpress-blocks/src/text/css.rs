//! Values that stand in style sheets. WordPress checks none of them: a palette colour
//! `red;}</style><script>` ran on 6.1.

use fabrik_core::error::Result;

use super::{invalid, shown};

/// A colour in parts of 0 to 1; how opaque it is counts for nothing here.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rgb {
    /// Red.
    pub red: f64,
    /// Green.
    pub green: f64,
    /// Blue.
    pub blue: f64,
}

impl Rgb {
    /// Reads `#rgb`, `#rrggbb`, both with a part for opacity, and numeric `rgb()`, `hsl()`, `oklch()`.
    pub fn parse(text: &str) -> Option<Rgb> {
        if let Some(digits) = text.strip_prefix('#') {
            return hex(digits);
        }
        let (name, body) = text.strip_suffix(')')?.split_once('(')?;
        let body = body.replace([',', '/'], " ");
        let mut parts = Vec::new();
        for part in body.split_ascii_whitespace() {
            parts.push(number(part)?);
        }
        let &[a, b, c, ..] = parts.as_slice() else {
            return None;
        };
        if parts.len() > 4 {
            return None;
        }
        match name {
            "rgb" | "rgba" => {
                let part = |(value, percent): (f64, bool)| {
                    (if percent {
                        value / 100.0
                    } else {
                        value / 255.0
                    })
                    .clamp(0.0, 1.0)
                };
                Some(Rgb {
                    red: part(a),
                    green: part(b),
                    blue: part(c),
                })
            }
            "hsl" | "hsla" => (b.1 && c.1).then(|| hsl(a.0, b.0 / 100.0, c.0 / 100.0)),
            "oklch" => Some(oklch(if a.1 { a.0 / 100.0 } else { a.0 }, b.0, c.0)),
            _ => None,
        }
    }

    /// Relative luminance (WCAG 2.2).
    fn luminance(self) -> f64 {
        let linear = |part: f64| {
            if part <= 0.04045 {
                part / 12.92
            } else {
                ((part + 0.055) / 1.055).powf(2.4)
            }
        };
        0.2126 * linear(self.red) + 0.7152 * linear(self.green) + 0.0722 * linear(self.blue)
    }
}

fn hex(digits: &str) -> Option<Rgb> {
    if !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
        return None;
    }
    let part = |index: usize, width: usize| {
        let text = digits.get(index * width..(index + 1) * width)?;
        let value = f64::from(u8::from_str_radix(text, 16).ok()?);
        Some(if width == 1 {
            value / 15.0
        } else {
            value / 255.0
        })
    };
    let width = match digits.len() {
        3 | 4 => 1,
        6 | 8 => 2,
        _ => return None,
    };
    Some(Rgb {
        red: part(0, width)?,
        green: part(1, width)?,
        blue: part(2, width)?,
    })
}

/// A plain number, and whether it is a percentage. `deg` is the unit of angles anyway.
fn number(text: &str) -> Option<(f64, bool)> {
    let (digits, percent) = match text.strip_suffix('%') {
        Some(digits) => (digits, true),
        None => (text.strip_suffix("deg").unwrap_or(text), false),
    };
    let plain = |b: u8| b.is_ascii_digit() || matches!(b, b'.' | b'-');
    (digits.len() <= 12 && digits.bytes().all(plain))
        .then(|| digits.parse().ok().map(|n| (n, percent)))?
}

fn hsl(hue: f64, saturation: f64, lightness: f64) -> Rgb {
    let chroma = (1.0 - (2.0 * lightness - 1.0).abs()) * saturation;
    let part = |shift: f64| {
        let k = (shift + hue.rem_euclid(360.0) / 30.0).rem_euclid(12.0);
        (lightness - chroma / 2.0 * (k - 3.0).min(9.0 - k).clamp(-1.0, 1.0)).clamp(0.0, 1.0)
    };
    Rgb {
        red: part(0.0),
        green: part(8.0),
        blue: part(4.0),
    }
}

/// After the definition of Oklab (B. Ottosson, 2020; CSS Color 4).
#[allow(
    clippy::excessive_precision,
    clippy::unreadable_literal,
    clippy::many_single_char_names,
    reason = "numbers and names as in the definition"
)]
fn oklch(lightness: f64, chroma: f64, hue: f64) -> Rgb {
    let (a, b) = (
        chroma * hue.to_radians().cos(),
        chroma * hue.to_radians().sin(),
    );
    let l = (lightness + 0.3963377774 * a + 0.2158037573 * b).powi(3);
    let m = (lightness - 0.1055613458 * a - 0.0638541728 * b).powi(3);
    let s = (lightness - 0.0894841775 * a - 1.2914855480 * b).powi(3);
    let gamma = |part: f64| {
        let part = part.clamp(0.0, 1.0);
        if part <= 0.0031308 {
            12.92 * part
        } else {
            1.055 * part.powf(1.0 / 2.4) - 0.055
        }
    };
    Rgb {
        red: gamma(4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s),
        green: gamma(-1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s),
        blue: gamma(-0.0041960863 * l - 0.7034186147 * m + 1.7076147010 * s),
    }
}

/// Checks a colour: what [`Rgb::parse`] reads, or `var(--wp--preset--color--…)`.
pub fn color(text: &str) -> Result<&str> {
    let variable = text
        .strip_prefix("var(--wp--")
        .and_then(|t| t.strip_suffix(')'));
    let is_variable = variable.is_some_and(|name| {
        name.len() <= 80
            && name
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
    });
    if is_variable || Rgb::parse(text).is_some() {
        return Ok(text);
    }
    Err(invalid(format!("{} is no colour", shown(text)))
        .hint("write #rrggbb, or numbers in rgb(), hsl() or oklch()"))
}

/// The contrast of two colours, 1 to 21 (WCAG 2.2): at least 4.5 for text, 3 for large text and
/// for what a button is told by.
pub fn contrast(a: Rgb, b: Rgb) -> f64 {
    let (a, b) = (a.luminance(), b.luminance());
    (a.max(b) + 0.05) / (a.min(b) + 0.05)
}

/// Units a length may have.
const UNITS: [&str; 12] = [
    "px", "rem", "em", "%", "vw", "vh", "svh", "dvh", "ch", "ex", "pt", "vmin",
];

/// Checks a length: a number with a unit, or `0`.
pub fn length(text: &str) -> Result<&str> {
    let digits = text
        .bytes()
        .take_while(|b| b.is_ascii_digit() || matches!(b, b'.' | b'-'))
        .count();
    let (value, unit) = text.split_at(digits);
    let fits = value.len() <= 8 && value.parse::<f64>().is_ok();
    if fits && (UNITS.contains(&unit) || text == "0") {
        return Ok(text);
    }
    Err(invalid(format!("{} is no length", shown(text)))
        .hint("write a number with a unit, such as 480px, 1.5rem or 60vh"))
}

/// Checks the name of a font, or a list of names: letters, digits, spaces, `, ' -`; at most 80.
pub fn font(text: &str) -> Result<&str> {
    let fits = |c: char| c.is_ascii_alphanumeric() || " ,'-".contains(c);
    if (1..=80).contains(&text.len())
        && text.chars().all(fits)
        && text.matches('\'').count().is_multiple_of(2)
    {
        return Ok(text);
    }
    Err(invalid(format!("{} is no name of a font", shown(text)))
        .hint("use letters, digits, spaces, commas and dashes, such as Source Sans 3"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(a: f64, b: f64) -> bool {
        (a - b).abs() < 0.02
    }

    #[test]
    fn colours_are_read_in_every_form() {
        let red = Rgb::parse("#f00").unwrap();
        for text in [
            "#ff0000",
            "#ff000080",
            "rgb(255, 0, 0)",
            "rgb(100% 0% 0% / 50%)",
            "hsl(0, 100%, 50%)",
            "oklch(62.8% 0.2577 29.23)",
        ] {
            let rgb = Rgb::parse(text).unwrap();
            assert!(
                near(rgb.red, red.red) && near(rgb.green, 0.0) && near(rgb.blue, 0.0),
                "{text} {rgb:?}"
            );
            assert!(color(text).is_ok());
        }
        assert!(color("var(--wp--preset--color--accent)").is_ok());
        for text in [
            "",
            "red",
            "#ff",
            "#ggg",
            "rgb(1,2)",
            "rgb(1;2;3)",
            "#fff;}</style><script>",
            "expression(1)",
            "url(x)",
            "var(--x)",
            "var(--wp--x);a",
            "rgb(1,2,3) x",
            "rgb(var(--x),1,2)",
            "#fff\n",
            "hsl(1,2,3)",
        ] {
            assert!(color(text).is_err(), "{text}");
        }
    }

    #[test]
    fn contrast_is_that_of_wcag() {
        let ratio = |a: &str, b: &str| contrast(Rgb::parse(a).unwrap(), Rgb::parse(b).unwrap());
        assert!(near(ratio("#000", "#fff"), 21.0));
        assert!(near(ratio("#777", "#fff"), 4.48));
        assert!(near(ratio("#fff", "#fff"), 1.0));
    }

    #[test]
    fn lengths_and_fonts_are_taken_or_refused() {
        for text in ["0", "12px", "1.5rem", "60vh", "-2em", "50%"] {
            assert!(length(text).is_ok(), "{text}");
        }
        for text in [
            "",
            "px",
            "12",
            "1px;color:red",
            "calc(1px)",
            "1..px",
            "10 px",
            "1e9px",
        ] {
            assert!(length(text).is_err(), "{text}");
        }
        assert!(font("'Source Sans 3', sans-serif").is_ok());
        for text in ["", "a;b", "x}</style>", "a\"b", "it's", "a(b)"] {
            assert!(font(text).is_err(), "{text}");
        }
    }
}
