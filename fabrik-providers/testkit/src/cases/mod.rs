//! The cases. Each is a function from a fresh world to a verdict, with a rule when it applies.

mod calls;
mod credentials;
mod drift;
mod import;
mod life;
mod lost;
mod many;
mod observe;
mod purity;
mod refuse;
mod schema;
mod secrecy;
mod transport;
mod upgrade;
mod values;

use fabrik_core::clock::BoxFuture;
use fabrik_core::provider::Mode;

use crate::suite::world::Verdict;
use crate::suite::{Facts, Need};

pub(crate) use crate::suite::Ctx;

/// What a case is run for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scope {
    /// Once.
    Provider,
    /// Each resource.
    Resource,
    /// Each lookup.
    Lookup,
    /// Each action.
    Action,
    /// Each resource, lookup and action.
    Type,
}

/// One case.
#[derive(Clone)]
pub(crate) struct Case {
    /// Its number: `L5`.
    pub(crate) id: &'static str,
    /// Its name: `update_keeps_the_id`.
    pub(crate) slug: &'static str,
    /// What holds, in a line.
    pub(crate) about: &'static str,
    /// What it is run for.
    pub(crate) scope: Scope,
    /// Whether it applies.
    pub(crate) need: fn(&Facts<'_>) -> Need,
    /// The case.
    pub(crate) run: fn(Ctx) -> BoxFuture<'static, Verdict>,
}

/// A case, briefly.
macro_rules! case {
    ($scope:ident $id:literal $slug:literal $about:literal $need:expr, $run:path) => {
        $crate::cases::Case {
            id: $id,
            slug: $slug,
            about: $about,
            scope: $crate::cases::Scope::$scope,
            need: $need,
            run: |ctx| Box::pin($run(ctx)),
        }
    };
}
pub(crate) use case;

/// Every case, in the order of its number.
pub(crate) fn cases() -> Vec<Case> {
    let mut all = [
        schema::cases(),
        credentials::cases(),
        life::cases(),
        values::cases(),
        import::cases(),
        drift::cases(),
        transport::cases(),
        lost::cases(),
        refuse::cases(),
        many::cases(),
        secrecy::cases(),
        purity::cases(),
        upgrade::cases(),
        observe::cases(),
        calls::cases(),
    ]
    .concat();
    all.sort_by_key(|case| place(case.id));
    all
}

/// The order of groups, then of numbers.
fn place(id: &str) -> (usize, u32) {
    let (group, number) = id.split_at(1);
    let group = "SCLFGVIDRXPUOQA".find(group).unwrap_or(usize::MAX);
    (group, number.parse().unwrap_or_default())
}

/// Applies to whatever has samples.
pub(crate) fn always(facts: &Facts<'_>) -> Need {
    let Some(samples) = facts.samples else {
        return Need::Run;
    };
    if samples.minimal.is_none() && samples.maximal.is_none() {
        return Need::Missing(format!(
            "declare .minimal and .maximal of `{}`",
            samples.type_name
        ));
    }
    if facts.info().is_some_and(|info| info.mode == Mode::Managed) && samples.minimal.is_none() {
        return Need::Missing("declare .minimal".to_owned());
    }
    Need::Run
}

/// Unless there is something to test with, this is missing.
pub(crate) fn unless(declared: bool, case: &str, sample: &str) -> Need {
    if declared {
        Need::Run
    } else {
        Need::Missing(format!("declare {sample} or waive {case}"))
    }
}

pub(crate) fn updatable(facts: &Facts<'_>) -> bool {
    facts.info().is_some_and(|info| {
        let in_place = |field: &fabrik_core::provider::Fields| !field.replace;
        info.updatable && info.fields.properties.values().any(in_place)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_readme_lists_every_case() {
        let rows = cases().into_iter().map(|case| {
            let name = format!("{}_{}", case.id, case.slug);
            format!("| `{name}` | {} |\n", case.about)
        });
        let table: String = rows.collect();
        let table = format!("\n| case | what holds |\n| --- | --- |\n{table}");
        let readme = include_str!("../../README.md");
        let listed = readme.split("<!-- cases -->").nth(1).unwrap_or_default();
        let listed = listed.split("<!-- end -->").next().unwrap_or_default();
        assert_eq!(listed, table, "{table}");
    }

    #[test]
    fn every_case_of_the_design_is_there() {
        let groups = [
            ("S", 8),
            ("C", 6),
            ("L", 17),
            ("I", 4),
            ("D", 4),
            ("R", 14),
            ("X", 6),
            ("P", 3),
            ("U", 2),
            ("O", 3),
        ];
        let have: Vec<&str> = cases().iter().map(|case| case.id).collect();
        for (group, count) in groups {
            for number in 1..=count {
                let id = format!("{group}{number}");
                assert!(have.contains(&id.as_str()), "there is no {id}");
            }
        }
        assert_eq!(have.len(), 67 + 9);
    }
}
