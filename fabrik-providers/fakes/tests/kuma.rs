//! The fake of Uptime Kuma against recorded sessions with the real servers.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::time::Duration;

use fabrik_fakes::kuma::{Kuma, PASSWORD, Release};
use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value as Json, json};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};

/// A client of its own, so that the fake is not tested by the provider's.
struct Client {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    next: u64,
    /// Names of events that came since the last question.
    told: Vec<String>,
}

impl Client {
    async fn connect(kuma: &Kuma) -> Client {
        let url = format!(
            "ws://{}/socket.io/?EIO=4&transport=websocket",
            kuma.address()
        );
        let (socket, _) = tokio_tungstenite::connect_async(url).await.unwrap();
        let mut client = Client {
            socket,
            next: 0,
            told: Vec::new(),
        };
        assert!(client.frame().await.starts_with("0{"));
        client.socket.send(Message::text("40")).await.unwrap();
        assert!(client.frame().await.starts_with("40{"));
        client
    }

    async fn frame(&mut self) -> String {
        let wait = tokio::time::timeout(Duration::from_secs(5), self.socket.next());
        let message = wait.await.expect("a frame in time").unwrap().unwrap();
        message.to_text().unwrap().to_owned()
    }

    async fn ask(&mut self, event: &Json) -> Json {
        let id = self.next;
        self.next += 1;
        self.told.clear();
        self.socket
            .send(Message::text(format!("42{id}{event}")))
            .await
            .unwrap();
        loop {
            let frame = self.frame().await;
            if let Some(answer) = frame.strip_prefix(&format!("43{id}")) {
                return serde_json::from_str::<Json>(answer).unwrap()[0].clone();
            }
            if let Some(event) = frame.strip_prefix("42") {
                let event: Json = serde_json::from_str(event).unwrap();
                self.told.push(event[0].as_str().unwrap().to_owned());
            }
        }
    }
}

/// What differs from run to run is masked; statements of the database are compared by their reason.
fn masked(answer: &Json) -> Json {
    let mut answer = answer.clone();
    for key in ["token", "key"] {
        if answer.get(key).is_some_and(Json::is_string) {
            answer[key] = json!("(masked)");
        }
    }
    for pointer in ["/incident/createdDate"] {
        if let Some(date) = answer.pointer_mut(pointer) {
            *date = json!("(masked)");
        }
    }
    if let Some(text) = answer.get("msg").and_then(Json::as_str)
        && let Some((statement, reason)) = text.rsplit_once(" - ")
    {
        let names = statement
            .split(" values ")
            .next()
            .unwrap_or_default()
            .to_lowercase();
        answer["msg"] = json!(format!("{names} - {reason}"));
    }
    answer
}

async fn replay(release: Release, recorded: &str) {
    let kuma = Kuma::never_set_up(release);
    let mut first = Client::connect(&kuma).await;
    let mut second = None;
    let mut token = json!(null);
    let mut compared = 0;
    for line in recorded.lines() {
        let step: Json = serde_json::from_str(line).unwrap();
        let mut event = step["send"].clone();
        if event[1] == "JWT.REDACTED.TOKEN" {
            event[1] = token.clone();
        }
        let client = if step["socket"] == "a" {
            &mut first
        } else {
            if second.is_none() {
                second = Some(Client::connect(&kuma).await);
            }
            second.as_mut().unwrap()
        };
        let answer = client.ask(&event).await;
        if answer.get("token").is_some() {
            token = answer["token"].clone();
        }
        assert_eq!(
            masked(&answer),
            masked(&step["ack"]),
            "{release:?}: {}",
            event[0]
        );
        compared += 1;
    }
    assert!(compared > 45, "{compared}");
}

#[tokio::test]
async fn release_1_answers_as_recorded() {
    replay(Release::V1, include_str!("data/kuma-v1.jsonl")).await;
}

#[tokio::test]
async fn release_2_answers_as_recorded() {
    replay(Release::V2, include_str!("data/kuma-v2.jsonl")).await;
}

/// What is pushed, and when: as recorded.
#[tokio::test]
async fn lists_come_as_recorded() {
    for release in [Release::V1, Release::V2] {
        let kuma = Kuma::start(release);
        let mut client = Client::connect(&kuma).await;
        let login = json!(["login", {"username": "admin", "password": PASSWORD, "token": ""}]);
        client.ask(&login).await;
        let before = client.told.clone();
        client.ask(&json!(["getTags"])).await;
        let after = client.told.clone();
        // Release 1 answers the login and then sends its lists, release 2 the other way round.
        let lists = if release == Release::V1 {
            &after
        } else {
            &before
        };
        for name in [
            "monitorList",
            "maintenanceList",
            "info",
            "notificationList",
            "dockerHostList",
            "statusPageList",
        ] {
            assert!(
                lists.iter().any(|told| told == name),
                "{release:?} {name}: {lists:?}"
            );
        }
        let monitor = |name: &str| {
            let mut monitor = json!({
                "type": "http", "name": name, "url": "https://example.com", "interval": 60,
                "retryInterval": 60, "accepted_statuscodes": ["200-299"], "notificationIDList": {},
            });
            if release == Release::V2 {
                monitor["conditions"] = json!([]);
            }
            json!(["add", monitor])
        };
        client.ask(&monitor("a")).await;
        let change = if release == Release::V1 {
            "monitorList"
        } else {
            "updateMonitorIntoList"
        };
        assert!(
            client.told.iter().any(|told| told == change),
            "{:?}",
            client.told
        );
        // Status pages are told after a login and never again.
        client.ask(&json!(["addStatusPage", "Page", "page"])).await;
        assert!(!client.told.iter().any(|told| told == "statusPageList"));
    }
}

#[tokio::test]
async fn only_its_own_address_is_a_socket() {
    let kuma = Kuma::start(Release::V2);
    for path in [
        "/",
        "/other/?EIO=4&transport=websocket",
        "/socket.io/?EIO=3&transport=websocket",
    ] {
        let refused =
            tokio_tungstenite::connect_async(format!("ws://{}{path}", kuma.address())).await;
        assert!(refused.is_err(), "{path}");
    }
}
