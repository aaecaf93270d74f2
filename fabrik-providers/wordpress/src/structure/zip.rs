//! As much of zip files as it takes to see what is in one: APPNOTE 6.3, without encryption and ZIP64.

use miniz_oxide::inflate::decompress_to_vec_with_limit;

/// Most entries that are looked at.
const MOST: usize = 20_000;
/// Most bytes of an entry that is read.
const ENTRY: usize = 4 * 1024 * 1024;

/// A zip file in memory.
pub(super) struct Zip<'a> {
    bytes: &'a [u8],
    entries: Vec<Entry>,
}

struct Entry {
    name: String,
    method: u16,
    packed: usize,
    at: usize,
}

impl<'a> Zip<'a> {
    /// Reads the directory; `None` for what is no zip file.
    pub(super) fn of(bytes: &'a [u8]) -> Option<Zip<'a>> {
        // The end record has a comment of at most 64 KiB behind it.
        let from = bytes.len().saturating_sub(22 + 0xffff);
        let end = (from..=bytes.len().checked_sub(22)?)
            .rev()
            .find(|at| bytes[*at..].starts_with(b"PK\x05\x06"))?;
        let count = usize::from(number16(bytes, end + 10)?);
        let mut at = number32(bytes, end + 16)?;
        let mut entries = Vec::new();
        for _ in 0..count.min(MOST) {
            if !bytes.get(at..)?.starts_with(b"PK\x01\x02") {
                return None;
            }
            let name = usize::from(number16(bytes, at + 28)?);
            let more =
                usize::from(number16(bytes, at + 30)?) + usize::from(number16(bytes, at + 32)?);
            entries.push(Entry {
                name: String::from_utf8_lossy(bytes.get(at + 46..at + 46 + name)?).into_owned(),
                method: number16(bytes, at + 10)?,
                packed: number32(bytes, at + 20)?,
                at: number32(bytes, at + 42)?,
            });
            at += 46 + name + more;
        }
        Some(Zip { bytes, entries })
    }

    /// Names of all entries.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.entries.iter().map(|entry| entry.name.as_str())
    }

    /// The content of an entry as text, what is not UTF-8 replaced.
    pub(super) fn text(&self, name: &str) -> Option<String> {
        let entry = self.entries.iter().find(|entry| entry.name == name)?;
        let head = self.bytes.get(entry.at..)?;
        if !head.starts_with(b"PK\x03\x04") {
            return None;
        }
        let from = 30 + usize::from(number16(head, 26)?) + usize::from(number16(head, 28)?);
        let packed = head.get(from..from.checked_add(entry.packed)?)?;
        let plain = match entry.method {
            0 => packed.get(..packed.len().min(ENTRY))?.to_vec(),
            8 => decompress_to_vec_with_limit(packed, ENTRY).ok()?,
            _ => return None,
        };
        Some(String::from_utf8_lossy(&plain).into_owned())
    }
}

fn number16(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_le_bytes(bytes.get(at..at + 2)?.try_into().ok()?))
}

fn number32(bytes: &[u8], at: usize) -> Option<usize> {
    usize::try_from(u32::from_le_bytes(bytes.get(at..at + 4)?.try_into().ok()?)).ok()
}

#[cfg(test)]
mod tests {
    use super::Zip;

    /// `a/b.txt` with the text `hello`, stored.
    fn one() -> Vec<u8> {
        let mut zip = b"PK\x03\x04\x14\x00\x00\x00\x00\x00\x00\x00\x00\x00\x86\xa6\x10\x36\x05\x00\x00\x00\x05\x00\x00\x00\x07\x00\x00\x00a/b.txthello".to_vec();
        let directory = u32::try_from(zip.len()).unwrap();
        zip.extend_from_slice(b"PK\x01\x02\x14\x00\x14\x00\x00\x00\x00\x00\x00\x00\x00\x00\x86\xa6\x10\x36\x05\x00\x00\x00\x05\x00\x00\x00\x07\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00a/b.txt");
        let size = u32::try_from(zip.len()).unwrap() - directory;
        zip.extend_from_slice(b"PK\x05\x06\x00\x00\x00\x00\x01\x00\x01\x00");
        zip.extend_from_slice(&size.to_le_bytes());
        zip.extend_from_slice(&directory.to_le_bytes());
        zip.extend_from_slice(b"\x00\x00");
        zip
    }

    #[test]
    fn what_is_in_a_zip_is_read() {
        let bytes = one();
        let zip = Zip::of(&bytes).unwrap();
        assert_eq!(zip.names().collect::<Vec<_>>(), ["a/b.txt"]);
        assert_eq!(zip.text("a/b.txt").as_deref(), Some("hello"));
        assert_eq!(zip.text("other"), None);
    }

    #[test]
    fn what_is_cut_or_changed_breaks_nothing() {
        let bytes = one();
        for end in 0..bytes.len() {
            let _ = Zip::of(&bytes[..end]).map(|zip| zip.text("a/b.txt"));
        }
        for at in 0..bytes.len() {
            let mut other = bytes.clone();
            other[at] = 0xff;
            let _ = Zip::of(&other).map(|zip| zip.text("a/b.txt"));
        }
    }
}
