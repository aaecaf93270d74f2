//! What an image file is: told by its first bytes, never by its name.

/// An image, as far as its header tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Facts {
    /// The media type.
    pub mime: &'static str,
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
}

/// Why bytes are not taken for an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    /// SVG, which WordPress refuses because it can hold scripts.
    Svg,
    /// Nothing that is known.
    Unknown,
}

/// Reads the header of a PNG, JPEG, GIF or WebP.
///
/// # Errors
/// Why it is not taken.
pub(crate) fn facts(bytes: &[u8]) -> Result<Facts, Refused> {
    png(bytes)
        .or_else(|| gif(bytes))
        .or_else(|| jpeg(bytes))
        .or_else(|| webp(bytes))
        .ok_or_else(|| {
            let start = String::from_utf8_lossy(bytes.get(..512).unwrap_or(bytes)).to_lowercase();
            if start.contains("<svg") || start.contains("<!doctype svg") {
                Refused::Svg
            } else {
                Refused::Unknown
            }
        })
}

fn number(bytes: &[u8]) -> u32 {
    bytes
        .iter()
        .fold(0, |sum, byte| sum << 8 | u32::from(*byte))
}

fn little(bytes: &[u8]) -> u32 {
    bytes
        .iter()
        .rev()
        .fold(0, |sum, byte| sum << 8 | u32::from(*byte))
}

fn png(bytes: &[u8]) -> Option<Facts> {
    let rest = bytes.strip_prefix(b"\x89PNG\r\n\x1a\n")?;
    Some(Facts {
        mime: "image/png",
        width: number(rest.get(8..12)?),
        height: number(rest.get(12..16)?),
    })
}

fn gif(bytes: &[u8]) -> Option<Facts> {
    if !bytes.starts_with(b"GIF87a") && !bytes.starts_with(b"GIF89a") {
        return None;
    }
    Some(Facts {
        mime: "image/gif",
        width: little(bytes.get(6..8)?),
        height: little(bytes.get(8..10)?),
    })
}

/// Goes over the segments up to the frame header (ITU T.81, B.1.1.3).
fn jpeg(bytes: &[u8]) -> Option<Facts> {
    let mut rest = bytes.strip_prefix(b"\xff\xd8")?;
    loop {
        let [0xff, marker, ..] = rest else {
            return None;
        };
        if *marker == 0xff {
            rest = rest.get(1..)?;
            continue;
        }
        let length = usize::try_from(number(rest.get(2..4)?)).ok()?;
        if matches!(marker, 0xc0..=0xcf) && !matches!(marker, 0xc4 | 0xc8 | 0xcc) {
            return Some(Facts {
                mime: "image/jpeg",
                height: number(rest.get(5..7)?),
                width: number(rest.get(7..9)?),
            });
        }
        rest = rest.get(2 + length..)?;
    }
}

fn webp(bytes: &[u8]) -> Option<Facts> {
    let rest = bytes.strip_prefix(b"RIFF")?.get(4..)?;
    let rest = rest.strip_prefix(b"WEBP")?;
    let (width, height) = match rest.get(..4)? {
        b"VP8 " => (
            little(rest.get(14..16)?) & 0x3fff,
            little(rest.get(16..18)?) & 0x3fff,
        ),
        b"VP8L" => {
            let bits = little(rest.get(9..13)?);
            ((bits & 0x3fff) + 1, (bits >> 14 & 0x3fff) + 1)
        }
        b"VP8X" => (little(rest.get(12..15)?) + 1, little(rest.get(15..18)?) + 1),
        _ => return None,
    };
    Some(Facts {
        mime: "image/webp",
        width,
        height,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers() {
        let png = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\x04\xb0\0\0\x02\x58";
        assert_eq!(
            facts(png),
            Ok(Facts {
                mime: "image/png",
                width: 1200,
                height: 600
            })
        );
        let gif = b"GIF89a\x10\0\x20\0";
        assert_eq!(
            facts(gif),
            Ok(Facts {
                mime: "image/gif",
                width: 16,
                height: 32
            })
        );
        let jpeg = b"\xff\xd8\xff\xe0\0\x04ab\xff\xc0\0\x11\x08\x01\x00\x02\x00\x03";
        assert_eq!(
            facts(jpeg),
            Ok(Facts {
                mime: "image/jpeg",
                width: 512,
                height: 256
            })
        );
        assert_eq!(facts(b"<?xml?><svg>"), Err(Refused::Svg));
        assert_eq!(facts(b"<?php evil"), Err(Refused::Unknown));
        assert_eq!(facts(b"\xff\xd8\xff"), Err(Refused::Unknown));
    }
}
