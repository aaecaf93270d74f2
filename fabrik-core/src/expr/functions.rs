//! The pure functions of the spec language.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::to_text;
use crate::error::{Error, ErrorKind, Result};
use crate::value::{Value, to_wire};

/// A pure function, called as `${slug(vars.name)}`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Function {
    /// `lower(text)`.
    Lower,
    /// `upper(text)`.
    Upper,
    /// `trim(text)`: without white space at both ends.
    Trim,
    /// `replace(text, from, to)`.
    Replace,
    /// `split(text, separator)`.
    Split,
    /// `join(list, separator)`.
    Join,
    /// `format(pattern, values…)`: each `{}` in the pattern takes the next value.
    Format,
    /// `default(value, otherwise)`: the second where the first is null.
    Default,
    /// `json(value)`: compact JSON.
    Json,
    /// `yaml(value)`: the value as YAML text.
    Yaml,
    /// `base64(text)`: standard alphabet with padding.
    Base64,
    /// `sha256(text)`: lower-case hexadecimal.
    Sha256,
    /// `slug(text)`: lower-case letters, digits and single `-`; what a host name takes.
    Slug,
}

/// Every function with its name and the number of arguments it takes.
const TABLE: &[(&str, Function, std::ops::RangeInclusive<usize>)] = &[
    ("lower", Function::Lower, 1..=1),
    ("upper", Function::Upper, 1..=1),
    ("trim", Function::Trim, 1..=1),
    ("replace", Function::Replace, 3..=3),
    ("split", Function::Split, 2..=2),
    ("join", Function::Join, 2..=2),
    ("format", Function::Format, 1..=32),
    ("default", Function::Default, 2..=2),
    ("json", Function::Json, 1..=1),
    ("yaml", Function::Yaml, 1..=1),
    ("base64", Function::Base64, 1..=1),
    ("sha256", Function::Sha256, 1..=1),
    ("slug", Function::Slug, 1..=1),
];

impl Function {
    /// The function of a name.
    pub fn named(name: &str) -> Option<Function> {
        TABLE.iter().find(|row| row.0 == name).map(|row| row.1)
    }

    /// Every name, for suggestions and docs. `file("path")` is not among them: it reads, so the
    /// loader replaces it by the file's text before anything is evaluated.
    pub fn names() -> impl Iterator<Item = &'static str> {
        TABLE.iter().map(|row| row.0)
    }

    /// The name.
    pub fn name(self) -> &'static str {
        TABLE
            .iter()
            .find(|row| row.1 == self)
            .map_or("?", |row| row.0)
    }

    /// How many arguments it takes.
    pub fn arity(self) -> std::ops::RangeInclusive<usize> {
        TABLE
            .iter()
            .find(|row| row.1 == self)
            .map_or(0..=0, |row| row.2.clone())
    }

    /// Applies the function to known values. The caller marks the result secret when an argument
    /// was.
    pub(crate) fn apply(self, arguments: &[Value]) -> Result<Value> {
        if !self.arity().contains(&arguments.len()) {
            return Err(Error::new(
                ErrorKind::Invalid,
                format!(
                    "`{}` takes {} arguments, not {}",
                    self.name(),
                    self.arity().start(),
                    arguments.len()
                ),
            ));
        }
        let text = |index: usize| to_text(&arguments[index]);
        Ok(match self {
            Function::Lower => Value::from(text(0)?.to_lowercase()),
            Function::Upper => Value::from(text(0)?.to_uppercase()),
            Function::Trim => Value::from(text(0)?.trim()),
            Function::Replace => {
                let (whole, from, to) = (text(0)?, text(1)?, text(2)?);
                let grown = whole.matches(&from).count().saturating_mul(to.len());
                fits(grown.saturating_add(whole.len()))?;
                Value::from(whole.replace(&from, &to))
            }
            Function::Split => {
                let (whole, separator) = (text(0)?, text(1)?);
                if separator.is_empty() {
                    return Err(Error::new(ErrorKind::Invalid, "`split` needs a separator"));
                }
                Value::list(whole.split(&separator).map(Value::from))
            }
            Function::Join => {
                let items = arguments[0].as_list().ok_or_else(|| {
                    Error::new(
                        ErrorKind::Invalid,
                        format!("`join` takes a list, not {}", arguments[0].kind_name()),
                    )
                })?;
                let parts = items.iter().map(to_text).collect::<Result<Vec<_>>>()?;
                let separator = text(1)?;
                let between = parts.len().saturating_mul(separator.len());
                fits(
                    parts
                        .iter()
                        .map(String::len)
                        .sum::<usize>()
                        .saturating_add(between),
                )?;
                Value::from(parts.join(&separator))
            }
            Function::Format => {
                let pattern = text(0)?;
                let mut pieces = pattern.split("{}");
                let mut out = pieces.next().unwrap_or_default().to_owned();
                let mut values = arguments[1..].iter();
                for piece in pieces {
                    let value = values.next().ok_or_else(|| {
                        Error::new(ErrorKind::Invalid, "`format` has more `{}` than values")
                    })?;
                    out.push_str(&to_text(value)?);
                    out.push_str(piece);
                }
                if values.next().is_some() {
                    return Err(Error::new(
                        ErrorKind::Invalid,
                        "`format` has more values than `{}`",
                    ));
                }
                Value::from(out)
            }
            Function::Default => {
                if arguments[0].is_null() {
                    arguments[1].clone()
                } else {
                    arguments[0].clone()
                }
            }
            Function::Json => Value::from(to_wire(&arguments[0])?.to_string()),
            Function::Yaml => Value::from(crate::yaml::to_text(&arguments[0])),
            Function::Base64 => Value::from(BASE64.encode(text(0)?)),
            Function::Sha256 => {
                let digest = Sha256::digest(text(0)?.as_bytes());
                Value::from(crate::hex::encode(&digest))
            }
            Function::Slug => Value::from(slug(&text(0)?)),
        })
    }
}

/// Refuses a result that would be larger than any field takes.
fn fits(len: usize) -> Result<()> {
    const MOST: usize = 16 << 20;
    if len <= MOST {
        return Ok(());
    }
    Err(Error::new(
        ErrorKind::Invalid,
        "the result would be larger than 16 MiB",
    ))
}

fn slug(text: &str) -> String {
    let mut out = String::new();
    for character in text.to_lowercase().chars() {
        if character.is_ascii_alphanumeric() {
            out.push(character);
        } else if !out.is_empty() && !out.ends_with('-') {
            out.push('-');
        }
    }
    out.trim_end_matches('-').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(name: &str, arguments: &[&str]) -> String {
        let arguments: Vec<Value> = arguments.iter().map(|text| Value::from(*text)).collect();
        to_text(&Function::named(name).unwrap().apply(&arguments).unwrap()).unwrap()
    }

    #[test]
    fn each_function() {
        assert_eq!(run("lower", &["AbÇ"]), "abç");
        assert_eq!(run("replace", &["a-b-c", "-", "."]), "a.b.c");
        assert_eq!(run("format", &["{}:{}", "h", "1"]), "h:1");
        assert_eq!(run("base64", &["hi"]), "aGk=");
        assert_eq!(run("slug", &["  Héllo, World! "]), "h-llo-world");
        assert!(run("sha256", &[""]).starts_with("e3b0c442"));
        assert_eq!(run("json", &["a\"b"]), "\"a\\\"b\"");
        let parts = Function::Split.apply(&["a,b".into(), ",".into()]).unwrap();
        assert_eq!(
            to_text(&Function::Join.apply(&[parts, "+".into()]).unwrap()).unwrap(),
            "a+b"
        );
        assert!(Function::Format.apply(&["{}".into()]).is_err());
        assert!(Function::Lower.apply(&[]).is_err());
    }
}
