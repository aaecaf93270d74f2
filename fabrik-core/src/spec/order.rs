//! What must be evaluated before what, and cycles as readable paths.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::expression::{self, Step};
use super::node::{Data, Node};
use crate::value::Segment;

/// A named thing that is evaluated: `vars.x`, `apps.api`, `outputs.url`.
pub(super) struct Item<'n> {
    /// Its name as written in references.
    pub(super) name: Arc<str>,
    /// What it is made of.
    pub(super) nodes: Vec<&'n Node>,
}

/// The order of evaluation.
pub(super) struct Order {
    /// Positions of items, each after those it refers to.
    pub(super) sorted: Vec<usize>,
    /// Whether an item waits for apps, outputs or resources.
    pub(super) late: Vec<bool>,
    /// Each cycle: positions in the order of references.
    pub(super) cycles: Vec<Vec<usize>>,
}

/// Sorts items by their references to each other.
pub(super) fn sort(items: &[Item<'_>]) -> Order {
    let places: HashMap<&str, usize> = items
        .iter()
        .enumerate()
        .map(|(at, item)| (&*item.name, at))
        .collect();
    let mut late = vec![false; items.len()];
    let mut edges = vec![Vec::new(); items.len()];
    for (at, item) in items.iter().enumerate() {
        let mut found = HashSet::new();
        for node in &item.nodes {
            collect(node, &mut found, &mut late[at]);
        }
        edges[at] = found
            .iter()
            .filter_map(|name| places.get(name.as_str()).copied())
            .collect();
        edges[at].sort_unstable();
    }
    let (sorted, cycles) = depth_first(&edges);
    for at in &sorted {
        late[*at] |= !items[*at].name.starts_with("vars.") || edges[*at].iter().any(|to| late[*to]);
    }
    Order {
        sorted,
        late,
        cycles,
    }
}

/// Names this node refers to. `late` becomes true at references that wait for more than variables.
fn collect(node: &Node, found: &mut HashSet<String>, late: &mut bool) {
    match &node.data {
        Data::List(items) => items.iter().for_each(|item| collect(item, found, late)),
        Data::Map(entries) => entries
            .iter()
            .for_each(|entry| collect(&entry.value, found, late)),
        Data::Scalar(scalar) if scalar.has_expression() => {
            let Ok(template) = expression::parse(&scalar.text) else {
                return;
            };
            let mut references: Vec<&[Step]> = Vec::new();
            template.references(&mut references);
            for steps in references {
                let name = |at: usize| match steps.get(at).map(|step| &step.segment) {
                    Some(Segment::Key(name)) => Some(&**name),
                    _ => None,
                };
                match (name(0), name(1)) {
                    (Some(root @ ("vars" | "apps" | "outputs")), Some(second)) => {
                        *late |= root != "vars";
                        found.insert(format!("{root}.{second}"));
                    }
                    (Some("env" | "fabrik" | "each" | "self" | "secrets" | "stacks"), _) => {}
                    _ => *late = true,
                }
            }
        }
        Data::Scalar(_) => {}
    }
}

/// Every node after those it points to, and the cycles met. Linear, without recursion.
pub(super) fn depth_first(edges: &[Vec<usize>]) -> (Vec<usize>, Vec<Vec<usize>>) {
    #[derive(Clone, Copy, PartialEq)]
    enum Mark {
        New,
        Open,
        Done,
    }
    let mut marks = vec![Mark::New; edges.len()];
    let mut sorted = Vec::with_capacity(edges.len());
    let mut cycles = Vec::new();
    for start in 0..edges.len() {
        if marks[start] != Mark::New {
            continue;
        }
        let mut stack = vec![(start, 0_usize)];
        marks[start] = Mark::Open;
        while let Some((here, next)) = stack.last_mut() {
            let here = *here;
            if let Some(to) = edges[here].get(*next).copied() {
                *next += 1;
                match marks[to] {
                    Mark::New => {
                        marks[to] = Mark::Open;
                        stack.push((to, 0));
                    }
                    Mark::Open if cycles.len() < 20 => {
                        let from = stack.iter().position(|(at, _)| *at == to).unwrap_or(0);
                        cycles.push(stack[from..].iter().map(|(at, _)| *at).collect());
                    }
                    Mark::Open | Mark::Done => {}
                }
            } else {
                marks[here] = Mark::Done;
                sorted.push(here);
                stack.pop();
            }
        }
    }
    (sorted, cycles)
}

/// A cycle as a path: `a → b → a`. Long ones are shortened.
pub(super) fn path_text(names: &[&str]) -> String {
    let mut shown: Vec<&str> = names.to_vec();
    if shown.len() > 12 {
        shown.splice(6..shown.len() - 5, ["…"]);
    }
    shown.extend(names.first());
    shown.join(" → ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sorted_and_cycles() {
        let (sorted, cycles) = depth_first(&[vec![1], vec![2], vec![], vec![4], vec![3]]);
        assert_eq!(sorted, [2, 1, 0, 4, 3]);
        assert_eq!(cycles, [vec![3, 4]]);
        let long: Vec<Vec<usize>> = (0..200_000)
            .map(|at| vec![at + 1])
            .chain([vec![]])
            .collect();
        assert_eq!(depth_first(&long).0.len(), 200_001);
        assert_eq!(path_text(&["a", "b"]), "a → b → a");
    }
}
