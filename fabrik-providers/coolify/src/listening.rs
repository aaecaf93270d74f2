//! Programs that listen on another port than Coolify was told.

use fabrik_core::provider::Cx;
use serde_json::Value as Json;

use crate::body::text;
use crate::client::Coolify;

/// The port that a program says in its log that it listens on.
fn port_in<'a>(lines: impl Iterator<Item = &'a str>) -> Option<u16> {
    const SAYS: [&str; 5] = [
        "listening on",
        "running on",
        "running at",
        "serving on",
        "listening at",
    ];
    let told = lines.filter_map(|line| {
        let lower = line.to_ascii_lowercase();
        let after = SAYS.iter().find_map(|words| lower.split_once(words))?.1;
        // `http://0.0.0.0:8000 (Press …)`, `port 8000`, `:8000`.
        let after = after.trim_start_matches([':', ' ']);
        let after = after.split([' ', ',', ')']).take(2);
        let words: Vec<&str> = after.collect();
        let word = match words.as_slice() {
            ["port", port] => port,
            [first, ..] => first.rsplit(':').next()?,
            [] => return None,
        };
        word.trim_matches(|c: char| !c.is_ascii_digit())
            .parse()
            .ok()
    });
    told.last()
}

/// What to do when the program's log says another port than Coolify was told.
pub(crate) async fn elsewhere(
    cx: &Cx,
    coolify: &Coolify,
    application: &str,
    lines: impl Iterator<Item = &str>,
) -> Option<String> {
    let listens = port_in(lines)?;
    let row = coolify.one(cx, "/applications/{uuid}", application).await;
    let row = row.ok().flatten()?;
    let ports = text(&row, "ports_exposes").unwrap_or_default();
    let ports: Vec<u16> = ports
        .split(',')
        .filter_map(|port| port.parse().ok())
        .collect();
    let health: Option<u16> = match row.get("health_check_port") {
        Some(Json::String(port)) => port.parse().ok(),
        Some(Json::Number(port)) => port.as_u64().and_then(|port| u16::try_from(port).ok()),
        _ => None,
    };
    let (field, told) = match (health, ports.first()) {
        (Some(health), _) if health != listens => ("health.port", health),
        (_, Some(port)) if !ports.contains(&listens) => ("port", *port),
        _ => return None,
    };
    Some(format!(
        "the program listens on {listens}, but `{field}` is {told}: set `{field}: {listens}`, or let the program listen on {told}"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_say_where_they_listen() {
        for (said, port) in [
            (
                "INFO:     Uvicorn running on http://0.0.0.0:8000 (Press CTRL+C to quit)",
                Some(8000),
            ),
            ("Server listening on port 3000", Some(3000)),
            (
                r#"{"msg":"listening on 0.0.0.0:8080","level":"info"}"#,
                Some(8080),
            ),
            ("Listening on :9000, waiting", Some(9000)),
            (" * Running on http://127.0.0.1:5000", Some(5000)),
            (
                "[1] [INFO] Listening at: http://0.0.0.0:8000 (1)",
                Some(8000),
            ),
            ("running on all cylinders", None),
            ("Attempt 1 of 10", None),
        ] {
            assert_eq!(port_in([said].into_iter()), port, "{said}");
        }
    }
}
