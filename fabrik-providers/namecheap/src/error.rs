//! From Namecheap's numbers to errors.
//!
//! An error has HTTP status 200, `Status="ERROR"`, a number and a text. The numbers are those of
//! the API's documentation, but for 1011150 and the wide meaning of 1011102, which users found.

use std::time::Duration;

use fabrik_core::error::{Error, ErrorKind};
use fabrik_core::value::Path;
use fabrik_http::Reply;

use crate::xml::Envelope;

/// How long to wait for the quota of a minute to fill up a little.
const QUOTA_WAIT: Duration = Duration::from_secs(20);

/// The error of a reply, where it is one of the service's own.
pub(crate) fn of_reply(reply: &Reply) -> Option<Error> {
    match reply.status() {
        405 => Some(
            Error::new(
                ErrorKind::RateLimited,
                "Namecheap's quota of requests is spent (20 a minute, 700 an hour, 8000 a day)",
            )
            .hint("wait, or let fewer runs go at once")
            .retry_after(QUOTA_WAIT),
        ),
        401 => Some(
            Error::new(
                ErrorKind::Auth,
                "the proxy before Namecheap does not accept the credentials",
            )
            .field(Path::key("bearer"))
            .hint("check `bearer` and `headers`"),
        ),
        200 => {
            let envelope: Envelope = reply.xml().ok()?;
            if envelope.status != "ERROR" {
                return None;
            }
            let first = envelope.errors.list.first();
            let number = first.map_or("0", |error| error.number.as_str());
            let text = first.map_or("no reason given", |error| error.text.trim());
            Some(of_number(number, &reply.clean(text)).context("number", number))
        }
        _ => None,
    }
}

/// What a number means.
fn of_number(number: &str, text: &str) -> Error {
    let says = |what: &str| format!("{what}: {text} ({number})");
    match number {
        "1010102" | "1011102" => Error::new(
            ErrorKind::Auth,
            says("Namecheap does not accept the API key"),
        )
        .field(Path::key("api_key"))
        .hint("check `api_user` and `api_key` (NAMECHEAP_API_KEY), and that API access is on at Profile > Tools > API Access; the sandbox has keys of its own"),
        "1010101" | "1017101" | "1016103" | "1017103" | "1019103" | "1050900" => {
            Error::new(ErrorKind::Auth, says("Namecheap does not accept the user"))
                .field(Path::key("api_user"))
                .hint("check `api_user` and `user_name`")
        }
        "1010105" | "1011105" | "1011150" | "1017105" | "1017150" => Error::new(
            ErrorKind::Permission,
            says("Namecheap does not take requests from this address"),
        )
        .field(Path::key("client_ip"))
        .hint("add the IPv4 address at Profile > Tools > API Access > Whitelisted IPs, and set `client_ip` (NAMECHEAP_CLIENT_IP) to it; machines with changing addresses need a proxy (`endpoint`)"),
        "2019166" => Error::new(ErrorKind::NotFound, "Namecheap has no such domain")
            .field(Path::key("domain"))
            .hint("check the name; the sandbox has domains of its own"),
        "2016166" | "3016166" => Error::new(
            ErrorKind::Permission,
            says("the domain is not in this account"),
        )
        .field(Path::key("domain"))
        .hint("use the API key of the account that has it"),
        "2030166" | "2030288" => not_own_dns(),
        "4011103" => Error::new(ErrorKind::Permission, says("Namecheap refuses permission"))
            .hint("check what the user may do with the domain"),
        "3013288" | "4013288" => {
            Error::new(ErrorKind::Quota, says("the domain has too many records"))
        }
        "3031510" | "3050900" | "4022288" | "4023330" | "5019169" | "5050169" | "5050900" => {
            Error::new(ErrorKind::Unavailable, says("Namecheap failed"))
        }
        _ => Error::new(ErrorKind::Invalid, says("Namecheap refuses it")),
    }
}

/// The domain's records are elsewhere.
pub(crate) fn not_own_dns() -> Error {
    Error::new(
        ErrorKind::Conflict,
        "the domain does not use Namecheap's name servers, so it has no records there",
    )
    .field(Path::key("domain"))
    .hint("manage the records where its name servers are, or remove its `namecheap.nameservers`")
}

/// The domain is none of the account's.
pub(crate) fn no_domain(error: Error, domain: &str) -> Error {
    if error.kind() != ErrorKind::NotFound {
        return error.context("domain", domain);
    }
    Error::new(
        ErrorKind::NotFound,
        format!("Namecheap has no domain `{domain}`"),
    )
    .field(Path::key("domain"))
    .hint("check the name; the sandbox has domains of its own")
}
