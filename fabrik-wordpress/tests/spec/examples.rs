//! The example sites: without mistakes, and as large as they are meant to be.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use fabrik_core::value::to_wire_masked;

use super::support::{load_in, told};

/// Name of each example, which is its preset too.
const SITES: &[&str] = &["company", "landing", "saas", "ecommerce", "content"];

fn folder(site: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../examples/wordpress")
        .join(site)
}

#[test]
fn examples_are_whole_sites() {
    let mut counts = Vec::new();
    for site in SITES {
        let dir = folder(site);
        let text = std::fs::read_to_string(dir.join(format!("{site}.yaml"))).unwrap();
        let loaded = load_in(&dir, &text);
        assert_eq!(told(&loaded), Vec::<String>::new(), "{site}");
        let stack = loaded.stack.unwrap();
        let mut types: BTreeMap<&str, usize> = BTreeMap::new();
        let mut sections = 0;
        for part in stack.resources.values() {
            let kind = part.type_name.strip_prefix("wordpress.").unwrap();
            *types.entry(kind).or_default() += 1;
            if kind == "page" {
                let inputs = to_wire_masked(&part.inputs);
                sections += inputs["sections"].as_array().unwrap().len();
            }
        }
        assert!(types["page"] >= 10, "{site}");
        assert!(sections >= 40, "{site}: {sections}");
        assert!(types["menu"] >= 2, "{site}");
        assert!(types["media"] >= 5, "{site}");
        assert!(types["form"] >= 1, "{site}");
        assert!(types["seo_page"] >= 1, "{site}");
        counts.push(format!(
            "{site}: {sections} sections, {} checks, {types:?}",
            stack.checks.len()
        ));
    }
    insta::assert_snapshot!("counts", counts.join("\n"));
}

/// Pictures stay small, so that the repository does.
#[test]
fn pictures_are_small() {
    for site in SITES {
        for file in std::fs::read_dir(folder(site).join("images")).unwrap() {
            let size = file.unwrap().metadata().unwrap().len();
            assert!(size < 60_000, "{site}: {size}");
        }
    }
}

/// What a site becomes fits what the provider takes, wherever it has the type.
#[test]
fn resources_fit_the_provider() {
    let provider = fabrik_provider_wordpress::provider(fabrik_exec::BaseEnv::new("/usr/bin"));
    let types = &fabrik_core::provider::Provider::info(&provider).types;
    let mut wrong = Vec::new();
    for site in SITES {
        let dir = folder(site);
        let text = std::fs::read_to_string(dir.join(format!("{site}.yaml"))).unwrap();
        let stack = load_in(&dir, &text).stack.unwrap();
        for part in stack.resources.values() {
            let Some(info) = types.iter().find(|info| info.name == part.type_name) else {
                continue;
            };
            let validator = jsonschema::draft202012::new(&info.schema).unwrap();
            let inputs = to_wire_masked(&part.inputs);
            for error in validator.iter_errors(&inputs) {
                wrong.push(format!(
                    "{site} {} {}: {error}",
                    part.address,
                    error.instance_path()
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
