//! What the tests of the whole share.

pub mod null;
pub mod shapes;
