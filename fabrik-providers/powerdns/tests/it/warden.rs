//! The tests' own server ends with the test.

use std::net::TcpStream;
use std::time::{Duration, Instant};

use crate::server::Server;

#[test]
fn the_server_ends_and_leaves_nothing() {
    let server = Server::start();
    let (address, dir) = (server.address(), server.dir().to_owned());
    assert!(dir.join("zones.db").exists());
    let panicked = std::thread::spawn(move || {
        let _kept = server;
        panic!("as a failing test does");
    });
    assert!(panicked.join().is_err());
    let begun = Instant::now();
    while TcpStream::connect(address).is_ok() || dir.exists() {
        assert!(begun.elapsed() < Duration::from_secs(10), "it still runs");
        std::thread::sleep(Duration::from_millis(10));
    }
}
