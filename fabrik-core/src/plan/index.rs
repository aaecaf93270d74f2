//! A stack's resources by number, so that planning follows references without looking up names.

use std::collections::{BTreeMap, HashMap};

use crate::address::Address;
use crate::error::Result;
use crate::expr::{Target, each_reference};
use crate::graph::Graph;
use crate::stack::{Declared, Stack};
use crate::value::share::Quick;

/// Resources by number, in the order of their addresses.
pub(crate) struct Index<'a> {
    /// The resources.
    pub(crate) declared: Vec<&'a Declared>,
    /// What each must come after: what it names itself, and what its provider's configuration
    /// refers to.
    pub(crate) graph: Graph,
    numbers: HashMap<&'a Address, u32, Quick>,
}

impl<'a> Index<'a> {
    /// Numbers the resources of a stack. Each is shown to `visit` first, while it is looked at
    /// anyway: with many resources, touching each once is what counts.
    ///
    /// # Errors
    /// The first that `visit` reports.
    pub(crate) fn new(
        stack: &'a Stack,
        visit: &mut dyn FnMut(&'a Declared) -> Result<()>,
    ) -> Result<Index<'a>> {
        let declared: Vec<&Declared> = stack.resources.values().collect();
        let mut numbers = HashMap::with_capacity_and_hasher(declared.len(), Quick::default());
        for (declared, number) in declared.iter().zip(0..) {
            visit(declared)?;
            numbers.insert(&declared.address, number);
        }
        let mut configs: BTreeMap<&str, Vec<u32>> = BTreeMap::new();
        for (name, instance) in &stack.instances {
            each_reference(&instance.config, &mut |reference| {
                if let Target::Resource(address) = &reference.target
                    && let Some(number) = numbers.get(address)
                {
                    configs.entry(name).or_default().push(*number);
                }
            });
        }
        let mut graph = Graph::with_capacity(declared.len());
        let mut list = Vec::new();
        for declared in &declared {
            declared.each_dependency(&mut |address| list.extend(numbers.get(address)));
            list.extend(configs.get(&*declared.instance).into_iter().flatten());
            graph.push(list.drain(..));
        }
        Ok(Index {
            declared,
            graph,
            numbers,
        })
    }

    /// The number of an address that is declared.
    pub(crate) fn number(&self, address: &Address) -> Option<u32> {
        self.numbers.get(address).copied()
    }

    /// The resource of an address.
    pub(crate) fn get(&self, address: &Address) -> Option<&'a Declared> {
        Some(self.declared[self.number(address)? as usize])
    }
}
