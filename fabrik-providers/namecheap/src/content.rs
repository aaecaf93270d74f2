//! The values of host records: what people write, in one form; and as Namecheap has them.

use std::net::{Ipv4Addr, Ipv6Addr};

use crate::name;

/// The types that `setHosts` takes. `getHosts` shows more.
pub(crate) const WRITABLE: [&str; 12] = [
    "A", "AAAA", "ALIAS", "CAA", "CNAME", "FRAME", "MX", "MXE", "NS", "TXT", "URL", "URL301",
];

/// How a TTL that Namecheap chooses reads.
pub(crate) const AUTOMATIC: u32 = 1799;

/// What a value of a type looks like, for messages.
fn example(kind: &str) -> &'static str {
    match kind {
        "A" | "MXE" => "192.0.2.1",
        "AAAA" => "2001:db8::1",
        "MX" => "10 mail.example.com",
        "CAA" => "0 issue \"letsencrypt.org\"",
        "URL" | "URL301" | "FRAME" => "https://example.com/",
        _ => "host.example.com",
    }
}

/// A TTL in its one form: what means automatic is 1799.
pub(crate) fn ttl(given: u32) -> u32 {
    match given {
        0 | 1800 => AUTOMATIC,
        other => other,
    }
}

/// A value in its one form.
///
/// # Errors
/// What is wrong with it, in words that follow the value.
pub(crate) fn normal(kind: &str, value: &str) -> Result<String, String> {
    let text = value.trim();
    let wrong = |why: String| format!("{why}; a value of {kind} looks like `{}`", example(kind));
    match kind {
        "A" | "MXE" => text
            .parse::<Ipv4Addr>()
            .map(|address| address.to_string())
            .map_err(|_| wrong("is no IPv4 address".to_owned())),
        "AAAA" => text
            .parse::<Ipv6Addr>()
            .map(|address| address.to_string())
            .map_err(|_| wrong("is no IPv6 address".to_owned())),
        "CNAME" | "ALIAS" | "NS" => host(text).map_err(wrong),
        "MX" => {
            let (preference, target) = text
                .split_once(char::is_whitespace)
                .ok_or_else(|| wrong("has no preference".to_owned()))?;
            let preference: u16 = preference.parse().map_err(|_| {
                wrong(format!(
                    "has `{preference}` where a number from 0 to 65535 is"
                ))
            })?;
            if target.trim() == "." {
                return Err("says that there is no mail, which Namecheap cannot".to_owned());
            }
            Ok(format!("{preference} {}", host(target).map_err(wrong)?))
        }
        "CAA" => caa(text).map_err(wrong),
        "URL" | "URL301" | "FRAME" => match url::Url::parse(text) {
            Ok(url) if matches!(url.scheme(), "http" | "https") => Ok(text.to_owned()),
            _ => Err(wrong("is no URL with `http://` or `https://`".to_owned())),
        },
        "TXT" => {
            let inner = text
                .strip_prefix('"')
                .and_then(|text| text.strip_suffix('"'));
            let plain = inner.unwrap_or(value);
            if plain.contains('"') {
                return Err("holds a double quote, which Namecheap cannot".to_owned());
            }
            if plain.is_empty() {
                return Err("is empty, which Namecheap cannot".to_owned());
            }
            Ok(plain.to_owned())
        }
        _ => Ok(text.to_owned()),
    }
}

fn host(text: &str) -> Result<String, String> {
    let text = text.trim();
    if text.parse::<std::net::IpAddr>().is_ok() {
        return Err(format!("names the address `{text}` where a host name is"));
    }
    name::canonical(text).map_err(|why| format!("names the host `{text}`, which {why}"))
}

fn caa(text: &str) -> Result<String, String> {
    let mut parts = text.splitn(3, char::is_whitespace).map(str::trim);
    let (Some(flag), Some(tag), Some(value)) = (parts.next(), parts.next(), parts.next()) else {
        return Err("has not three parts".to_owned());
    };
    let flag: u8 = flag
        .parse()
        .map_err(|_| format!("has `{flag}` where a number from 0 to 255 is"))?;
    let tag = tag.to_ascii_lowercase();
    if !matches!(tag.as_str(), "issue" | "issuewild" | "iodef") {
        return Err(format!("has the unknown tag `{tag}`"));
    }
    let value = value.trim_matches('"');
    if tag == "iodef" && !value.contains(':') {
        return Err("names no URL or `mailto:` address for `iodef`".to_owned());
    }
    Ok(format!("{flag} {tag} \"{value}\""))
}

/// A value in its one form as address and preference to send.
pub(crate) fn to_wire(kind: &str, normal: &str) -> (String, u16) {
    let dotted = |host: &str| format!("{}.", host.trim_end_matches('.'));
    match kind {
        "CNAME" | "ALIAS" | "NS" => (dotted(normal), 10),
        "MX" => {
            let (preference, host) = normal.split_once(' ').unwrap_or(("10", normal));
            (dotted(host), preference.parse().unwrap_or(10))
        }
        _ => (normal.to_owned(), 10),
    }
}

/// What Namecheap shows, in the one form; as it is where that cannot be made out.
pub(crate) fn from_wire(kind: &str, address: &str, preference: u16) -> String {
    let text = match kind {
        "MX" => format!("{preference} {address}"),
        _ => address.to_owned(),
    };
    normal(kind, &text).unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_have_one_form_and_read_back() {
        for (kind, value, one, address, preference) in [
            ("A", "192.0.2.1", "192.0.2.1", "192.0.2.1", 10),
            ("AAAA", "2001:DB8:0::1", "2001:db8::1", "2001:db8::1", 10),
            (
                "CNAME",
                "Www.Example.com",
                "www.example.com",
                "www.example.com.",
                10,
            ),
            (
                "MX",
                "020 Mail.example.com.",
                "20 mail.example.com",
                "mail.example.com.",
                20,
            ),
            ("TXT", "\"V=spf1 -all\"", "V=spf1 -all", "V=spf1 -all", 10),
            (
                "CAA",
                "0 ISSUE letsencrypt.org",
                "0 issue \"letsencrypt.org\"",
                "0 issue \"letsencrypt.org\"",
                10,
            ),
            (
                "URL301",
                "https://example.com/a",
                "https://example.com/a",
                "https://example.com/a",
                10,
            ),
        ] {
            let found = normal(kind, value).unwrap();
            assert_eq!(found, one);
            assert_eq!(to_wire(kind, &found), (address.to_owned(), preference));
            assert_eq!(from_wire(kind, address, preference), one);
            assert_eq!(normal(kind, &found).unwrap(), one, "twice");
        }
        assert_eq!(
            (ttl(0), ttl(1800), ttl(1799), ttl(60)),
            (1799, 1799, 1799, 60)
        );
    }

    #[test]
    fn what_is_wrong_is_said() {
        let why = |kind: &str, value: &str| normal(kind, value).unwrap_err();
        assert_eq!(
            why("A", "x"),
            "is no IPv4 address; a value of A looks like `192.0.2.1`"
        );
        assert_eq!(
            why("MX", "mail.example.com"),
            "has no preference; a value of MX looks like `10 mail.example.com`"
        );
        assert_eq!(
            why("MX", "0 ."),
            "says that there is no mail, which Namecheap cannot"
        );
        assert_eq!(
            why("CNAME", "192.0.2.1"),
            "names the address `192.0.2.1` where a host name is; a value of CNAME looks like `host.example.com`"
        );
        assert_eq!(
            why("URL", "example.com"),
            "is no URL with `http://` or `https://`; a value of URL looks like `https://example.com/`"
        );
        assert_eq!(
            why("TXT", "a \"b\" c"),
            "holds a double quote, which Namecheap cannot"
        );
        assert_eq!(
            why("CAA", "0 iodef example.com"),
            "names no URL or `mailto:` address for `iodef`; a value of CAA looks like `0 issue \"letsencrypt.org\"`"
        );
    }
}
