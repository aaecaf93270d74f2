//! Parameters of service bindings (RFC 9460), in the order and form that PowerDNS writes.

/// Keys by number.
const KEYS: [&str; 8] = [
    "mandatory",
    "alpn",
    "no-default-alpn",
    "port",
    "ipv4hint",
    "ech",
    "ipv6hint",
    "dohpath",
];

/// Parameters ordered by key, values without quotes where they need none.
pub(super) fn params(tokens: &[String]) -> Result<Vec<String>, String> {
    let mut found: Vec<(usize, String)> = Vec::with_capacity(tokens.len());
    for token in tokens {
        let (key, value) = match token.split_once('=') {
            Some((key, value)) => (key, Some(value)),
            None => (token.as_str(), None),
        };
        let key = key.to_ascii_lowercase();
        let number = KEYS
            .iter()
            .position(|known| *known == key)
            .or_else(|| key.strip_prefix("key")?.parse().ok())
            .ok_or_else(|| format!("has the unknown parameter `{key}`"))?;
        if found.iter().any(|(other, _)| *other == number) {
            return Err(format!("has the parameter `{key}` twice"));
        }
        let text = match value {
            None => key,
            Some(value) => {
                let plain = value
                    .strip_prefix('"')
                    .and_then(|value| value.strip_suffix('"'))
                    .filter(|plain| !plain.contains([' ', '"', '\\']));
                format!("{key}={}", plain.unwrap_or(value))
            }
        };
        found.push((number, text));
    }
    found.sort();
    Ok(found.into_iter().map(|(_, text)| text).collect())
}
