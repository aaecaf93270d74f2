//! What is traced, and what never is.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::io::Write;
use std::sync::{Arc, Mutex};

use fabrik_core::provider::Cx;
use fabrik_core::secrets::Secret;
use fabrik_exec::Place;
use tracing_subscriber::fmt::format::FmtSpan;

use crate::support::{CANARY, Docker, runner, sh};

#[derive(Clone, Default)]
struct Buffer(Arc<Mutex<Vec<u8>>>);

impl Write for Buffer {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[test]
fn program_and_place_are_traced_but_no_values() {
    let buffer = Buffer::default();
    let writer = buffer.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_span_events(FmtSpan::FULL)
        .with_ansi(false)
        .with_writer(move || writer.clone())
        .finish();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    tracing::subscriber::with_default(subscriber, || {
        runtime.block_on(async {
            let docker = Docker::new();
            let web = Place::from(docker.container("web"));
            let command = sh("cat; exit 7")
                .arg(CANARY)
                .env("A", CANARY)
                .input(Secret::from(CANARY));
            for place in [Place::Here, web] {
                runner()
                    .run(&Cx::detached(), &place, &command)
                    .await
                    .unwrap();
            }
        });
    });
    let text = String::from_utf8(buffer.0.lock().unwrap().clone()).unwrap();
    for words in [
        "program=sh",
        "place=this machine",
        "place=container web",
        "code=7",
        "millis=",
    ] {
        assert!(text.contains(words), "{words}: {text}");
    }
    assert!(!text.contains(CANARY), "{text}");
}
