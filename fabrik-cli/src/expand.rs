//! What apps expand to, as the YAML of raw resources.

use std::time::Duration;

use fabrik_core::address::Address;
use fabrik_core::expr::{Expr, Reference, Target};
use fabrik_core::stack::{Declared, OnDrift, Stack};
use fabrik_core::value::Value;
use fabrik_core::yaml;

/// A resource as it is written: its keys in the order a person expects.
pub(crate) type Written = Vec<(&'static str, Value)>;

/// The resources of a stack below an address (all when empty) as a `resources:` block.
///
/// Expressions are kept. Secrets stand as the references they came from; a secret that is written
/// out anywhere is masked.
pub(crate) fn resources(stack: &Stack, below: &str) -> Vec<Written> {
    let chosen: Vec<&Declared> = stack
        .resources
        .values()
        .filter(|declared| below.is_empty() || declared.address.matches(below))
        .collect();
    chosen
        .iter()
        .map(|declared| resource(declared, below))
        .collect()
}

/// Everything of a stack, as YAML text.
pub(crate) fn stack_text(stack: &Stack) -> String {
    text(resources(stack, ""))
}

/// Resources as YAML text, each with its id and type first.
pub(crate) fn text(resources: Vec<Written>) -> String {
    let mut text = String::from("resources:\n");
    for resource in resources {
        let mut lead = "  - ";
        for (key, value) in resource {
            for line in yaml::to_text(&Value::map([(key, value)])).lines() {
                text.push_str(format!("{lead}{line}").trim_end());
                text.push('\n');
                lead = "    ";
            }
        }
    }
    text
}

/// Resources as one value.
pub(crate) fn value(resources: Vec<Written>) -> Value {
    Value::map([(
        "resources",
        Value::list(resources.into_iter().map(Value::map)),
    )])
}

/// The id an address gets among raw resources: ids have no dots.
pub(crate) fn id_of(address: &Address) -> String {
    let text = address.as_str();
    let text = text
        .strip_prefix("resources.")
        .or_else(|| text.strip_prefix("apps."))
        .unwrap_or(text);
    text.chars()
        .map(|c| {
            if c.is_ascii_alphanumeric() || c == '_' || c == '-' {
                c
            } else {
                '-'
            }
        })
        .collect::<String>()
        .trim_matches('-')
        .to_owned()
}

fn resource(declared: &Declared, below: &str) -> Written {
    let mut pairs: Written = vec![
        ("id", Value::from(id_of(&declared.address).as_str())),
        ("type", Value::from(&*declared.type_name)),
    ];
    let provider = declared.type_name.split('.').next().unwrap_or_default();
    if &*declared.instance != provider {
        pairs.push(("provider", Value::from(&*declared.instance)));
    }
    pairs.push(("spec", written(&declared.inputs, below)));
    if !declared.depends_on.is_empty() {
        pairs.push(("depends_on", ids(&declared.depends_on)));
    }
    let options = &declared.options;
    for (name, set) in [
        ("protect", options.protect),
        ("retain", options.retain),
        ("adopt", options.adopt),
    ] {
        if set {
            pairs.push((name, Value::from(true)));
        }
    }
    if !options.ignore_changes.is_empty() {
        let paths = options.ignore_changes.iter();
        pairs.push((
            "ignore_changes",
            Value::list(paths.map(|path| Value::from(path.to_string().as_str()))),
        ));
    }
    match options.on_drift {
        None => {}
        Some(OnDrift::Restore) => pairs.push(("on_drift", Value::from("restore"))),
        Some(OnDrift::Keep) => pairs.push(("on_drift", Value::from("keep"))),
        Some(OnDrift::Stop) => pairs.push(("on_drift", Value::from("stop"))),
    }
    if let Some(first) = options.create_before_delete {
        pairs.push(("create_before_delete", Value::from(first)));
    }
    if let Some(timeout) = options.timeout {
        pairs.push(("timeout", Value::from(seconds(timeout).as_str())));
    }
    for (name, addresses) in [
        ("replace_with", &options.replace_with),
        ("run_when_changed", &options.run_when_changed),
    ] {
        if !addresses.is_empty() {
            pairs.push((name, ids(addresses)));
        }
    }
    pairs
}

fn ids(addresses: &[Address]) -> Value {
    Value::list(
        addresses
            .iter()
            .map(|address| Value::from(id_of(address).as_str())),
    )
}

fn seconds(duration: Duration) -> String {
    format!("{}s", duration.as_secs())
}

/// Inputs as a person writes them: references by the ids resources get, literal `${` escaped.
fn written(value: &Value, below: &str) -> Value {
    match value {
        Value::Expr(expr) => Value::from(renamed(expr, below).to_string().as_str()),
        Value::Str(text) if text.contains("${") => Value::from(text.replace("${", "$${").as_str()),
        Value::List(items) => Value::list(items.iter().map(|item| written(item, below))),
        Value::Map(map) => Value::map(
            map.iter()
                .map(|(key, item)| (key.clone(), written(item, below))),
        ),
        Value::Secret(inner) if inner.has_unknown() => written(inner, below),
        other => other.masked(),
    }
}

/// The expression with addresses of ejected parts replaced by the ids they get.
fn renamed(expr: &Expr, below: &str) -> Expr {
    match expr {
        Expr::Ref(reference) => {
            let target = match &reference.target {
                Target::Resource(address) if !below.is_empty() && address.matches(below) => {
                    Address::resource(&id_of(address))
                        .map_or_else(|_| reference.target.clone(), Target::Resource)
                }
                other => other.clone(),
            };
            Expr::Ref(Reference {
                target,
                path: reference.path.clone(),
            })
        }
        Expr::Literal(value) => Expr::Literal(value.clone()),
        Expr::Concat(parts) => {
            Expr::Concat(parts.iter().map(|part| renamed(part, below)).collect())
        }
        Expr::Call(function, arguments) => Expr::Call(
            *function,
            arguments.iter().map(|part| renamed(part, below)).collect(),
        ),
        Expr::Equal(left, right) => {
            Expr::Equal(renamed(left, below).into(), renamed(right, below).into())
        }
        Expr::NotEqual(left, right) => {
            Expr::NotEqual(renamed(left, below).into(), renamed(right, below).into())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use fabrik_core::value::Path;

    #[test]
    fn parts_become_resources_that_refer_to_each_other() {
        let mut stack = Stack::new("shop");
        let service = Address::parse("apps.api.service").unwrap();
        let port = Expr::from(Reference::output(service.clone(), Path::parse("port")));
        let inputs = Value::map([
            ("target", Value::from(port)),
            ("key", Value::from(Expr::from(Reference::secret("KEY")))),
            ("text", Value::from("a ${b}")),
            ("clear", Value::secret("canary-canary")),
        ]);
        let route = Address::parse("apps.api.route").unwrap();
        let service = Declared::new(
            service,
            "local.service",
            Value::map([("a", Value::from(true))]),
        );
        stack.declare(service).unwrap();
        stack
            .declare(Declared::new(route, "local.route", inputs))
            .unwrap();
        insta::assert_snapshot!(text(resources(&stack, "apps.api")), @r#"
        resources:
          - id: api-route
            type: local.route
            spec:
              clear: "(secret)"
              key: "${secrets.KEY}"
              target: "${resources.api-service.port}"
              text: "a $${b}"
          - id: api-service
            type: local.service
            spec:
              a: true
        "#);
    }
}
