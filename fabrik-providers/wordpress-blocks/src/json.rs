//! JSON as block delimiters hold it: keys keep their order, numbers keep their text, and strings
//! are escaped so that nothing in them can end the HTML comment around them.

use std::fmt::Write as _;

use crate::text::{TOKEN_END, TOKEN_START};

/// Deepest nesting that is read; PHP's `json_decode` has the same limit.
const MAX_DEPTH: usize = 512;

/// A JSON value that remembers the order of keys and the text of numbers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Json {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number, as written. Text that is no number is written as it is: that is how a
    /// placeholder for an id ([`token`](crate::text::token)) gets into attributes.
    Number(String),
    /// A string.
    String(String),
    /// A list.
    Array(Vec<Json>),
    /// Pairs in the order written. Of a key that occurs twice the last value counts, at the
    /// first place, as in PHP.
    Object(Vec<(String, Json)>),
}

impl Json {
    /// An object of pairs.
    pub fn object<K: Into<String>>(pairs: impl IntoIterator<Item = (K, Json)>) -> Json {
        let mut object = Vec::new();
        for (key, value) in pairs {
            put(&mut object, key.into(), value);
        }
        Json::Object(object)
    }

    /// The value under a key of an object.
    pub fn get(&self, key: &str) -> Option<&Json> {
        let Json::Object(pairs) = self else {
            return None;
        };
        pairs.iter().find(|(k, _)| k == key).map(|(_, v)| v)
    }

    /// The text of a string.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Json::String(text) => Some(text),
            _ => None,
        }
    }

    /// The number as a float, if it is one.
    pub fn as_f64(&self) -> Option<f64> {
        match self {
            Json::Number(text) => text.parse().ok(),
            _ => None,
        }
    }

    /// Sets a key of an object, in its place when it is there already, else at the end.
    /// Does nothing to what is no object.
    pub fn set(&mut self, key: &str, value: Json) {
        if let Json::Object(pairs) = self {
            put(pairs, key.to_owned(), value);
        }
    }

    /// Takes a key out of an object.
    pub fn remove(&mut self, key: &str) -> Option<Json> {
        let Json::Object(pairs) = self else {
            return None;
        };
        let index = pairs.iter().position(|(k, _)| k == key)?;
        Some(pairs.remove(index).1)
    }

    /// Whether PHP's `empty()` holds for it, decoded as an array: then it is not written.
    pub fn is_empty(&self) -> bool {
        match self {
            Json::Object(pairs) => pairs.is_empty(),
            Json::Array(items) => items.is_empty(),
            Json::Null => true,
            _ => false,
        }
    }

    /// Reads JSON by the rules of PHP's `json_decode`: nothing for bad syntax, unpaired
    /// surrogates, or nesting beyond 512.
    pub fn parse(text: &str) -> Option<Json> {
        let mut reader = Reader {
            bytes: text.as_bytes(),
            text,
            at: 0,
        };
        let value = reader.value(0)?;
        reader.space();
        (reader.at == text.len()).then_some(value)
    }

    /// Writes JSON as WordPress does in a block delimiter (`serialize_block_attributes`):
    /// `\`, `--`, `<`, `>`, `&` and `"` inside strings become `\u….`.
    pub fn write(&self) -> String {
        let mut out = String::new();
        self.write_to(&mut out);
        out
    }

    fn write_to(&self, out: &mut String) {
        match self {
            Json::Null => out.push_str("null"),
            Json::Bool(true) => out.push_str("true"),
            Json::Bool(false) => out.push_str("false"),
            Json::Number(text) => out.push_str(text),
            Json::String(text) => write_string(out, text),
            Json::Array(items) => {
                out.push('[');
                for (index, item) in items.iter().enumerate() {
                    if index > 0 {
                        out.push(',');
                    }
                    item.write_to(out);
                }
                out.push(']');
            }
            Json::Object(pairs) => {
                out.push('{');
                for (index, (key, value)) in pairs.iter().enumerate() {
                    if index > 0 {
                        out.push(',');
                    }
                    write_string(out, key);
                    out.push(':');
                    value.write_to(out);
                }
                out.push('}');
            }
        }
    }
}

impl From<&str> for Json {
    fn from(text: &str) -> Json {
        Json::String(text.to_owned())
    }
}

impl From<String> for Json {
    fn from(text: String) -> Json {
        Json::String(text)
    }
}

impl From<bool> for Json {
    fn from(value: bool) -> Json {
        Json::Bool(value)
    }
}

impl From<u32> for Json {
    fn from(number: u32) -> Json {
        Json::Number(number.to_string())
    }
}

fn put(pairs: &mut Vec<(String, Json)>, key: String, value: Json) {
    match pairs.iter_mut().find(|(k, _)| *k == key) {
        Some(pair) => pair.1 = value,
        None => pairs.push((key, value)),
    }
}

fn write_string(out: &mut String, text: &str) {
    out.push('"');
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\\' => out.push_str("\\u005c"),
            '"' => out.push_str("\\u0022"),
            '<' => out.push_str("\\u003c"),
            '>' => out.push_str("\\u003e"),
            '&' => out.push_str("\\u0026"),
            '-' if chars.peek() == Some(&'-') => {
                chars.next();
                out.push_str("\\u002d\\u002d");
            }
            '\u{8}' => out.push_str("\\b"),
            '\t' => out.push_str("\\t"),
            '\n' => out.push_str("\\n"),
            '\u{c}' => out.push_str("\\f"),
            '\r' => out.push_str("\\r"),
            // PHP writes the two line separators of JavaScript escaped, and no other non-ASCII.
            '\0'..='\x1f' | '\u{2028}' | '\u{2029}' => {
                // Writing to a string does not fail.
                let _ = write!(out, "\\u{:04x}", u32::from(c));
            }
            _ => out.push(c),
        }
    }
    out.push('"');
}

struct Reader<'a> {
    text: &'a str,
    bytes: &'a [u8],
    at: usize,
}

impl Reader<'_> {
    fn space(&mut self) {
        while matches!(self.bytes.get(self.at), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn eat(&mut self, byte: u8) -> Option<()> {
        (self.bytes.get(self.at) == Some(&byte)).then(|| self.at += 1)
    }

    fn word(&mut self, word: &str, value: Json) -> Option<Json> {
        // PHP takes `TRUE` as well.
        let end = self.at + word.len();
        let found = self.bytes.get(self.at..end)?;
        found.eq_ignore_ascii_case(word.as_bytes()).then(|| {
            self.at = end;
            value
        })
    }

    fn value(&mut self, depth: usize) -> Option<Json> {
        self.space();
        match self.bytes.get(self.at)? {
            b'{' => self.object(depth + 1),
            b'[' => self.array(depth + 1),
            b'"' => self.string().map(Json::String),
            b't' | b'T' => self.word("true", Json::Bool(true)),
            b'f' | b'F' => self.word("false", Json::Bool(false)),
            b'n' | b'N' => self.word("null", Json::Null),
            // A placeholder for an id: no page has one, but what is on its way to a page may.
            0xee if self.text[self.at..].starts_with(TOKEN_START) => self.token(),
            _ => self.number(),
        }
    }

    fn object(&mut self, depth: usize) -> Option<Json> {
        if depth > MAX_DEPTH {
            return None;
        }
        self.eat(b'{')?;
        let mut pairs = Vec::new();
        self.space();
        if self.eat(b'}').is_some() {
            return Some(Json::Object(pairs));
        }
        loop {
            self.space();
            let key = self.string()?;
            self.space();
            self.eat(b':')?;
            let value = self.value(depth)?;
            put(&mut pairs, key, value);
            self.space();
            if self.eat(b',').is_none() {
                self.eat(b'}')?;
                return Some(Json::Object(pairs));
            }
        }
    }

    fn array(&mut self, depth: usize) -> Option<Json> {
        if depth > MAX_DEPTH {
            return None;
        }
        self.eat(b'[')?;
        let mut items = Vec::new();
        self.space();
        if self.eat(b']').is_some() {
            return Some(Json::Array(items));
        }
        loop {
            items.push(self.value(depth)?);
            self.space();
            if self.eat(b',').is_none() {
                self.eat(b']')?;
                return Some(Json::Array(items));
            }
        }
    }

    fn token(&mut self) -> Option<Json> {
        let start = self.at;
        let end = start + self.text[start..].find(TOKEN_END)? + TOKEN_END.len_utf8();
        self.at = end;
        Some(Json::Number(self.text[start..end].to_owned()))
    }

    fn digits(&mut self) -> Option<()> {
        let start = self.at;
        while self.bytes.get(self.at).is_some_and(u8::is_ascii_digit) {
            self.at += 1;
        }
        (self.at > start).then_some(())
    }

    fn number(&mut self) -> Option<Json> {
        let start = self.at;
        let _ = self.eat(b'-');
        if self.eat(b'0').is_none() {
            self.digits()?;
        }
        if self.eat(b'.').is_some() {
            self.digits()?;
        }
        if matches!(self.bytes.get(self.at), Some(b'e' | b'E')) {
            self.at += 1;
            if matches!(self.bytes.get(self.at), Some(b'+' | b'-')) {
                self.at += 1;
            }
            self.digits()?;
        }
        Some(Json::Number(self.text[start..self.at].to_owned()))
    }

    fn string(&mut self) -> Option<String> {
        self.eat(b'"')?;
        let mut out = String::new();
        loop {
            let start = self.at;
            while !matches!(self.bytes.get(self.at)?, b'"' | b'\\' | 0..=0x1f) {
                self.at += 1;
            }
            out.push_str(&self.text[start..self.at]);
            if self.eat(b'"').is_some() {
                return Some(out);
            }
            self.eat(b'\\')?;
            let escape = *self.bytes.get(self.at)?;
            self.at += 1;
            out.push(match escape {
                b'"' => '"',
                b'\\' => '\\',
                b'/' => '/',
                b'b' => '\u{8}',
                b'f' => '\u{c}',
                b'n' => '\n',
                b'r' => '\r',
                b't' => '\t',
                b'u' => self.unicode()?,
                _ => return None,
            });
        }
    }

    fn unicode(&mut self) -> Option<char> {
        let first = self.hex4()?;
        if !(0xd800..0xe000).contains(&first) {
            return char::from_u32(first);
        }
        self.eat(b'\\')?;
        self.eat(b'u')?;
        let second = self.hex4()?;
        if first >= 0xdc00 || !(0xdc00..0xe000).contains(&second) {
            return None;
        }
        char::from_u32(0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00))
    }

    fn hex4(&mut self) -> Option<u32> {
        let digits = self.bytes.get(self.at..self.at + 4)?;
        let mut number = 0;
        for digit in digits {
            number = number * 16 + char::from(*digit).to_digit(16)?;
        }
        self.at += 4;
        Some(number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_are_escaped_as_wordpress_does() {
        let json = Json::object([("a", Json::from("\\ \" < > & -- --- - \n é \u{2028} /"))]);
        assert_eq!(
            json.write(),
            "{\"a\":\"\\u005c \\u0022 \\u003c \\u003e \\u0026 \\u002d\\u002d \\u002d\\u002d- - \\n é \\u2028 /\"}"
        );
        assert_eq!(Json::parse(&json.write()), Some(json));
    }

    #[test]
    fn what_php_refuses_is_refused() {
        for text in [
            "",
            "{",
            "{a:1}",
            "[1,]",
            "01",
            "1.",
            "\"\\ud800\"",
            "\"\\udc00\"",
            "\"\t\"",
            "{} x",
            "+1",
            "\"\\x\"",
            "nul",
            "'a'",
        ] {
            assert_eq!(Json::parse(text), None, "{text}");
        }
        assert_eq!(Json::parse("\"\\ud83d\\ude00\""), Some(Json::from("😀")));
        let deep = "[".repeat(600) + &"]".repeat(600);
        assert_eq!(Json::parse(&deep), None);
    }

    #[test]
    fn a_placeholder_stands_for_a_number() {
        let text = "{\"id\":\u{e000}media.a.id\u{e001},\"b\":1}";
        let json = Json::parse(text).unwrap();
        assert_eq!(json.write(), text);
        assert_eq!(Json::parse("{\"id\":\u{e000}x}"), None);
    }

    #[test]
    fn of_a_key_that_occurs_twice_the_last_counts() {
        let json = Json::parse(r#"{"a":1,"b":2,"a":3}"#).unwrap();
        assert_eq!(json.write(), r#"{"a":3,"b":2}"#);
    }
}
