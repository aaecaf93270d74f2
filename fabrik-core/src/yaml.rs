//! Values as YAML text (for `${yaml(…)}`, `eject` and `export`).

use std::fmt::Write as _;

use crate::value::Value;

/// A value as block-style YAML. Secrets are in clear when `value` holds them: mask first to print.
pub fn to_text(value: &Value) -> String {
    let mut out = String::new();
    block(value, 0, &mut out);
    out
}

fn block(value: &Value, depth: usize, out: &mut String) {
    match value.reveal() {
        Value::Map(map) if !map.is_empty() => {
            for (key, item) in map.iter() {
                indent(depth, out);
                scalar_text(key, out);
                out.push(':');
                after_key(item, depth, out);
            }
        }
        Value::List(items) if !items.is_empty() => {
            for item in items.iter() {
                indent(depth, out);
                out.push('-');
                match item.reveal() {
                    Value::Map(map) if !map.is_empty() => {
                        let mut inner = String::new();
                        block(item, depth + 1, &mut inner);
                        out.push(' ');
                        out.push_str(inner.trim_start());
                    }
                    _ => after_key(item, depth, out),
                }
            }
        }
        other => {
            indent(depth, out);
            scalar(other, out);
            out.push('\n');
        }
    }
}

fn after_key(item: &Value, depth: usize, out: &mut String) {
    match item.reveal() {
        Value::Map(map) if !map.is_empty() => {
            out.push('\n');
            block(item, depth + 1, out);
        }
        Value::List(items) if !items.is_empty() => {
            out.push('\n');
            block(item, depth + 1, out);
        }
        Value::Str(text) if is_block_text(text) => {
            out.push_str(if text.ends_with('\n') {
                " |\n"
            } else {
                " |-\n"
            });
            for line in text.lines() {
                if !line.is_empty() {
                    indent(depth + 1, out);
                    out.push_str(line);
                }
                out.push('\n');
            }
        }
        other => {
            out.push(' ');
            scalar(other, out);
            out.push('\n');
        }
    }
}

/// Text that reads well, and unchanged, as a literal block.
fn is_block_text(text: &str) -> bool {
    text.contains('\n')
        && !text.starts_with([' ', '\n', '\t'])
        && !text.ends_with("\n\n")
        && !text.chars().any(|c| c.is_control() && c != '\n')
}

fn scalar(value: &Value, out: &mut String) {
    match value {
        Value::Null => out.push('~'),
        Value::Bool(flag) => _ = write!(out, "{flag}"),
        Value::Num(number) => _ = write!(out, "{number}"),
        Value::Str(text) => scalar_text(text, out),
        Value::List(_) => out.push_str("[]"),
        Value::Map(_) => out.push_str("{}"),
        Value::Expr(expr) => scalar_text(&expr.to_string(), out),
        Value::Asset(asset) => scalar_text(&asset.path, out),
        Value::Secret(_) | Value::Sealed(_) => out.push_str(crate::value::SECRET_TEXT),
    }
}

fn scalar_text(text: &str, out: &mut String) {
    let plain_start = text
        .chars()
        .next()
        .is_some_and(|c| c.is_ascii_alphabetic() || c == '/' || c == '_');
    let plain_rest = text.chars().all(|c| {
        c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '/' | '.' | '+' | '@' | ' ' | '=')
    });
    let reserved = matches!(
        text.to_ascii_lowercase().as_str(),
        "true" | "false" | "null" | "yes" | "no" | "on" | "off" | "y" | "n"
    );
    if plain_start && plain_rest && !reserved && !text.ends_with(' ') {
        out.push_str(text);
    } else {
        out.push_str(&serde_json::Value::String(text.to_owned()).to_string());
    }
}

fn indent(depth: usize, out: &mut String) {
    for _ in 0..depth {
        out.push_str("  ");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn block_style() {
        let value = Value::map([
            ("name", Value::from("api")),
            ("port", Value::from(80_i64)),
            ("odd", Value::from("yes")),
            (
                "list",
                Value::list([
                    Value::map([("a", Value::from("b: c")), ("z", Value::Null)]),
                    Value::from("x"),
                ]),
            ),
            ("text", Value::from("one\ntwo\n")),
            ("empty", Value::list([])),
        ]);
        assert_eq!(
            to_text(&value),
            "empty: []\nlist:\n  - a: \"b: c\"\n    z: ~\n  - x\nname: api\nodd: \"yes\"\nport: 80\ntext: |\n  one\n  two\n"
        );
    }
}
