//! WordPress block markup: reading, writing, comparing, and putting sections of ours into pages
//! that people edit as well; and text that is safe in it.
//!
//! The grammar is that of WordPress's own parser and serialiser (`class-wp-block-parser.php`,
//! `blocks.php`; 6.1 to 7.1). Nothing here talks to a site.

mod block;
pub mod html;
mod json;
mod merge;
mod parse;
mod same;
pub mod section;
pub mod text;

pub use block::{Block, Node, write};
pub use json::Json;
pub use merge::{Conflict, Edited, Hand, Merged, merge, merge_with};
pub use parse::{Damage, Parsed, parse, parse_checked};
pub use same::{hash, hash_block, same, same_block};
pub use section::{Owned, Section};
