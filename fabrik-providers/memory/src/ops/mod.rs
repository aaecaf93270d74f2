//! What each kind of type does.

pub(crate) mod blob;
pub(crate) mod group;
pub(crate) mod null;
pub(crate) mod single;
