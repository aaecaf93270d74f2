//! Whether a site still answers.

use std::time::Duration;

use fabrik_core::provider::Cx;
use fabrik_http::{Client, HttpConfig};

use crate::site::Site;

/// What a look at the site gave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// Pages come.
    Works,
    /// It answers that it is broken; the text says how.
    Broken(String),
    /// Nobody answers there from here, which tells nothing of the site.
    Silent,
}

/// Asks for the home page and the root of the REST API. This is the warm-up as well: a theme does
/// on its first page what it does only once.
pub(super) async fn probe(cx: &Cx, site: &Site) -> Answer {
    let Ok(url) = site.url(cx).await else {
        return Answer::Silent;
    };
    let Ok(config) = HttpConfig::new(
        "WordPress",
        env!("CARGO_PKG_VERSION"),
        url.trim_end_matches('/'),
    ) else {
        return Answer::Silent;
    };
    let Ok(client) = Client::new(config.timeout(Duration::from_secs(20)).attempts(1)) else {
        return Answer::Silent;
    };
    let (home, api) = tokio::join!(page(cx, &client, "/"), page(cx, &client, "/wp-json/"));
    match (home, api) {
        (Answer::Works, other) if other != Answer::Silent => other,
        (home, _) => home,
    }
}

async fn page(cx: &Cx, client: &Client, path: &str) -> Answer {
    let mut request = client.get(cx, path);
    for status in [301, 302, 307, 308, 400, 401, 403, 404, 405, 429, 500, 503] {
        request = request.ok_if(status);
    }
    match request.reply().await {
        Ok(reply) if reply.status() == 500 => {
            let said = reply.text().unwrap_or_default();
            let critical =
                said.contains("critical error") || said.contains("internal_server_error");
            let what = if critical {
                " (a critical error of PHP)"
            } else {
                ""
            };
            Answer::Broken(format!("{path} answers 500{what}"))
        }
        Ok(_) => Answer::Works,
        Err(_) => Answer::Silent,
    }
}
