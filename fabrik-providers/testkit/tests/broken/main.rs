//! A suite that cannot fail is worthless: each bug of a provider is caught by its case, and by no
//! other. Bugs that do not meet share a provider, because each provider runs the whole suite.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test may panic and tell"
)]

#[path = "../acme/mod.rs"]
mod service;

use std::collections::BTreeSet;

use fabrik_testkit::Ended;

/// The cases that fail for a provider with these bugs.
fn failing(bugs: &[&str]) -> BTreeSet<String> {
    let bugs: &'static str = bugs.join("|").leak();
    failed(service::notes(bugs).outcomes(&[]))
}

fn failed(ended: Vec<(String, Ended)>) -> BTreeSet<String> {
    let mut ids = BTreeSet::new();
    for (name, ended) in ended {
        if let Ended::Failed(why) = ended {
            println!("{name}: {why}");
            let case = name.split("::").nth(1).unwrap_or(&name);
            ids.insert(case.split('_').next().unwrap_or(case).to_owned());
        }
    }
    ids
}

macro_rules! caught {
    ($($test:ident { $($bug:literal by $($case:literal),+;)+ })+) => {$(
        #[test]
        fn $test() {
            let expected = [$($($case),+),+].map(str::to_owned);
            assert_eq!(failing(&[$($bug),+]), BTreeSet::from(expected));
        }
    )+};
}

caught! {
    connecting {
        "no schema" by "S1", "S3", "S5";
        "no variable in the hint" by "C2";
        "permission without a name" by "C4";
        "down is a bug" by "C5";
        "pages are JSON" by "C6";
        "no request id" by "R13";
        "no user agent" by "O2";
        "nothing is a bug" by "Q2";
        "acts by reading" by "A1";
    }
    declaring {
        "says nothing of a field" by "S2";
        "a wrong example" by "S3";
        "takes any field" by "S4";
        "an open password" by "S6";
        "an output called vars" by "S8";
        "an output that is not there" by "L1";
        "can be moved" by "L7";
        "cares for case" by "L15";
        "takes empty titles" by "V1";
    }
    waiting {
        // A new object has nothing of what was not managed on the old one.
        "replaces for a title" by "L5", "L6";
        "ignores seconds" by "R1";
        "ignores dates" by "R2";
        "gives up at 503" by "R3";
        "upgrades nothing" by "U1";
        "no events" by "O1";
    }
    changing {
        "replaces all" by "L6";
        "gone is an error" by "L10", "L11";
        "needs more than an id" by "I1", "I3";
        "no shape of ids" by "I2";
        "token in the query" by "X6";
        "says nothing" by "O3";
    }
    reading {
        "keeps what is unset" by "L13";
        "cannot spell" by "L16";
        "sees more than there is" by "D1";
        "refusals without a field" by "R12";
        "asks again and again" by "R14";
        "logs the token" by "X1";
        "ids in routes" by "O1";
    }
    failing_quietly {
        "a 500 did nothing" by "R4";
        "tells what it heard" by "X2";
        "keeps its token" by "X4";
        "counts in its facts" by "P2";
    }
    cutting {
        // Each of them cuts a connection.
        "a cut did nothing" by "R5", "R9", "F1";
        "tells its token" by "X3";
        "panics at unknowns" by "P3";
    }
    half_way {
        "no checkpoint" by "R8";
        "reads one by one" by "G1";
    }
    losing {
        "finds nothing" by "F1", "R4", "R5", "R7", "R9";
    }
    planning {
        // Every apply plans, and every refresh of a group.
        "plans by writing" by "P1", "L8", "G1";
        "reads the first page" by "I4", "R10";
    }
    crowding {
        "crowds the service" by "R11";
    }
}

#[test]
fn nothing_is_wrong_with_a_good_provider() {
    assert_eq!(failed(service::suite("").outcomes(&[])), BTreeSet::new());
}
