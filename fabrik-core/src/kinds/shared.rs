//! What kinds of other crates share with `service`: fields of their blocks, and asking everybody.

use serde_json::{Value as Json, json};

use super::web::Launch;
use super::{backup, common, fields, normalise};
use crate::error::Result;
use crate::role::{ComponentCx, ComponentOut};
use crate::value::{Map, Path, Value};

/// Fields of an app that answers requests, as `service` has them: host names, TLS, health, limits,
/// monitor, DNS and backup.
pub fn web_fields() -> Vec<(&'static str, Json)> {
    vec![
        ("domains", fields::domains()),
        ("redirects", fields::redirects()),
        ("tls", fields::tls()),
        ("health", fields::health()),
        ("limits", fields::limits()),
        ("monitor", fields::monitor()),
        ("dns", fields::dns()),
        ("backup", fields::backup()),
    ]
}

/// The short forms beside [`web_fields`], for `x-fabrik` of the block's schema.
pub fn web_shorthands() -> Json {
    json!({"domain": fields::domain()})
}

/// Turns the short forms of [`web_fields`] into the long ones, and leaves out what is null.
pub fn normalise_web(block: Value) -> Value {
    normalise::block(
        block,
        &[
            ("domains", normalise::domains),
            ("redirects", normalise::redirects),
            ("tls", normalise::tls),
            ("health", normalise::health),
            ("limits", normalise::limits),
            ("monitor", normalise::monitor),
            ("dns", normalise::enabled),
            ("backup", backup::long),
        ],
    )
}

/// Asks runtime, DNS, monitor and backup for an app with [`web_fields`], and declares its checks.
/// `intent` is what the runtime is told besides; `backup` what is backed up. Gives what the
/// component gives, and the runtime's outputs.
///
/// # Errors
/// Those of the players, and mistakes in the block.
pub fn play_web(
    kind: &str,
    block: &Value,
    intent: Map,
    backup: Map,
    cx: &mut dyn ComponentCx,
) -> Result<(ComponentOut, Value)> {
    common::check_known(block)?;
    let told = ["domains", "redirects", "tls", "health", "limits"];
    let without_backup = block.without(&Path::key("backup"));
    let mut launch = Launch::new(kind, &without_backup, &told, cx);
    for (field, value) in intent {
        launch.intent(&field, value);
    }
    let (out, runtime) = launch.run_telling()?;
    let mut what = backup;
    if let Some(id) = super::web::given(&runtime, "id") {
        what.insert("id".into(), id);
    }
    backup::play(block, what, cx)?;
    Ok((out, runtime))
}

/// Asks the monitor alone, for a site that runs elsewhere and answers at `url`; declares the same
/// checks as [`play_web`].
///
/// # Errors
/// As [`play_web`].
pub fn watch_web(
    kind: &str,
    block: &Value,
    url: &Value,
    tls: bool,
    cx: &mut dyn ComponentCx,
) -> Result<ComponentOut> {
    common::check_known(block)?;
    Launch::new(kind, block, &[], cx).run_elsewhere(url, tls)
}

/// An app's key, and the key of its `for_each` element, as one host label.
pub fn app_name(address: &crate::address::Address) -> String {
    super::web::app_name(address)
}
