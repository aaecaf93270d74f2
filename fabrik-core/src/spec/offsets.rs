//! From the parser's character offsets to byte offsets, in constant time each.

/// Every how many characters a byte offset is kept.
const STEP: usize = 64;

/// Byte offsets of a text by character offset.
pub(super) struct Offsets<'a> {
    text: &'a str,
    /// Byte offset of every [`STEP`]th character; empty when all characters are one byte.
    marks: Vec<u32>,
}

impl<'a> Offsets<'a> {
    /// Reads the text once.
    pub(super) fn new(text: &'a str) -> Offsets<'a> {
        let marks = if text.is_ascii() {
            Vec::new()
        } else {
            text.char_indices()
                .step_by(STEP)
                .map(|(at, _)| u32::try_from(at).unwrap_or(u32::MAX))
                .collect()
        };
        Offsets { text, marks }
    }

    /// The byte offset of a character; the end of the text for one past it.
    pub(super) fn byte(&self, character: usize) -> usize {
        if self.marks.is_empty() {
            return character.min(self.text.len());
        }
        let Some(mark) = self.marks.get(character / STEP) else {
            return self.text.len();
        };
        let start = *mark as usize;
        self.text[start..]
            .char_indices()
            .nth(character % STEP)
            .map_or(self.text.len(), |(at, _)| start + at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_character_is_found() {
        let text = "aé—😀\n".repeat(100);
        let offsets = Offsets::new(&text);
        for (character, (byte, _)) in text.char_indices().enumerate() {
            assert_eq!(offsets.byte(character), byte);
        }
        assert_eq!(offsets.byte(10_000), text.len());
        assert_eq!(Offsets::new("abc").byte(2), 2);
    }
}
