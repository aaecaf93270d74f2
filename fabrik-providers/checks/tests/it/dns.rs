use std::net::SocketAddr;

use fabrik_checks::CheckerConfig;
use serde_json::{Value as Json, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, UdpSocket};

use super::support::{check, check_with, closed_port};

/// What a test's name server does.
#[derive(Clone, Copy, PartialEq)]
enum Mode {
    Normal,
    /// Says over UDP that the answer does not fit.
    Truncating,
    /// Answers with another id first.
    Spoofed,
    Failing,
    Silent,
}

/// A name server for `app.example`, on UDP and TCP of one port.
async fn server(mode: Mode, address: [u8; 4]) -> SocketAddr {
    let (udp, tcp) = loop {
        let udp = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        if let Ok(tcp) = TcpListener::bind(udp.local_addr().unwrap()).await {
            break (udp, tcp);
        }
    };
    let here = udp.local_addr().unwrap();
    tokio::spawn(async move {
        let mut buffer = [0; 512];
        while let Ok((length, peer)) = udp.recv_from(&mut buffer).await {
            let mut reply = answer(&buffer[..length], mode, address);
            match mode {
                Mode::Silent => continue,
                Mode::Truncating => {
                    reply.truncate(12);
                    reply[2] |= 2;
                    let question = &buffer[12..length - 11];
                    reply.extend_from_slice(question);
                    reply[6..12].fill(0);
                }
                Mode::Spoofed => {
                    let mut wrong = reply.clone();
                    wrong[0] ^= 0xff;
                    udp.send_to(&wrong, peer).await.unwrap();
                }
                _ => {}
            }
            udp.send_to(&reply, peer).await.unwrap();
        }
    });
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = tcp.accept().await {
            let length = usize::from(stream.read_u16().await.unwrap());
            let mut query = vec![0; length];
            stream.read_exact(&mut query).await.unwrap();
            let reply = answer(&query, mode, address);
            let length = u16::try_from(reply.len()).unwrap();
            stream.write_all(&length.to_be_bytes()).await.unwrap();
            stream.write_all(&reply).await.unwrap();
        }
    });
    here
}

fn answer(query: &[u8], mode: Mode, address: [u8; 4]) -> Vec<u8> {
    let question = &query[12..query.len() - 11];
    let known = question.starts_with(b"\x03app\x07example\0");
    let kind = u16::from_be_bytes([question[question.len() - 4], question[question.len() - 3]]);
    let records: Vec<(u16, Vec<u8>)> = match kind {
        1 => vec![(5, b"\x04edge\xc0\x10".to_vec()), (1, address.to_vec())],
        5 => vec![(5, b"\x04edge\xc0\x10".to_vec())],
        15 => vec![(15, b"\0\x0a\x04mail\xc0\x10".to_vec())],
        16 => vec![
            (16, b"\x07v=spf1 \x04-all".to_vec()),
            (16, b"\x05other".to_vec()),
        ],
        _ => vec![],
    };
    let records = if known { records } else { vec![] };
    let code = match (mode, known) {
        (Mode::Failing, _) => 2,
        (_, false) => 3,
        _ => 0,
    };
    let mut out = query[..2].to_vec();
    out.extend([
        0x81,
        0x80 | code,
        0,
        1,
        0,
        u8::try_from(records.len()).unwrap(),
        0,
        0,
        0,
        0,
    ]);
    out.extend_from_slice(question);
    for (kind, data) in records {
        out.extend([
            0xc0,
            12,
            0,
            u8::try_from(kind).unwrap(),
            0,
            1,
            0,
            0,
            0,
            60,
            0,
        ]);
        out.push(u8::try_from(data.len()).unwrap());
        out.extend(data);
    }
    out
}

async fn ask(servers: &[SocketAddr], spec: Json) -> Result<String, String> {
    let mut spec = spec;
    spec["servers"] = servers.iter().map(ToString::to_string).collect();
    check("dns", spec).await.map_err(|failure| failure.seen)
}

#[tokio::test]
async fn values_of_each_type() {
    let good = server(Mode::Normal, [203, 0, 113, 9]).await;
    for (spec, evidence) in [
        (
            json!({"name": "app.example"}),
            "app.example address 203.0.113.9",
        ),
        (
            json!({"name": "App.Example.", "type": "A", "values": ["203.0.113.9"]}),
            "App.Example. A 203.0.113.9",
        ),
        (
            json!({"name": "app.example", "type": "CNAME", "values": ["EDGE.example."]}),
            "app.example CNAME edge.example",
        ),
        (
            json!({"name": "app.example", "type": "MX", "values": ["10 mail.example"]}),
            "app.example MX 10 mail.example",
        ),
        (
            json!({"name": "app.example", "type": "TXT", "includes": ["v=spf1 -all"]}),
            "app.example TXT other, v=spf1 -all",
        ),
        (
            json!({"name": "app.example", "type": "AAAA", "values": []}),
            "app.example AAAA no such record",
        ),
        (
            json!({"name": "gone.example", "type": "A", "values": []}),
            "gone.example A no such name",
        ),
    ] {
        let found = ask(&[good], spec).await;
        assert_eq!(found, Ok(format!("{evidence} on 1 of 1 resolver")));
    }
}

#[tokio::test]
async fn disagreement_is_told_server_by_server() {
    let good = server(Mode::Normal, [203, 0, 113, 9]).await;
    let old = server(Mode::Normal, [198, 51, 100, 1]).await;
    let failing = server(Mode::Failing, [0; 4]).await;
    let closed: SocketAddr = format!("127.0.0.1:{}", closed_port().await)
        .parse()
        .unwrap();
    let spec = json!({"name": "app.example", "type": "A", "values": ["203.0.113.9"]});
    let seen = ask(&[good, old, failing, closed], spec.clone())
        .await
        .unwrap_err();
    assert_eq!(
        seen,
        format!(
            "app.example A 203.0.113.9 on only 1 of 4 resolvers; {old}: 198.51.100.1; {failing}: it could not find out (SERVFAIL); {closed}: nothing listens there"
        )
    );
    let mut any = spec;
    any["require"] = "any".into();
    assert_eq!(
        ask(&[good, old], any).await,
        Ok("app.example A 203.0.113.9 on 1 of 2 resolvers".to_owned())
    );
    let seen = ask(&[good], json!({"name": "app.example", "type": "AAAA"}))
        .await
        .unwrap_err();
    assert_eq!(
        seen,
        format!("app.example AAAA found on only 0 of 1 resolver; {good}: no such record")
    );
}

#[tokio::test]
async fn long_answers_come_over_tcp_and_strangers_are_ignored() {
    for mode in [Mode::Truncating, Mode::Spoofed] {
        let server = server(mode, [203, 0, 113, 9]).await;
        let found = ask(&[server], json!({"name": "app.example", "type": "A"})).await;
        assert_eq!(
            found,
            Ok("app.example A 203.0.113.9 on 1 of 1 resolver".to_owned())
        );
    }
}

#[tokio::test]
async fn silence_ends_with_the_timeout() {
    let silent = server(Mode::Silent, [0; 4]).await;
    let spec = json!({"name": "app.example", "type": "A", "timeout": "200ms"});
    let seen = ask(&[silent], spec).await.unwrap_err();
    assert!(seen.ends_with(&format!("{silent}: no answer")), "{seen}");
}

#[tokio::test]
async fn configured_resolvers_and_this_machine() {
    let good = server(Mode::Normal, [203, 0, 113, 9]).await;
    let config = CheckerConfig::default().resolvers([good]);
    let found = check_with(
        config.clone(),
        "dns",
        json!({"name": "app.example", "type": "A"}),
    )
    .await;
    assert_eq!(
        found.unwrap(),
        "app.example A 203.0.113.9 on 1 of 1 resolver"
    );
    let found = check_with(config, "dns", json!({"name": "app.localhost"})).await;
    assert_eq!(
        found.unwrap(),
        "app.localhost address 127.0.0.1 on 1 of 1 resolver"
    );
}

/// The name servers given say where every other check connects to.
#[tokio::test]
async fn names_of_other_checks_are_asked_of_the_resolvers() {
    let web = super::support::http_server(|_| super::support::answer("200 OK", "", "here")).await;
    let good = server(Mode::Normal, [203, 0, 113, 9]).await;
    let silent: SocketAddr = format!("127.0.0.1:{}", closed_port().await)
        .parse()
        .unwrap();
    let config = CheckerConfig::default()
        .resolvers([silent, good])
        .detour(&format!("203.0.113.9:80={web}"))
        .unwrap();
    let spec = json!({"url": "http://app.example/", "body": "here"});
    check_with(config.clone(), "http", spec).await.unwrap();
    let gone = json!({"url": "http://gone.example/"});
    let failure = check_with(config, "http", gone).await.unwrap_err();
    assert_eq!(
        failure.seen,
        format!(
            "the name gone.example does not resolve: {silent}: nothing listens there; {good}: no such name"
        )
    );
}
