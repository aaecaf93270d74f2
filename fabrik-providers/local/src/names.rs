//! Which names are allowed. Names become file names, so the rules are narrow.

use crate::error::Error;
use crate::model::RouteSpec;

/// Longest name.
const LONGEST: usize = 63;

/// Checks the name of a service, route, site or bucket.
pub(crate) fn check(field: &str, name: &str) -> Result<(), Error> {
    let starts_well = name
        .bytes()
        .next()
        .is_some_and(|first| first.is_ascii_alphanumeric());
    let chars = name
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte));
    if starts_well && chars && name.len() <= LONGEST {
        return Ok(());
    }
    Err(Error::invalid(
        field,
        format!(
            "`{name}` must start with a letter or digit, go on with letters, digits, `.`, `_`, \
             `-`, and have at most {LONGEST} characters"
        ),
    ))
}

/// Checks the name of something that the agent keeps for another thing: `@` and a name. Nobody else
/// can give such a name.
pub(crate) fn check_kept(field: &str, name: &str) -> Result<(), Error> {
    check(field, name.strip_prefix('@').unwrap_or(name))
}

/// Whether a host is this machine by definition: `localhost` and every name below it.
pub(crate) fn is_local(host: &str) -> bool {
    let host = host.trim_end_matches('.').to_ascii_lowercase();
    host == "localhost" || host.ends_with(".localhost")
}

/// Checks a host name under `localhost` and puts it into the form in which names are compared.
pub(crate) fn local_host(field: &str, host: &str) -> Result<String, Error> {
    let name = host.trim_end_matches('.').to_ascii_lowercase();
    let good = name.strip_suffix(".localhost").is_some_and(|rest| {
        let rest = rest.strip_prefix("*.").unwrap_or(rest);
        rest.split('.').all(is_label)
    });
    if good {
        return Ok(name);
    }
    let message = format!("`{host}` is not a name under `localhost`, such as `shop.localhost`");
    Err(Error::invalid(field, message))
}

fn is_label(label: &str) -> bool {
    !label.is_empty()
        && label.len() <= LONGEST
        && label
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
}

/// Checks the caller's operation id.
pub(crate) fn check_op_id(op_id: &str) -> Result<(), Error> {
    if op_id.is_empty() || op_id.len() > 200 {
        return Err(Error::invalid("op_id", "must have 1 to 200 characters"));
    }
    Ok(())
}

/// Checks a route and puts its hosts and prefix into the form in which they are compared.
pub(crate) fn normalize_route(spec: &RouteSpec) -> Result<RouteSpec, Error> {
    let mut spec = spec.clone();
    if spec.hosts.is_empty() {
        return Err(Error::invalid("hosts", "at least one host is needed"));
    }
    for host in &mut spec.hosts {
        *host = host.trim_end_matches('.').to_ascii_lowercase();
        let name = host.strip_prefix("*.").unwrap_or(host);
        if !name.split('.').all(is_label) {
            return Err(Error::invalid(
                "hosts",
                format!("`{host}` is not a host name"),
            ));
        }
    }
    if let Some(prefix) = &mut spec.path_prefix {
        if !prefix.starts_with('/') || prefix.contains(['?', '#']) {
            return Err(Error::invalid(
                "path_prefix",
                format!("`{prefix}` must start with `/`"),
            ));
        }
        prefix.truncate(prefix.trim_end_matches('/').len());
    }
    spec.path_prefix = spec.path_prefix.filter(|prefix| !prefix.is_empty());
    Ok(spec)
}

#[cfg(test)]
mod tests {
    use super::{check, local_host, normalize_route};
    use crate::model::{RouteSpec, Target};

    #[test]
    fn names_stay_inside_their_directory() {
        assert!(check("name", "shop.api-2").is_ok());
        for bad in ["", ".", "..", "a/b", "-x", "a b", &"x".repeat(64)] {
            assert!(check("name", bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn only_names_under_localhost_are_local() {
        assert_eq!(
            local_host("name", "Shop.Localhost.").unwrap(),
            "shop.localhost"
        );
        assert!(local_host("name", "*.shop.localhost").is_ok());
        for bad in [
            "localhost",
            "shop.test",
            ".localhost",
            "a..localhost",
            "a b.localhost",
        ] {
            assert!(local_host("name", bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn routes_are_normalized() {
        let spec =
            RouteSpec::host("Shop.Localhost.", Target::Site("s".into())).below("/api/", true);
        let spec = normalize_route(&spec).unwrap();
        assert_eq!(spec.hosts, ["shop.localhost"]);
        assert_eq!(spec.path_prefix.as_deref(), Some("/api"));
        let root = RouteSpec::host("a.localhost", Target::Site("s".into())).below("/", false);
        assert_eq!(normalize_route(&root).unwrap().path_prefix, None);
        let bad = RouteSpec::host("a..localhost", Target::Site("s".into()));
        assert!(normalize_route(&bad).is_err());
    }
}
