//! WordPress block markup.
