//! Stacks of a size and shape, as code, as YAML, and as Terraform configuration.

use std::fmt::Write as _;

use fabrik_core::address::Address;
use fabrik_core::error::Result;
use fabrik_core::expr::{Expr, Reference};
use fabrik_core::stack::{Declared, Stack};
use fabrik_core::value::{Path, Value};

/// How resources depend on each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// Not at all.
    Independent,
    /// Ten layers; each refers to three of the layer above.
    Layers,
    /// Each refers to the one before, in chains of at most a thousand.
    Chain,
}

impl Shape {
    /// Numbers of the resources that resource `at` of `n` refers to.
    pub fn references(self, at: usize, n: usize) -> Vec<usize> {
        match self {
            Shape::Independent => Vec::new(),
            Shape::Chain => {
                if at.is_multiple_of(1000) {
                    Vec::new()
                } else {
                    vec![at - 1]
                }
            }
            Shape::Layers => {
                let width = (n / 10).max(1);
                if at < width {
                    return Vec::new();
                }
                let above = (at / width - 1) * width;
                let mut found: Vec<usize> =
                    (0..3).map(|k| above + (at * 7 + k * 13) % width).collect();
                found.sort_unstable();
                found.dedup();
                found
            }
        }
    }
}

/// The stack in code.
///
/// # Errors
/// Never for sensible sizes.
pub fn stack(shape: Shape, n: usize) -> Result<Stack> {
    let mut stack = Stack::new("scale");
    for at in 0..n {
        let references = shape.references(at, n);
        let output = |to: &usize| -> Result<Value> {
            let address = Address::resource(&format!("r{to}"))?;
            Ok(Value::from(Expr::from(Reference::output(
                address,
                Path::key("output"),
            ))))
        };
        let input = if references.is_empty() {
            Value::from(format!("value {at}"))
        } else {
            Value::list(references.iter().map(output).collect::<Result<Vec<_>>>()?)
        };
        let address = Address::resource(&format!("r{at}"))?;
        stack.declare(Declared::new(
            address,
            "null.thing",
            Value::map([("input", input)]),
        ))?;
    }
    Ok(stack)
}

/// The stack as a spec.
pub fn yaml(shape: Shape, n: usize) -> String {
    let mut text = String::from("fabrik: 1\nid: scale\nresources:\n");
    for at in 0..n {
        _ = write!(text, "  - id: r{at}\n    type: null.thing\n    spec:\n");
        let references = shape.references(at, n);
        if references.is_empty() {
            _ = writeln!(text, "      input: value {at}");
        } else {
            let list: Vec<String> = references
                .iter()
                .map(|to| format!("\"${{r{to}.output}}\""))
                .collect();
            _ = writeln!(text, "      input: [{}]", list.join(", "));
        }
    }
    text
}

/// The same for Terraform, with its built-in `terraform_data`.
pub fn terraform(shape: Shape, n: usize) -> String {
    let mut text = String::new();
    for at in 0..n {
        let references = shape.references(at, n);
        let input = if references.is_empty() {
            format!("\"value {at}\"")
        } else {
            let list: Vec<String> = references
                .iter()
                .map(|to| format!("${{terraform_data.r{to}.id}}"))
                .collect();
            format!("\"{}\"", list.join(" "))
        };
        _ = write!(
            text,
            "resource \"terraform_data\" \"r{at}\" {{\n  input = {input}\n}}\n"
        );
    }
    text
}
