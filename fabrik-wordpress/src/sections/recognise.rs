//! The way back: from a block that we made to the section it came from.

use fabrik_blocks::{Block, section};
use fabrik_core::value::Value;

/// A section found in a page.
#[derive(Clone, Debug, PartialEq)]
pub struct Recognised {
    /// Its type.
    pub kind: &'static str,
    /// Its id.
    pub id: String,
    /// Its fields, where they could be read back for certain.
    pub fields: Option<Value>,
}

/// Which type of section a block is, by its marker and its class.
pub fn recognise(block: &Block) -> Option<Recognised> {
    let id = section::id(block)?.to_owned();
    let classes = block.attrs().get("className")?.as_str()?;
    let name = classes.split(' ').find_map(|class| {
        class
            .strip_prefix("fabrik-")
            .filter(|name| *name != "section")
    })?;
    let kind = super::kinds()
        .iter()
        .find(|kind| kind.replace('_', "-") == name)?;
    Some(Recognised {
        kind,
        id,
        fields: None,
    })
}
