//! The conformance suite, against the fake of release 2.5.3. (`it` runs it against 1.23.17.)

mod support;

use std::process::ExitCode;

use fabrik_fakes::kuma::Release;

fn main() -> ExitCode {
    support::suite(Release::V2).run()
}
