//! Short forms: ports, mounts, lengths of time and amounts of memory.

use crate::interpolate::{has_variables, split};
use crate::model::{Given, Mount, Port};

/// `8080:80`, `127.0.0.1:8080:80/udp`, `3000-3005`.
pub(crate) fn port(text: &str) -> Result<Port, String> {
    let (rest, protocol) = match split(text, '/').as_slice() {
        [rest] => (*rest, None),
        [rest, protocol] => (*rest, Some((*protocol).to_owned())),
        _ => return Err("it has more than one `/`".to_owned()),
    };
    if protocol
        .as_deref()
        .is_some_and(|word| !has_variables(word) && !matches!(word, "tcp" | "udp" | "sctp"))
    {
        return Err("the protocol is `tcp`, `udp` or `sctp`".to_owned());
    }
    let parts = split(rest, ':');
    let (target, before) = parts.split_last().unwrap_or((&"", &[]));
    let (host_ip, published) = match before {
        [] => (None, None),
        [published] => (None, Some(*published)),
        // An IPv6 address without brackets has colons of its own.
        [address @ .., published] => (Some(address.join(":")), Some(*published)),
    };
    is_port(target)?;
    let published = published.filter(|text| !text.is_empty());
    if let Some(published) = published {
        is_port(published)?;
    }
    Ok(Port {
        target: (*target).to_owned(),
        published: published.map(str::to_owned),
        host_ip: host_ip
            .map(|text| text.trim_matches(['[', ']']).to_owned())
            .filter(|text| !text.is_empty()),
        protocol,
        ..Port::default()
    })
}

fn is_port(text: &str) -> Result<(), String> {
    if has_variables(text) {
        return Ok(());
    }
    let ends = text.split('-').collect::<Vec<_>>();
    let numbers: Vec<Option<u16>> = ends.iter().map(|end| end.parse().ok()).collect();
    match numbers.as_slice() {
        [Some(1..)] => Ok(()),
        [Some(first @ 1..), Some(last)] if first <= last => Ok(()),
        [Some(_), Some(_)] => Err(format!("`{text}` ends before it begins")),
        _ => Err(format!("`{text}` is no number between 1 and 65535")),
    }
}

/// A port in its short form, where it has one.
pub(crate) fn port_text(port: &Port) -> Option<String> {
    if port.mode.is_some() || port.name.is_some() || port.app_protocol.is_some() {
        return None;
    }
    let mut text = String::new();
    if let Some(address) = &port.host_ip {
        let is_v6 = address.contains(':') && !has_variables(address);
        text = if is_v6 {
            format!("[{address}]:")
        } else {
            format!("{address}:")
        };
    }
    match &port.published {
        Some(published) => text = format!("{text}{published}:"),
        None if port.host_ip.is_some() => text.push(':'),
        None => {}
    }
    text.push_str(&port.target);
    if let Some(protocol) = &port.protocol {
        text = format!("{text}/{protocol}");
    }
    Some(text)
}

/// `data:/var/lib`, `./web:/web:ro`, `/tmp/x`.
pub(crate) fn mount(text: &str) -> Result<Mount, String> {
    let parts = split(text, ':');
    let mut mount = Mount {
        kind: "volume".to_owned(),
        ..Mount::default()
    };
    match parts.as_slice() {
        [target] => mount.target = String::from(*target),
        [source, target] | [source, target, _] => {
            mount.source = Some((*source).to_owned());
            mount.target = String::from(*target);
        }
        _ => return Err("it has more than three parts".to_owned()),
    }
    if let Some(source) = &mount.source {
        if source.is_empty() {
            return Err("there is nothing before the `:`".to_owned());
        }
        // A variable stands for a path more often than for a name.
        if source.starts_with(['.', '/', '~', '$']) {
            mount.kind = String::from("bind");
        }
    }
    if !mount.target.starts_with(['/', '$']) {
        return Err(format!(
            "the path inside, `{}`, does not begin with `/`",
            mount.target
        ));
    }
    if let [_, _, options] = parts.as_slice() {
        for option in options.split(',') {
            match option {
                "ro" => mount.read_only = Some(Given::Is(true)),
                "rw" | "" => {}
                other => mount.flags.push(other.to_owned()),
            }
        }
    }
    Ok(mount)
}

/// A mount in its short form, where it has one.
pub(crate) fn mount_text(mount: &Mount) -> Option<String> {
    let is_bind = |source: &str| source.starts_with(['.', '/', '~', '$']);
    let fits = match (mount.kind.as_str(), &mount.source) {
        ("volume", None) => true,
        ("volume", Some(source)) => !is_bind(source),
        ("bind", Some(source)) => is_bind(source),
        _ => false,
    };
    if !fits || !mount.other.is_empty() {
        return None;
    }
    let mut options = mount.flags.clone();
    match &mount.read_only {
        Some(Given::Text(_)) => return None,
        Some(Given::Is(true)) => options.insert(0, "ro".to_owned()),
        Some(Given::Is(false)) | None => {}
    }
    let source = mount.source.as_ref();
    if source.is_none() && !options.is_empty() {
        return None;
    }
    let mut text = source.map_or_else(String::new, |source| format!("{source}:"));
    text.push_str(&mount.target);
    if !options.is_empty() {
        text = format!("{text}:{}", options.join(","));
    }
    Some(text)
}

/// `1h2m3.5s`, `500ms`, `10us`.
pub(crate) fn is_duration(text: &str) -> bool {
    let mut rest = text;
    if rest.is_empty() {
        return false;
    }
    while !rest.is_empty() {
        let digits = rest
            .chars()
            .take_while(|c| c.is_ascii_digit() || *c == '.')
            .count();
        if digits == 0 {
            return false;
        }
        rest = &rest[digits..];
        let unit = ["ms", "us", "ns", "h", "m", "s", "d"]
            .iter()
            .find(|unit| rest.starts_with(**unit));
        match unit {
            Some(unit) => rest = &rest[unit.len()..],
            None => return false,
        }
    }
    true
}

/// `512m`, `1gb`, `-1` for no limit.
pub(crate) fn is_size(text: &str) -> bool {
    if text == "-1" {
        return true;
    }
    let text = text.to_ascii_lowercase();
    let digits = text
        .chars()
        .take_while(|c| c.is_ascii_digit() || *c == '.')
        .count();
    let unit = text[digits..].trim_start();
    digits > 0
        && matches!(
            unit,
            "" | "b"
                | "k"
                | "kb"
                | "kib"
                | "m"
                | "mb"
                | "mib"
                | "g"
                | "gb"
                | "gib"
                | "t"
                | "tb"
                | "tib"
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_are_read_and_written_alike() {
        for text in [
            "80",
            "8080:80",
            "127.0.0.1:8080:80",
            "127.0.0.1::80",
            "3000-3005:4000-4005/udp",
            "[::1]:8080:80",
            "${HOST:-0.0.0.0}:${PORT:-80}:80",
        ] {
            assert_eq!(port_text(&port(text).unwrap()).as_deref(), Some(text));
        }
        for text in ["", "0", "70000", "80:x", "9-3", "80/http", "a"] {
            assert!(port(text).is_err(), "{text}");
        }
    }

    #[test]
    fn mounts_are_read_and_written_alike() {
        for text in [
            "/anonymous",
            "data:/data",
            "./web:/web:ro",
            "data:/data:ro,z",
            "${DIR:-./x}:/x",
        ] {
            assert_eq!(mount_text(&mount(text).unwrap()).as_deref(), Some(text));
        }
        for text in ["data", "data:relative", ":/x", "a:/b:ro:z"] {
            assert!(mount(text).is_err(), "{text}");
        }
    }

    #[test]
    fn times_and_amounts() {
        for text in ["30s", "1m30s", "500ms", "1.5h"] {
            assert!(is_duration(text), "{text}");
        }
        for text in ["30", "s", "", "1x"] {
            assert!(!is_duration(text), "{text}");
        }
        for text in ["512m", "1g", "1GB", "100", "-1", "256MiB"] {
            assert!(is_size(text), "{text}");
        }
        assert!(!is_size("512x"));
    }
}
