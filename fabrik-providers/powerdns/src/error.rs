//! From PowerDNS's replies to errors.
//!
//! Only 422 has a JSON body, `{"error": "…"}`; the others are the status's name as plain text.

use fabrik_core::error::{Error, ErrorKind};
use fabrik_core::value::Path;
use fabrik_http::Reply;

/// The error of a reply, where it has words of its own.
pub(crate) fn of_reply(reply: &Reply) -> Option<Error> {
    // A login page before the server: the transport says so.
    if reply.is_html() {
        return None;
    }
    match reply.status() {
        401 => Some(
            Error::new(ErrorKind::Auth, "PowerDNS does not accept the API key")
                .field(Path::key("api_key"))
                .hint("set `api_key` (or POWERDNS_API_KEY) to what `api-key` is in the server's pdns.conf"),
        ),
        // Says nothing more: the body is larger than the web server takes, or no JSON.
        400 => Some(
            Error::new(ErrorKind::Invalid, "PowerDNS cannot read the request")
                .hint("if the request is large, raise `webserver-max-bodysize` in pdns.conf"),
        ),
        422 => Some(refusal(&reply.words().unwrap_or_else(|| "no reason given".to_owned()))),
        _ => None,
    }
}

/// A refusal in PowerDNS's own words.
fn refusal(words: &str) -> Error {
    let error = |kind| Error::new(kind, format!("PowerDNS refuses it: {words}"));
    if words.contains("Conflicts with pre-existing RRset")
        || words.contains("Conflicts with another RRset")
    {
        return error(ErrorKind::Conflict)
            .field(Path::key("name"))
            .hint("a CNAME stands alone at its name: remove the other record sets of that name, or this one");
    }
    if words.contains("Could not find domain") {
        return error(ErrorKind::NotFound);
    }
    if words.contains("No backend was able to secure") {
        return Error::new(
            ErrorKind::Unsupported,
            "PowerDNS cannot sign the zone: DNSSEC is off in its backend",
        )
        .field(Path::key("dnssec"))
        .hint("switch it on in pdns.conf, such as `gsqlite3-dnssec=yes`, or leave out `dnssec`");
    }
    if words.contains("Unsupported metadata kind") {
        return error(ErrorKind::Invalid).field(Path::key("kind")).hint(
            "kinds that the API itself keeps cannot be set as metadata; own kinds begin with `X-`",
        );
    }
    if words.contains("unknown type given") {
        return error(ErrorKind::Invalid)
            .field(Path::key("type"))
            .hint("check the type's spelling; this version of PowerDNS may not know it");
    }
    if words.contains("is not an IP address") {
        return error(ErrorKind::Invalid).field(Path::key("primaries"));
    }
    error(ErrorKind::Invalid)
}

/// There is no such zone.
pub(crate) fn no_zone(zone: &str) -> Error {
    Error::new(
        ErrorKind::NotFound,
        format!("PowerDNS has no zone `{zone}`"),
    )
    .field(Path::key("zone"))
    .hint("check the name; where this stack makes the zone, write `zone: ${resources.ID.name}`, so that it comes first")
}
