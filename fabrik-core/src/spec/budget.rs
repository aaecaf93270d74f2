//! Bounds on what a small text may stand for: variables that double, `for_each` over much.

use super::world::World;
use crate::value::Value;

/// Most one named value may be, in bytes and sixteenths of a node.
const ONE: usize = 16 << 20;
/// Most that all uses of named values, and all objects of `for_each`, may be together.
const ALL: usize = 512 << 20;
/// What a node counts, besides its text.
const NODE: usize = 16;

impl World<'_> {
    /// Takes from the budget of the load; `false` when it is used up.
    pub(super) fn charge(&mut self, size: usize) -> bool {
        self.used = self.used.saturating_add(size);
        self.used <= ALL
    }
}

/// The size of a value; `None` when it is more than one value may be.
pub(super) fn size(value: &Value) -> Option<usize> {
    let mut left = ONE;
    measure(value, &mut left)?;
    Some(ONE - left)
}

/// The size of this many copies of something of so many nodes.
pub(super) fn copies(nodes: usize, count: usize) -> usize {
    nodes.saturating_mul(count).saturating_mul(NODE)
}

fn measure(value: &Value, left: &mut usize) -> Option<()> {
    *left = left.checked_sub(NODE)?;
    match value {
        Value::Str(text) => *left = left.checked_sub(text.len())?,
        Value::List(items) => {
            for item in items.iter() {
                measure(item, left)?;
            }
        }
        Value::Map(map) => {
            for item in map.values() {
                measure(item, left)?;
            }
        }
        Value::Secret(inner) => measure(inner, left)?,
        Value::Expr(expr) => measure_expr(expr, left)?,
        _ => {}
    }
    Some(())
}

fn measure_expr(expr: &crate::expr::Expr, left: &mut usize) -> Option<()> {
    use crate::expr::Expr;
    *left = left.checked_sub(NODE)?;
    match expr {
        Expr::Literal(value) => measure(value, left),
        Expr::Ref(_) => Some(()),
        Expr::Concat(parts) | Expr::Call(_, parts) => {
            parts.iter().try_for_each(|part| measure_expr(part, left))
        }
        Expr::Equal(one, other) | Expr::NotEqual(one, other) => {
            measure_expr(one, left)?;
            measure_expr(other, left)
        }
    }
}
