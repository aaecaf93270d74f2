//! The `fabrik` program.

fn main() {}
