//! The resources of a stack and what they need, as a tree, DOT, Mermaid or JSON.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use fabrik_core::address::Address;
use fabrik_core::plan::{Action, Plan, PlannedChange};
use fabrik_core::stack::Stack;
use serde_json::{Value as Json, json};

use super::style::{Line, Style, Tone};
use super::text;

/// The form of a graph.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum GraphFormat {
    /// For reading.
    #[default]
    Tree,
    /// Graphviz.
    Dot,
    /// Mermaid.
    Mermaid,
    /// For programs.
    Json,
}

/// The graph of a stack in a form; with a plan, every resource shows what happens to it.
///
/// The order is that of addresses: the same stack always gives the same text.
pub fn render(stack: &Stack, plan: Option<&Plan>, format: GraphFormat, style: Style) -> String {
    let nodes = Nodes::of(stack, plan);
    match format {
        GraphFormat::Tree => nodes.tree(style),
        GraphFormat::Dot => nodes.dot(stack),
        GraphFormat::Mermaid => nodes.mermaid(),
        GraphFormat::Json => {
            let json = nodes.json(stack);
            serde_json::to_string_pretty(&json).unwrap_or_default() + "\n"
        }
    }
}

struct Node<'a> {
    address: &'a Address,
    type_name: &'a str,
    action: Option<&'a Action>,
    needs: Vec<usize>,
    needed: bool,
}

struct Nodes<'a>(Vec<Node<'a>>);

impl<'a> Nodes<'a> {
    fn of(stack: &'a Stack, plan: Option<&'a Plan>) -> Nodes<'a> {
        let mut changes: BTreeMap<&Address, &PlannedChange> = BTreeMap::new();
        for change in plan.iter().flat_map(|plan| &plan.changes) {
            changes.entry(&change.address).or_insert(change);
        }
        let index: BTreeMap<&Address, usize> = stack
            .resources
            .keys()
            .enumerate()
            .map(|(at, key)| (key, at))
            .collect();
        let mut nodes: Vec<Node<'_>> = stack
            .resources
            .iter()
            .map(|(address, declared)| Node {
                address,
                type_name: &declared.type_name,
                action: changes.get(address).map(|change| &change.action),
                needs: needs(address, declared.dependencies(), &index),
                needed: false,
            })
            .collect();
        for at in 0..nodes.len() {
            for needed in nodes[at].needs.clone() {
                nodes[needed].needed = true;
            }
        }
        // What leaves the stack has no declaration any more.
        for (address, change) in changes {
            if !index.contains_key(address) {
                nodes.push(Node {
                    address,
                    type_name: &change.type_name,
                    action: Some(&change.action),
                    needs: Vec::new(),
                    needed: false,
                });
            }
        }
        Nodes(nodes)
    }

    fn tree(&self, style: Style) -> String {
        let mut out = String::new();
        let mut seen = vec![false; self.0.len()];
        let cyclic = self.0.iter().all(|node| node.needed);
        let roots: Vec<usize> = (0..self.0.len())
            .filter(|at| cyclic || !self.0[*at].needed)
            .collect();
        for root in roots {
            if cyclic && seen[root] {
                continue;
            }
            self.branch(root, &mut seen, style, &mut out);
        }
        out
    }

    /// One root with everything below it; what was shown before is only named.
    fn branch(&self, root: usize, seen: &mut [bool], style: Style, out: &mut String) {
        let mut stack = vec![(root, String::new(), String::new())];
        while let Some((at, lead, below)) = stack.pop() {
            let node = &self.0[at];
            let again = seen[at] && !node.needs.is_empty();
            let mut line = Line::default().add(Tone::Dim, lead);
            if let Some(action) = node.action {
                line.push(Tone::Warn, format!("{} ", action.symbol()));
            }
            line.push(Tone::Plain, node.address.as_str());
            line.push(Tone::Dim, format!("  {}", text::one_line(node.type_name)));
            if again {
                line.push(Tone::Dim, "  (see above)");
            }
            out.push_str(&line.render(style));
            out.push('\n');
            if seen[at] {
                continue;
            }
            seen[at] = true;
            for (position, needed) in node.needs.iter().enumerate().rev() {
                let (branch, pass) = if position + 1 == node.needs.len() {
                    ("└─ ", "   ")
                } else {
                    ("├─ ", "│  ")
                };
                stack.push((
                    *needed,
                    format!("{below}{branch}"),
                    format!("{below}{pass}"),
                ));
            }
        }
    }

    fn dot(&self, stack: &Stack) -> String {
        let mut out = format!(
            "digraph {} {{\n  rankdir=LR;\n  node [shape=box];\n",
            quoted(&stack.name)
        );
        for node in &self.0 {
            let mark = node
                .action
                .map(|it| format!("{} ", it.symbol()))
                .unwrap_or_default();
            let label = format!(
                "{mark}{}\\n{}",
                escaped(node.address.as_str()),
                escaped(node.type_name)
            );
            _ = writeln!(
                out,
                "  {} [label=\"{label}\"];",
                quoted(node.address.as_str())
            );
        }
        for (from, to) in self.edges() {
            _ = writeln!(out, "  {} -> {};", quoted(from), quoted(to));
        }
        out.push_str("}\n");
        out
    }

    fn mermaid(&self) -> String {
        let mut out = String::from("graph LR\n");
        for (at, node) in self.0.iter().enumerate() {
            let mark = node
                .action
                .map(|it| format!("{} ", it.symbol()))
                .unwrap_or_default();
            let label = format!("{mark}{}<br/>{}", node.address, node.type_name);
            let label = text::one_line(&label).replace('"', "#quot;");
            _ = writeln!(out, "  n{at}[\"{label}\"]");
        }
        for (at, node) in self.0.iter().enumerate() {
            for needed in &node.needs {
                _ = writeln!(out, "  n{at} --> n{needed}");
            }
        }
        out
    }

    fn json(&self, stack: &Stack) -> Json {
        let nodes: Vec<Json> = self
            .0
            .iter()
            .map(|node| {
                json!({
                    "address": node.address,
                    "type": node.type_name,
                    "action": node.action.map(Action::word),
                })
            })
            .collect();
        let edges: Vec<Json> = self
            .edges()
            .map(|(from, to)| json!({"from": from, "to": to}))
            .collect();
        json!({
            "version": 1,
            "stack": stack.name,
            "env": stack.env,
            "nodes": nodes,
            "edges": edges,
        })
    }

    /// Who needs what.
    fn edges(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().flat_map(|node| {
            let to = node.needs.iter().map(|at| self.0[*at].address.as_str());
            to.map(|to| (node.address.as_str(), to))
        })
    }
}

/// Dependencies as positions; one that names an app or a `for_each` stands for everything below.
fn needs(
    address: &Address,
    dependencies: Vec<Address>,
    index: &BTreeMap<&Address, usize>,
) -> Vec<usize> {
    let mut out = Vec::new();
    for dependency in dependencies {
        if let Some(at) = index.get(&dependency) {
            out.push(*at);
        } else {
            let below = index
                .range::<&Address, _>(&dependency..)
                .take_while(|(other, _)| other.as_str().starts_with(dependency.as_str()));
            out.extend(
                below
                    .filter(|(other, _)| other.matches(dependency.as_str()) && **other != address)
                    .map(|(_, at)| *at),
            );
        }
    }
    out.sort_unstable();
    out.dedup();
    out
}

fn escaped(text: &str) -> String {
    text::one_line(text)
        .replace('\\', "\\\\")
        .replace('"', "\\\"")
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", escaped(text))
}
