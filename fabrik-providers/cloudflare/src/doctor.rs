//! What `fabrik doctor` tells.

use fabrik_core::error::ErrorKind;
use fabrik_core::provider::{Cx, Health};

use crate::client::Cloudflare;

/// What may be looked at, by permission and route below a zone.
const LOOKS: [(&str, &str); 3] = [
    ("DNS:Read", "/zones/{zone}/dns_records"),
    ("Zone Settings:Read", "/zones/{zone}/settings/{setting}"),
    (
        "Single Redirect:Read",
        "/zones/{zone}/rulesets/phases/http_request_dynamic_redirect/entrypoint",
    ),
];

/// The token, the zones it sees, and what it may look at in one of them.
pub(crate) async fn examine(cx: &Cx, client: &Cloudflare) -> Vec<Health> {
    let token = match client.expires() {
        Some(expires) => format!("active until {expires}"),
        None => "active".to_owned(),
    };
    let mut found = vec![Health::ok("token", token)];
    let (zones, last) = match client.zone_page(cx, 1).await {
        Ok(page) => page,
        Err(error) => {
            found.push(Health::error("zones", &error));
            return found;
        }
    };
    let Some(zone) = zones.first() else {
        found.push(
            Health::warn("zones", "the token sees no zone").hint(
                "add a zone, or give the token the permission `Zone:Read` for those it is for",
            ),
        );
        return found;
    };
    let more = if last { "" } else { " and more" };
    found.push(Health::ok("zones", format!("sees {}{more}", zones.len())));
    let mut missing = Vec::new();
    for (permission, route) in LOOKS {
        let look = client.http.get(cx, route).arg("zone", &zone.id);
        let look = look.arg("setting", "ssl").query("per_page", 5);
        match look.ok_if(404).unit().await {
            Err(error) if error.kind() == ErrorKind::Permission => missing.push(permission),
            Err(error) => found.push(Health::error("service", &error)),
            Ok(()) => {}
        }
    }
    let needed = LOOKS.map(|(permission, _)| permission);
    found.push(Health::permissions(&needed, &missing));
    found
}
