//! Compose texts, compared by what they mean.

use fabrik_core::spec::parse::parse;
use fabrik_core::value::Value;
use fabrik_core::yaml::to_text;

/// A compose text in one spelling: Coolify reads and writes it anew, so that comments, quotes and
/// indents say nothing. `Err` with what is wrong with it.
pub(crate) fn canonical(text: &str) -> Result<String, String> {
    let mut problems = Vec::new();
    let node = parse(text, 0, &mut problems);
    if let Some(problem) = problems
        .iter()
        .find(|problem| problem.severity == fabrik_core::diagnostic::Severity::Error)
    {
        return Err(problem.summary.clone());
    }
    let value = node.map(|node| node.plain_value()).unwrap_or_default();
    if value
        .get("services")
        .and_then(Value::as_map)
        .is_none_or(fabrik_core::value::Map::is_empty)
    {
        return Err("it has no `services`".to_owned());
    }
    Ok(to_text(&value))
}

/// The names of its containers.
pub(crate) fn containers(text: &str) -> Vec<String> {
    let node = parse(text, 0, &mut Vec::new());
    let value = node.map(|node| node.plain_value()).unwrap_or_default();
    let services = value.get("services").and_then(Value::as_map);
    services
        .into_iter()
        .flatten()
        .map(|(name, _)| name.to_string())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spelling_does_not_matter_and_meaning_does() {
        let one = "# stack\nservices:\n    web:\n        image: \"nginx:1.27\"\n        ports: ['80:80']\n        environment:\n            DEBUG: 'true'\n";
        let two = "services:\n  web:\n    image: 'nginx:1.27'\n    ports:\n      - '80:80'\n    environment:\n      DEBUG: \"true\"\n";
        assert_eq!(canonical(one).unwrap(), canonical(two).unwrap());
        let three = two.replace("\"true\"", "true");
        assert_ne!(canonical(two).unwrap(), canonical(&three).unwrap());
        let text = canonical(one).unwrap();
        assert_eq!(canonical(&text).unwrap(), text);
        assert_eq!(containers(one), ["web"]);
    }

    #[test]
    fn what_is_no_stack_is_said() {
        assert_eq!(
            canonical("version: '3'").unwrap_err(),
            "it has no `services`"
        );
        assert!(canonical("services: [").is_err());
    }
}
