//! A server of one page, with nothing but the standard library.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};

fn main() -> std::io::Result<()> {
    let variable = |name: &str| std::env::var(name).unwrap_or_default();
    let port: u16 = variable("PORT").parse().expect("PORT is set");
    let greeting = variable("GREETING");
    // Its length is all there is to tell of a secret.
    let token = variable("TOKEN").len();
    let listener = TcpListener::bind(("127.0.0.1", port))?;
    println!("listening on {port}, with a token of {token} characters");
    for stream in listener.incoming() {
        let greeting = greeting.clone();
        std::thread::spawn(move || answer(&stream?, &greeting));
    }
    Ok(())
}

/// Answers one request and closes.
fn answer(mut stream: &TcpStream, greeting: &str) -> std::io::Result<()> {
    let mut lines = BufReader::new(stream).lines();
    let first = lines.next().transpose()?.unwrap_or_default();
    // The headers mean nothing here.
    while lines.next().transpose()?.is_some_and(|line| !line.is_empty()) {}
    let (status, body) = match first.split(' ').nth(1) {
        Some("/healthz") => ("200 OK", "ok\n".to_owned()),
        Some("/") => ("200 OK", format!("{greeting} from process {}\n", std::process::id())),
        _ => ("404 Not Found", "there is only one page\n".to_owned()),
    };
    write!(
        stream,
        "HTTP/1.1 {status}\r\nContent-Type: text/plain; charset=utf-8\r\n\
         Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    )
}
