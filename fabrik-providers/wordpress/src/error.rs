//! From a site's refusals to errors.

use fabrik_core::error::{Effect, Error, ErrorKind};
use fabrik_core::secrets::printable;
use fabrik_core::value::Path;

use crate::request::Refusal;

/// Most characters of what a site says that go into an error.
const MOST: usize = 500;

/// The error for a refusal.
pub(crate) fn of(refusal: &Refusal) -> Error {
    let said: String = printable(&refusal.message).chars().take(MOST).collect();
    let error = match refusal.why.as_str() {
        "taken" => Error::new(
            ErrorKind::Conflict,
            format!("an object of that name exists already (`{said}`), and it was not made by this stack"),
        )
        .hint("take it over with `adopt: true`, or choose another name"),
        "slug" => Error::new(
            ErrorKind::Invalid,
            format!("WordPress would make `{said}` of this slug: it is reserved or taken by an image"),
        )
        .hint("choose another slug"),
        "changed" => Error::new(ErrorKind::Conflict, "somebody changed it at the same moment")
            .hint("apply again"),
        "gone" => Error::new(ErrorKind::NotFound, said),
        "missing" => Error::new(ErrorKind::Invalid, said)
            .hint("refer to what this stack makes (`${resources.ID.id}`), or write an id that exists"),
        "altered" => Error::new(
            ErrorKind::Refused,
            format!("WordPress did not keep `{said}` as it was sent, so nothing was changed"),
        )
        .hint("a plugin, a missing right or a rule of WordPress changes it; write what the site makes of it, or give the account the right"),
        "location" => Error::new(
            ErrorKind::Invalid,
            format!("the theme has no menu location `{said}`"),
        )
        .hint(if refusal.known.is_empty() {
            "this theme has none: leave `locations` out".to_owned()
        } else {
            format!("it has: {}", printable(&refusal.known.join(", ")))
        }),
        "template" => Error::new(
            ErrorKind::Invalid,
            format!("the theme has no template `{said}`"),
        )
        .hint(if refusal.known.is_empty() {
            "this theme has none: leave `template` out".to_owned()
        } else {
            format!("it has: {}", printable(&refusal.known.join(", ")))
        }),
        "no_type" => Error::new(
            ErrorKind::Unsupported,
            format!("the site knows no `{said}`"),
        )
        .hint("install and activate the plugin that brings it (`wordpress.plugin`)"),
        "no_plugin" => Error::new(
            ErrorKind::Unsupported,
            format!("the plugin `{said}` is not active on the site"),
        )
        .hint("add it to the stack with `wordpress.plugin`, or activate it by hand"),
        "files" => Error::new(
            ErrorKind::Permission,
            format!("PHP cannot write `{said}`"),
        )
        .hint("run WP-CLI as the owner of the site's files"),
        "no_user" => Error::new(ErrorKind::Invalid, format!("the site has no account `{said}`"))
            .hint("set `user` of the provider to the login of an administrator"),
        "unresolved" => Error::new(
            ErrorKind::Unresolved,
            format!("an earlier object of the same write has no `{said}`"),
        ),
        "no_rest" => Error::new(
            ErrorKind::Unsupported,
            format!("`{said}` cannot be reached over the REST API of WordPress"),
        )
        .hint("reach the site by WP-CLI (`path`, `ssh` or `container` of the provider)"),
        "void" => Error::new(ErrorKind::Unavailable, "the write came too late and was given up"),
        "database" => Error::new(ErrorKind::Unavailable, format!("the database refused: {said}")),
        "refused" => Error::new(ErrorKind::Refused, said),
        "died" | "broke" => Error::new(
            ErrorKind::Misbehaved,
            format!("WordPress broke off: {said}"),
        )
        .hint("mostly a plugin or the theme is at fault; the last words name its file"),
        _ => Error::new(ErrorKind::Misbehaved, format!("WordPress refused: {said}")),
    };
    let effect = match refusal.state.as_str() {
        "committing" | "committed" => Effect::Unknown,
        // What was not committed is gone.
        _ => Effect::None,
    };
    let error = error.effect(effect);
    match &refusal.field {
        Some(field) => error.field(Path::parse(&printable(field))),
        None => error,
    }
}
