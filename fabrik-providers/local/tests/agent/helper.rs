//! The programs that the tests run: the agent, and a small server with faults on demand.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::time::Duration;

use fabrik_provider_local::{AgentConfig, Env, run_agent};

/// Names the role that the process plays.
pub(crate) const ROLE: &str = "FABRIK_TEST_ROLE";
/// Marks every process of one test.
pub(crate) const WORLD: &str = "FABRIK_TEST_WORLD";

/// Set for an agent whose clock runs sixty times as fast.
pub(crate) const FAST: &str = "FABRIK_TEST_FAST";

/// Arguments that make the test binary play a role.
pub(crate) const ARGS: [&str; 4] = ["helper::process", "--exact", "--ignored", "--nocapture"];

#[test]
#[ignore = "run by the other tests as a process of its own"]
fn process() {
    match var(ROLE).as_deref() {
        Some("agent") => agent(),
        Some("server") => server(),
        Some("crash") => {
            println!("about to crash with {}", var("TOKEN").unwrap_or_default());
            std::thread::sleep(Duration::from_millis(50));
            panic!("crashed as told");
        }
        _ => {}
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "a role is a program, not the library"
)]
fn var(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

#[expect(
    clippy::disallowed_methods,
    reason = "a role is a program, not the library"
)]
fn agent() {
    let state_dir = PathBuf::from(var("STATE_DIR").unwrap());
    let mut config = AgentConfig::new(state_dir, std::time::SystemTime::now);
    config.port = 0;
    config.idle_exit = Duration::from_millis(var("IDLE_MS").unwrap().parse().unwrap());
    if var(FAST).is_some() {
        config.clock = fast_clock;
    }
    config.base_env = Env::new().with(WORLD, var(WORLD).unwrap());
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .unwrap();
    let ended = runtime.block_on(run_agent(config));
    println!("the agent ended: {ended:?}");
}

/// A clock on which a minute takes a second.
#[expect(
    clippy::disallowed_methods,
    reason = "a role is a program, not the library"
)]
fn fast_clock() -> std::time::SystemTime {
    static START: std::sync::OnceLock<(std::time::SystemTime, std::time::Instant)> =
        std::sync::OnceLock::new();
    let (time, since) =
        START.get_or_init(|| (std::time::SystemTime::now(), std::time::Instant::now()));
    *time + since.elapsed() * 60
}

fn server() {
    if let Some(delay) = var("START_DELAY_MS") {
        std::thread::sleep(Duration::from_millis(delay.parse().unwrap()));
    }
    let port: u16 = if var("WRONG_PORT").is_some() {
        0
    } else {
        var("PORT").unwrap().parse().unwrap()
    };
    let address = if var("ONLY_V6").is_some() {
        "[::1]"
    } else {
        "127.0.0.1"
    };
    let listener = TcpListener::bind(format!("{address}:{port}")).unwrap();
    println!(
        "version {} listens on {}",
        var("VERSION").unwrap_or_default(),
        listener.local_addr().unwrap()
    );
    for stream in listener.incoming() {
        std::thread::spawn(move || answer(&stream.unwrap()));
    }
}

fn answer(mut stream: &TcpStream) {
    let mut reader = BufReader::new(stream);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if reader.read_line(&mut head).unwrap_or(0) == 0 {
            return;
        }
    }
    let path = head.split(' ').nth(1).unwrap_or("/").to_owned();
    let (status, body) = match path.split('?').next().unwrap_or("/") {
        "/health" if var("SICK").is_some() => ("500 Sick", "sick".to_owned()),
        "/health" => ("200 OK", "fine".to_owned()),
        "/head" => ("200 OK", head.clone()),
        "/pid" => ("200 OK", std::process::id().to_string()),
        "/version" => {
            std::thread::sleep(Duration::from_millis(2));
            ("200 OK", var("VERSION").unwrap_or_default())
        }
        "/slow" => {
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nfirst");
            std::thread::sleep(Duration::from_millis(700));
            let _ = stream.write_all(b"-last");
            return;
        }
        "/echo" => ("200 OK", echoed(&head, &mut reader)),
        "/broken" => return,
        "/upgrade" => return upgraded(reader),
        "/exit" => return crate::world::kill_process(std::process::id()),
        _ => ("404 Not Found", "nothing here".to_owned()),
    };
    let _ = write!(
        stream,
        "HTTP/1.1 {status}\r\nContent-Length: {}\r\nKeep-Alive: timeout=5\r\n\r\n{body}",
        body.len()
    );
}

/// The body of a request, whichever way it is framed.
fn echoed(head: &str, reader: &mut BufReader<&TcpStream>) -> String {
    let lower = head.to_ascii_lowercase();
    let mut body = Vec::new();
    if let Some((_, rest)) = lower.split_once("content-length: ") {
        let length = rest.split("\r\n").next().unwrap().parse().unwrap();
        body.resize(length, 0);
        reader.read_exact(&mut body).unwrap();
    } else if lower.contains("transfer-encoding: chunked") {
        loop {
            let mut line = String::new();
            reader.read_line(&mut line).unwrap();
            let length = usize::from_str_radix(line.trim(), 16).unwrap();
            let mut chunk = vec![0; length + 2];
            reader.read_exact(&mut chunk).unwrap();
            if length == 0 {
                break;
            }
            body.extend_from_slice(&chunk[..length]);
        }
    }
    String::from_utf8(body).unwrap()
}

/// Changes the protocol to one that sends everything back in upper case.
fn upgraded(mut reader: BufReader<&TcpStream>) {
    let mut stream: &TcpStream = reader.get_ref();
    let _ = stream.write_all(
        b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: shout\r\n\r\n",
    );
    let mut buffer = [0; 1024];
    while let Ok(read @ 1..) = reader.read(&mut buffer) {
        let _ = stream.write_all(&buffer[..read].to_ascii_uppercase());
    }
}
