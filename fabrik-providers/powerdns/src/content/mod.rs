//! The content of records: what people write, in one form; and as PowerDNS writes it.
//!
//! PowerDNS takes a record only in its own presentation form (names with a final dot, texts in
//! quotes, numbers without leading zeros) and gives back what it was sent. Inputs have names without
//! the dot and texts as they are, so that the same wish always looks the same.

mod svcb;
mod text;

use std::net::{Ipv4Addr, Ipv6Addr};

use crate::name;

/// One part of a record's content.
#[derive(Clone, Copy)]
enum Part {
    /// A whole number up to this one.
    Number(u32),
    /// A host name.
    Host,
    /// A word whose case does not matter.
    Word,
    /// One text in quotes.
    Quoted,
    /// The rest, as hexadecimal digits.
    Hex,
    /// The rest, as parameters of a service binding.
    Params,
}

const BYTE: Part = Part::Number(255);
const SHORT: Part = Part::Number(65_535);

/// What a type's content is made of; `None` for types whose content is left as it is.
fn parts(kind: &str) -> Option<&'static [Part]> {
    use Part::{Hex, Host, Params, Quoted, Word};
    Some(match kind {
        "CNAME" | "NS" | "PTR" | "DNAME" | "ALIAS" => &[Host],
        "MX" | "AFSDB" | "KX" => &[SHORT, Host],
        "SRV" => &[SHORT, SHORT, SHORT, Host],
        "RP" => &[Host, Host],
        "CAA" => &[BYTE, Word, Quoted],
        "URI" => &[SHORT, SHORT, Quoted],
        "HINFO" => &[Quoted, Quoted],
        "NAPTR" => &[SHORT, SHORT, Quoted, Quoted, Quoted, Host],
        "TLSA" | "SMIMEA" => &[BYTE, BYTE, BYTE, Hex],
        "SSHFP" => &[BYTE, BYTE, Hex],
        "DS" | "CDS" => &[SHORT, BYTE, BYTE, Hex],
        "HTTPS" | "SVCB" => &[SHORT, Host, Params],
        _ => return None,
    })
}

/// What a value of a type looks like, for messages.
fn example(kind: &str) -> &'static str {
    match kind {
        "A" => "192.0.2.1",
        "AAAA" => "2001:db8::1",
        "MX" => "10 mail.example.com",
        "SRV" => "10 5 5060 sip.example.com",
        "CAA" => "0 issue \"letsencrypt.org\"",
        "URI" => "10 1 \"https://example.com/\"",
        "TLSA" | "SMIMEA" => "3 1 1 0123abcd",
        "SSHFP" => "1 1 0123abcd",
        "DS" | "CDS" => "12345 13 2 0123abcd",
        "HTTPS" | "SVCB" => "1 . alpn=h2",
        "NAPTR" => "100 10 \"u\" \"E2U+sip\" \"!^.*$!sip:info@example.com!\" .",
        _ => "host.example.com",
    }
}

/// A value in its one form.
///
/// # Errors
/// What is wrong with it, in words that follow the value.
pub(crate) fn normal(kind: &str, value: &str) -> Result<String, String> {
    let wrong = |why: String| format!("{why}; a value of {kind} looks like `{}`", example(kind));
    match kind {
        "A" => {
            let address: Ipv4Addr = value
                .trim()
                .parse()
                .map_err(|_| wrong("is no IPv4 address".to_owned()))?;
            Ok(address.to_string())
        }
        "AAAA" => {
            let address: Ipv6Addr = value
                .trim()
                .parse()
                .map_err(|_| wrong("is no IPv6 address".to_owned()))?;
            Ok(address.to_string())
        }
        "TXT" | "SPF" => text::normal(value),
        _ => match parts(kind) {
            None => Ok(value.trim().to_owned()),
            Some(parts) => by_parts(parts, value, Form::Input).map_err(wrong),
        },
    }
}

/// A value in its one form, as PowerDNS wants it.
pub(crate) fn to_wire(kind: &str, normal: &str) -> String {
    match kind {
        "TXT" | "SPF" => text::to_wire(normal),
        _ => parts(kind)
            .and_then(|parts| by_parts(parts, normal, Form::Wire).ok())
            .unwrap_or_else(|| normal.to_owned()),
    }
}

/// What PowerDNS shows, in the one form; as it is where that cannot be made out.
pub(crate) fn from_wire(kind: &str, content: &str) -> String {
    match kind {
        "TXT" | "SPF" => text::from_wire(content),
        _ => normal(kind, content).unwrap_or_else(|_| content.to_owned()),
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Form {
    Input,
    Wire,
}

fn by_parts(parts: &[Part], value: &str, form: Form) -> Result<String, String> {
    let tokens = text::tokens(value).ok_or_else(|| "has a quote without its end".to_owned())?;
    let takes_rest = matches!(parts.last(), Some(Part::Hex | Part::Params));
    let may_end_early = matches!(parts.last(), Some(Part::Params));
    let least = parts.len() - usize::from(may_end_early);
    if tokens.len() < least || (tokens.len() > parts.len() && !takes_rest) {
        let (found, wanted) = (tokens.len(), parts.len());
        return Err(format!("has {found} parts instead of {wanted}"));
    }
    let mut out: Vec<String> = Vec::with_capacity(tokens.len());
    for (at, part) in parts.iter().enumerate() {
        let rest = tokens.get(at..).unwrap_or_default();
        let first = rest.first().map(String::as_str).unwrap_or_default();
        match part {
            Part::Number(most) => {
                let number: Option<u32> = first.parse().ok().filter(|number| number <= most);
                let number = number
                    .ok_or_else(|| format!("has `{first}` where a number from 0 to {most} is"))?;
                out.push(number.to_string());
            }
            Part::Host => {
                let host = name::canonical(first)
                    .map_err(|why| format!("names the host `{first}`, which {why}"))?;
                out.push(if form == Form::Wire {
                    name::dotted(&host)
                } else {
                    host
                });
            }
            Part::Word => out.push(first.to_ascii_lowercase()),
            Part::Quoted => out.push(text::quoted(first)),
            Part::Hex => {
                let digits: String = rest.concat().to_ascii_lowercase();
                if digits.is_empty() || !digits.chars().all(|c| c.is_ascii_hexdigit()) {
                    return Err("does not end with hexadecimal digits".to_owned());
                }
                out.push(digits);
            }
            Part::Params => out.extend(svcb::params(rest)?),
        }
    }
    Ok(out.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(kind: &str, value: &str, one: &str, wire: &str) {
        let found = normal(kind, value).unwrap();
        assert_eq!(found, one, "{kind} {value}");
        assert_eq!(to_wire(kind, &found), wire, "{kind} {value}");
        assert_eq!(from_wire(kind, wire), one, "{kind} {wire}");
        assert_eq!(normal(kind, one).unwrap(), one, "twice: {kind} {one}");
    }

    #[test]
    fn values_have_one_form_and_read_back() {
        check("A", " 192.0.2.1", "192.0.2.1", "192.0.2.1");
        check("AAAA", "2001:DB8:0:0::1", "2001:db8::1", "2001:db8::1");
        check(
            "CNAME",
            "Www.Example.com.",
            "www.example.com",
            "www.example.com.",
        );
        check(
            "MX",
            "010  Mail.example.com",
            "10 mail.example.com",
            "10 mail.example.com.",
        );
        check("MX", "0 .", "0 .", "0 .");
        check(
            "SRV",
            "10 5 5060 sip.example.com",
            "10 5 5060 sip.example.com",
            "10 5 5060 sip.example.com.",
        );
        check(
            "CAA",
            "0 ISSUE letsencrypt.org",
            "0 issue \"letsencrypt.org\"",
            "0 issue \"letsencrypt.org\"",
        );
        check(
            "TLSA",
            "3 1 1 ABCD ef01",
            "3 1 1 abcdef01",
            "3 1 1 abcdef01",
        );
        check(
            "HTTPS",
            "1 . port=8443 alpn=\"h2,h3\"",
            "1 . alpn=h2,h3 port=8443",
            "1 . alpn=h2,h3 port=8443",
        );
        check(
            "HTTPS",
            "0 other.example.com.",
            "0 other.example.com",
            "0 other.example.com.",
        );
        check(
            "NAPTR",
            "100 10 \"u\" \"E2U+sip\" \"!^.*$!sip:a@b!\" .",
            "100 10 \"u\" \"E2U+sip\" \"!^.*$!sip:a@b!\" .",
            "100 10 \"u\" \"E2U+sip\" \"!^.*$!sip:a@b!\" .",
        );
        check(
            "LOC",
            " 52 22 23.000 N 4 53 32.000 E -2.00m 0.00m 10000.00m 10.00m",
            "52 22 23.000 N 4 53 32.000 E -2.00m 0.00m 10000.00m 10.00m",
            "52 22 23.000 N 4 53 32.000 E -2.00m 0.00m 10000.00m 10.00m",
        );
    }

    #[test]
    fn texts_are_quoted_and_cut_for_the_wire_only() {
        check("TXT", "v=spf1 -all", "v=spf1 -all", "\"v=spf1 -all\"");
        check("TXT", "\"a\" \"b\"", "ab", "\"ab\"");
        check(
            "TXT",
            r#"say "hi" \o/ $HOME"#,
            r#"say "hi" \o/ $HOME"#,
            r#""say \"hi\" \\o/ $HOME""#,
        );
        check("TXT", "grün", "grün", r#""gr\195\188n""#);
        let long = "x".repeat(300);
        check(
            "TXT",
            &long,
            &long,
            &format!("\"{}\" \"{}\"", "x".repeat(255), "x".repeat(45)),
        );
        assert_eq!(
            from_wire("TXT", "\"gr\u{fc}n\""),
            "grün",
            "written in as UTF-8"
        );
        assert_eq!(from_wire("TXT", "\"\\097\\; b\""), "a; b");
        check("TXT", "", "", "\"\"");
    }

    #[test]
    fn what_is_wrong_is_said() {
        let why = |kind: &str, value: &str| normal(kind, value).unwrap_err();
        assert_eq!(
            why("A", "192.0.2.300"),
            "is no IPv4 address; a value of A looks like `192.0.2.1`"
        );
        assert_eq!(
            why("AAAA", "192.0.2.3"),
            "is no IPv6 address; a value of AAAA looks like `2001:db8::1`"
        );
        assert_eq!(
            why("MX", "mail.example.com"),
            "has 1 parts instead of 2; a value of MX looks like `10 mail.example.com`"
        );
        assert_eq!(
            why("MX", "x mail.example.com"),
            "has `x` where a number from 0 to 65535 is; a value of MX looks like `10 mail.example.com`"
        );
        assert_eq!(
            why("CNAME", "a..b"),
            "names the host `a..b`, which has an empty label; a value of CNAME looks like `host.example.com`"
        );
        assert_eq!(
            why("TLSA", "3 1 1 xyz"),
            "does not end with hexadecimal digits; a value of TLSA looks like `3 1 1 0123abcd`"
        );
        assert_eq!(
            why("CAA", "0 issue \"x"),
            "has a quote without its end; a value of CAA looks like `0 issue \"letsencrypt.org\"`"
        );
        assert_eq!(
            why("TXT", "\"x\" y"),
            "begins like a quoted text and does not end like one"
        );
    }
}
