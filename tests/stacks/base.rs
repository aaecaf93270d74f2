//! The base stack.

use crate::support::{apply, stage};

#[test]
fn look() {
    let stage = stage("base-stack");
    let (ran, events) = apply(&stage, &[]);
    println!("{}", ran.all());
    for event in &events {
        let text = event.to_string();
        println!("{}", &text[..text.len().min(300)]);
    }
}
