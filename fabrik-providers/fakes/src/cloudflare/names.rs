//! Names as the service stores them: lower case, punycode, absolute, without a final dot.

/// The stored form of a host name.
pub(super) fn host(name: &str) -> String {
    let name = name.trim().trim_end_matches('.');
    let labels = name.split('.').map(|label| {
        let lower = label.to_lowercase();
        if lower.is_ascii() {
            lower
        } else {
            format!("xn--{}", punycode(&lower))
        }
    });
    let labels: Vec<String> = labels.collect();
    labels.join(".")
}

/// The stored form of a record's name. What does not end in the zone's name gets it appended.
pub(super) fn in_zone(name: &str, zone: &str) -> String {
    let zone = host(zone);
    let name = host(name);
    if name.is_empty() || name == "@" || name == zone {
        return zone;
    }
    if name.ends_with(&format!(".{zone}")) {
        return name;
    }
    format!("{name}.{zone}")
}

/// RFC 3492.
fn punycode(label: &str) -> String {
    let mut out: String = label.chars().filter(char::is_ascii).collect();
    let basic = u32::try_from(out.len()).unwrap_or(0);
    let mut handled = basic;
    if basic > 0 {
        out.push('-');
    }
    let (mut n, mut delta, mut bias) = (128_u32, 0_u32, 72_u32);
    let points: Vec<u32> = label.chars().map(u32::from).collect();
    let total = u32::try_from(points.len()).unwrap_or(0);
    while handled < total {
        let Some(next) = points.iter().copied().filter(|point| *point >= n).min() else {
            break;
        };
        delta += (next - n) * (handled + 1);
        n = next;
        for point in &points {
            if *point < n {
                delta += 1;
            }
            if *point == n {
                push_variable(&mut out, delta, bias);
                bias = adapt(delta, handled + 1, handled == basic);
                delta = 0;
                handled += 1;
            }
        }
        delta += 1;
        n += 1;
    }
    out
}

fn push_variable(out: &mut String, delta: u32, bias: u32) {
    let mut rest = delta;
    let mut k = 36;
    loop {
        let threshold = if k <= bias { 1 } else { (k - bias).min(26) };
        if rest < threshold {
            break;
        }
        out.push(digit(threshold + (rest - threshold) % (36 - threshold)));
        rest = (rest - threshold) / (36 - threshold);
        k += 36;
    }
    out.push(digit(rest));
}

fn digit(value: u32) -> char {
    const DIGITS: &[u8] = b"abcdefghijklmnopqrstuvwxyz0123456789";
    let found = usize::try_from(value).ok().and_then(|at| DIGITS.get(at));
    found.map_or('a', |byte| char::from(*byte))
}

fn adapt(delta: u32, points: u32, first: bool) -> u32 {
    let mut delta = if first { delta / 700 } else { delta / 2 };
    delta += delta / points;
    let mut k = 0;
    while delta > 455 {
        delta /= 35;
        k += 36;
    }
    k + 36 * delta / (delta + 38)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_stored_absolute_lower_and_in_punycode() {
        assert_eq!(in_zone("WWW", "example.com"), "www.example.com");
        assert_eq!(in_zone("@", "example.com"), "example.com");
        assert_eq!(in_zone("a.Example.COM.", "example.com"), "a.example.com");
        assert_eq!(
            in_zone("a.example.org", "example.com"),
            "a.example.org.example.com"
        );
        assert_eq!(host("bücher.Example"), "xn--bcher-kva.example");
        assert_eq!(host("例え.テスト"), "xn--r8jz45g.xn--zckzah");
        assert_eq!(host("münchen-ost"), "xn--mnchen-ost-9db");
    }
}
