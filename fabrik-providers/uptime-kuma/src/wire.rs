//! Frames: engine.io 4 and socket.io 5 over one websocket, as far as Uptime Kuma uses them.
//!
//! A frame is a text. Its first digit is engine.io's (`0` open, `2` ping, `3` pong, `4` message), a
//! message's second digit is socket.io's (`0` connect, `1` disconnect, `2` event, `3` ack, `4`
//! refused). An event that wants an answer carries a number, and so does the answer.

use serde_json::Value as Json;

/// A frame from the server.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Frame {
    /// engine.io is open; how long the server may be silent, in milliseconds.
    Open { silence: u64 },
    /// The server asks whether we are there.
    Ping,
    /// engine.io closes.
    Close,
    /// socket.io is connected.
    Connected,
    /// socket.io ends the connection, or refuses it.
    Disconnected,
    /// Something happened.
    Event { name: String, args: Vec<Json> },
    /// The answer to one of our events.
    Ack { id: u64, args: Vec<Json> },
    /// Nothing we know; newer servers may say more than we understand.
    Other,
}

/// What is sent to be connected.
pub(crate) const CONNECT: &str = "40";
/// The answer to a ping.
pub(crate) const PONG: &str = "3";
/// What is sent before leaving.
pub(crate) const DISCONNECT: &str = "41";

/// An event that wants an answer.
pub(crate) fn event(id: u64, name: &str, args: &[Json]) -> String {
    let mut items = Vec::with_capacity(args.len() + 1);
    items.push(Json::from(name));
    items.extend_from_slice(args);
    format!("42{id}{}", Json::Array(items))
}

/// Reads a frame. What is not understood is [`Frame::Other`].
pub(crate) fn parse(text: &str) -> Frame {
    let Some(kind) = text.chars().next() else {
        return Frame::Other;
    };
    match kind {
        '0' => open(&text[1..]),
        '1' => Frame::Close,
        '2' => Frame::Ping,
        '4' => message(&text[1..]),
        _ => Frame::Other,
    }
}

fn open(body: &str) -> Frame {
    let Ok(json) = serde_json::from_str::<Json>(body) else {
        return Frame::Other;
    };
    let millis = |key: &str, usual: u64| json.get(key).and_then(Json::as_u64).unwrap_or(usual);
    Frame::Open {
        silence: millis("pingInterval", 25_000).saturating_add(millis("pingTimeout", 20_000)),
    }
}

fn message(body: &str) -> Frame {
    let Some(kind) = body.chars().next() else {
        return Frame::Other;
    };
    let rest = &body[kind.len_utf8()..];
    let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let (id, data) = rest.split_at(digits);
    match kind {
        '0' => Frame::Connected,
        '1' | '4' => Frame::Disconnected,
        '2' => match serde_json::from_str::<Json>(data) {
            Ok(Json::Array(mut args)) if args.first().is_some_and(Json::is_string) => {
                let name = args.remove(0).as_str().unwrap_or_default().to_owned();
                Frame::Event { name, args }
            }
            _ => Frame::Other,
        },
        '3' => match (id.parse(), serde_json::from_str::<Json>(data)) {
            (Ok(id), Ok(Json::Array(args))) => Frame::Ack { id, args },
            _ => Frame::Other,
        },
        _ => Frame::Other,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn frames_are_read() {
        let open = r#"0{"sid":"x","upgrades":[],"pingInterval":25000,"pingTimeout":20000,"maxPayload":1000000}"#;
        assert_eq!(parse(open), Frame::Open { silence: 45_000 });
        assert_eq!(parse("2"), Frame::Ping);
        assert_eq!(parse(r#"40{"sid":"x"}"#), Frame::Connected);
        assert_eq!(parse("41"), Frame::Disconnected);
        assert_eq!(
            parse(r#"42["uptime",1,24,0]"#),
            Frame::Event {
                name: "uptime".into(),
                args: vec![json!(1), json!(24), json!(0)]
            }
        );
        assert_eq!(
            parse(r#"4312[{"ok":true}]"#),
            Frame::Ack {
                id: 12,
                args: vec![json!({"ok": true})]
            }
        );
        assert_eq!(
            parse("430[true]"),
            Frame::Ack {
                id: 0,
                args: vec![json!(true)]
            }
        );
    }

    #[test]
    fn what_is_not_understood_is_no_error() {
        for text in [
            "",
            "4",
            "42",
            "42{}",
            "42[1]",
            "43x[]",
            "439999999999999999999999[]",
            "é",
            "4é",
            "<html>",
        ] {
            assert_eq!(parse(text), Frame::Other, "{text}");
        }
    }

    #[test]
    fn an_event_carries_its_number_and_arguments() {
        assert_eq!(
            event(7, "addMonitorTag", &[json!(1), json!(2), json!("a")]),
            r#"427["addMonitorTag",1,2,"a"]"#
        );
        assert_eq!(event(0, "needSetup", &[]), r#"420["needSetup"]"#);
    }
}
