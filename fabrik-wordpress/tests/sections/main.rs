//! Sections: what they accept, what they refuse, and that nothing in them is more than text.

#[path = "../support/mod.rs"]
mod support;

mod fields;
mod safety;
