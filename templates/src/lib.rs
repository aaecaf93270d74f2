//! Templates of apps, embedded in the program, and the detection of what a folder holds.
//!
//! A template is a folder beside this crate's `src`: `template.json` says what it is and what it
//! asks, `files/` is what it writes. A file whose name ends with `.j2` is rendered with the answers
//! (minijinja, the ending is dropped); any other is copied. Adding a template is adding a folder.
//!
//! ```
//! use serde_json::json;
//!
//! let template = fabrik_templates::find("static-site")?;
//! let files = template.render("demo", &json!({"title": "Demo"}))?;
//! let spec = files.iter().find(|file| file.path == "fabrik.yaml").unwrap();
//! assert!(spec.content.contains("kind: static"));
//! # Ok::<(), fabrik_core::error::Error>(())
//! ```

mod detect;
mod render;
mod template;

pub use detect::{Detected, Origin, detect};
pub use render::File;
pub use template::{Check, Template, all, find};
