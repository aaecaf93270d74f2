//! The dependency graph: index-based, deterministic, linear in time and memory.

/// A directed graph over `0..n`; an edge says "after".
#[derive(Clone, Debug, Default)]
pub struct Graph {
    /// For each node where its dependencies start; one longer than the number of nodes.
    starts: Vec<u32>,
    /// All dependencies, node after node.
    targets: Vec<u32>,
}

impl Graph {
    /// Builds from each node's dependencies. Repeated and self edges are dropped.
    pub fn new<L: IntoIterator<Item = u32>>(dependencies: impl IntoIterator<Item = L>) -> Graph {
        let dependencies = dependencies.into_iter();
        let mut graph = Graph::with_capacity(dependencies.size_hint().0);
        for list in dependencies {
            graph.push(list);
        }
        graph
    }

    /// An empty graph with room for this many nodes.
    pub(crate) fn with_capacity(nodes: usize) -> Graph {
        let mut starts = Vec::with_capacity(nodes + 1);
        starts.push(0);
        Graph {
            starts,
            targets: Vec::new(),
        }
    }

    /// Adds the next node, with its dependencies.
    pub(crate) fn push(&mut self, dependencies: impl IntoIterator<Item = u32>) {
        let node = u32::try_from(self.len()).unwrap_or(u32::MAX);
        let first = self.targets.len();
        let others = dependencies.into_iter().filter(|target| *target != node);
        self.targets.extend(others);
        self.targets[first..].sort_unstable();
        let mut kept = first;
        for at in first..self.targets.len() {
            if kept == first || self.targets[at] != self.targets[kept - 1] {
                self.targets[kept] = self.targets[at];
                kept += 1;
            }
        }
        self.targets.truncate(kept);
        self.starts.push(u32::try_from(kept).unwrap_or(u32::MAX));
    }

    /// How many nodes.
    pub fn len(&self) -> usize {
        self.starts.len() - 1
    }

    /// Whether there is no node.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// What a node comes after.
    pub fn dependencies(&self, node: u32) -> &[u32] {
        let node = node as usize;
        &self.targets[self.starts[node] as usize..self.starts[node + 1] as usize]
    }

    /// The same graph with every edge turned round.
    #[must_use]
    pub fn reversed(&self) -> Graph {
        let n = self.len();
        let mut counts = vec![0_u32; n + 1];
        for target in &self.targets {
            counts[*target as usize + 1] += 1;
        }
        for index in 0..n {
            counts[index + 1] += counts[index];
        }
        let starts = counts.clone();
        let mut targets = vec![0_u32; self.targets.len()];
        for node in 0..n {
            let node = u32::try_from(node).unwrap_or(u32::MAX);
            for target in self.dependencies(node) {
                let slot = &mut counts[*target as usize];
                targets[*slot as usize] = node;
                *slot += 1;
            }
        }
        Graph { starts, targets }
    }

    /// Every node after its dependencies, lower numbers first where there is a choice.
    ///
    /// # Errors
    /// One cycle, as the nodes along it.
    pub fn order(&self) -> Result<Vec<u32>, Vec<u32>> {
        let n = self.len();
        let dependents = self.reversed();
        let mut missing: Vec<u32> = (0..n)
            .map(|node| self.starts[node + 1] - self.starts[node])
            .collect();
        let mut ready = Lowest::new(n);
        for (node, missing) in (0..).zip(&missing) {
            if *missing == 0 {
                ready.insert(node);
            }
        }
        let mut order = Vec::with_capacity(n);
        while let Some(node) = ready.pop() {
            order.push(node);
            for dependent in dependents.dependencies(node) {
                missing[*dependent as usize] -= 1;
                if missing[*dependent as usize] == 0 {
                    ready.insert(*dependent);
                }
            }
        }
        if order.len() == n {
            Ok(order)
        } else {
            Err(self.cycle(&missing))
        }
    }

    /// Follows dependencies among unfinished nodes until one repeats.
    fn cycle(&self, missing: &[u32]) -> Vec<u32> {
        let unfinished = |node: &u32| missing[*node as usize] > 0;
        let Some(mut node) = (0..self.len())
            .filter_map(|node| u32::try_from(node).ok())
            .find(unfinished)
        else {
            return Vec::new();
        };
        let mut seen = vec![u32::MAX; self.len()];
        let mut path = Vec::new();
        loop {
            let first_seen = seen[node as usize];
            if first_seen != u32::MAX {
                return path.split_off(first_seen as usize);
            }
            seen[node as usize] = u32::try_from(path.len()).unwrap_or(0);
            path.push(node);
            match self.dependencies(node).iter().copied().find(unfinished) {
                Some(next) => node = next,
                None => return path,
            }
        }
    }

    /// For each node the length of the longest chain of work that waits on it: the ready-queue
    /// takes the highest first.
    pub fn heights(&self, order: &[u32]) -> Vec<u32> {
        let mut heights = vec![0_u32; self.len()];
        for node in order.iter().rev() {
            let above = heights[*node as usize] + 1;
            for dependency in self.dependencies(*node) {
                let slot = &mut heights[*dependency as usize];
                *slot = (*slot).max(above);
            }
        }
        heights
    }
}

/// A set of numbers that gives its lowest: a tree of bits, 64 to a word. Its cost hardly grows with
/// the set, and a million numbers take 130 KB.
struct Lowest(Vec<Vec<u64>>);

impl Lowest {
    /// An empty set of numbers below `n`.
    fn new(n: usize) -> Lowest {
        let mut levels = Vec::new();
        let mut words = n;
        loop {
            words = words.div_ceil(64).max(1);
            levels.push(vec![0; words]);
            if words == 1 {
                return Lowest(levels);
            }
        }
    }

    fn insert(&mut self, number: u32) {
        let mut at = number as usize;
        for level in &mut self.0 {
            level[at / 64] |= 1 << (at % 64);
            at /= 64;
        }
    }

    fn pop(&mut self) -> Option<u32> {
        let mut at = 0;
        for level in self.0.iter().rev() {
            let word = level[at];
            if word == 0 {
                return None;
            }
            at = at * 64 + word.trailing_zeros() as usize;
        }
        let found = u32::try_from(at).ok();
        for level in &mut self.0 {
            let word = &mut level[at / 64];
            *word &= !(1 << (at % 64));
            if *word != 0 {
                break;
            }
            at /= 64;
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn cycles_are_paths() {
        let graph = Graph::new([vec![1], vec![2], vec![1], vec![0]]);
        assert_eq!(graph.order(), Err(vec![1, 2]));
    }

    #[test]
    fn the_lowest_comes_first_at_any_size() {
        for n in [0_u32, 1, 64, 65, 5000, 300_000] {
            let mut set = Lowest::new(n as usize);
            assert_eq!(set.pop(), None);
            let some: Vec<u32> = (0..n).filter(|at| at % 3 == n % 3).collect();
            for at in some.iter().rev() {
                set.insert(*at);
            }
            let popped: Vec<u32> = std::iter::from_fn(|| set.pop()).collect();
            assert_eq!(popped, some);
        }
    }

    proptest! {
        #[test]
        fn orders_respect_edges(edges in prop::collection::vec((0_u32..60, 0_u32..60), 0..300)) {
            // Edges go down, so there is no cycle.
            let mut lists = vec![Vec::new(); 60];
            for (a, b) in edges {
                if a > b { lists[a as usize].push(b); }
            }
            let graph = Graph::new(lists.clone());
            let order = graph.order().unwrap();
            let mut position = vec![0; 60];
            for (index, node) in order.iter().enumerate() { position[*node as usize] = index; }
            for (node, list) in lists.iter().enumerate() {
                for dependency in list { prop_assert!(position[*dependency as usize] < position[node]); }
            }
            let heights = graph.heights(&order);
            for (node, list) in lists.iter().enumerate() {
                for dependency in list { prop_assert!(heights[*dependency as usize] > heights[node]); }
            }
        }
    }
}
