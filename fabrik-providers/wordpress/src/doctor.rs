//! How a site is, for `fabrik doctor`.

use fabrik_core::provider::{Cx, Health};

use crate::request::Facts;
use crate::site::Site;

/// The oldest WordPress that is supported, and the oldest on which everything can be used.
const OLDEST: (u32, u32) = (6, 1);
const WHOLE: (u32, u32) = (6, 3);
/// Rights that are needed for content.
const NEEDED: [&str; 4] = [
    "manage_options",
    "edit_theme_options",
    "publish_pages",
    "unfiltered_html",
];
/// How far the site's clock may be off, in seconds.
const CLOCK: i64 = 60;

impl Site {
    /// Looks at the site.
    pub(crate) async fn examine(cx: &Cx, site: &Site) -> Vec<Health> {
        site.forget_facts().await;
        let facts = match site.facts(cx).await {
            Ok(facts) => facts,
            Err(error) => return vec![Health::error("site", &error)],
        };
        let mut found = vec![Health::ok(
            "site",
            format!("{} answers by {}", facts.url, site.channel().name()),
        )];
        found.push(version(&facts));
        found.push(Health::ok("php", facts.php.clone()));
        found.push(database(&facts));
        found.push(permissions(&facts));
        found.push(clock(&facts, cx.clock().now().as_second()));
        if !facts.url.starts_with("https://") && !is_loopback(&facts.url) {
            found.push(
                Health::warn(
                    "https",
                    "the site's address begins with `http://`: passwords can be read on their way",
                )
                .hint("get a certificate, then change the site's address"),
            );
        }
        if facts.multisite {
            found.push(Health::warn("network", "the site is one of a network, which is not tested")
                .hint("an administrator of one site of a network lacks rights: set `user` to a super admin"));
        }
        found
    }
}

fn version(facts: &Facts) -> Health {
    let (number, version) = (facts.version(), &facts.wordpress);
    if number < OLDEST {
        return Health::fail("wordpress", format!("{version} is older than 6.1"))
            .hint("update WordPress");
    }
    if number < WHOLE {
        return Health::warn("wordpress", format!("{version} knows no `details` block"))
            .hint("update WordPress to 6.3 or newer; until then questions of an FAQ are headings");
    }
    Health::ok("wordpress", version.clone())
}

fn database(facts: &Facts) -> Health {
    let kind = &facts.database;
    if facts.atomic {
        return Health::ok(
            "database",
            format!("{kind}, writes are wholly done or not at all"),
        );
    }
    Health::warn(
        "database",
        format!(
            "{kind} keeps its tables in {}, which knows no transactions",
            facts.engine
        ),
    )
    .hint("convert the tables to InnoDB, so that a failed run changes nothing")
}

fn permissions(facts: &Facts) -> Health {
    if facts.user.is_empty() {
        return Health::fail("account", "the site has no administrator")
            .hint("make one with `wp user create`, or set `user` of the provider");
    }
    let missing: Vec<&str> = NEEDED
        .into_iter()
        .filter(|right| facts.lacks.iter().any(|lacked| lacked == right))
        .collect();
    if missing.is_empty() {
        return Health::ok("account", format!("`{}` may do everything", facts.user));
    }
    Health::fail(
        "account",
        format!("`{}` lacks {}", facts.user, missing.join(", ")),
    )
    .hint("set `user` of the provider to an administrator's login")
}

fn clock(facts: &Facts, now: i64) -> Health {
    let off = facts.now - now;
    if off.abs() <= CLOCK {
        return Health::ok("clock", "agrees with ours");
    }
    Health::warn("clock", format!("the site's clock is {off} s off"))
        .hint("dates of posts and application passwords go by it: set the clock")
}

fn is_loopback(url: &str) -> bool {
    ["http://127.", "http://localhost", "http://[::1]"]
        .iter()
        .any(|begin| url.starts_with(begin))
}

#[cfg(test)]
mod tests {
    use fabrik_core::provider::Verdict;

    use super::*;

    #[test]
    fn what_is_wrong_is_said() {
        let good = Facts {
            wordpress: "6.8.1".into(),
            atomic: true,
            user: "admin".into(),
            ..Facts::default()
        };
        assert_eq!(version(&good).verdict, Verdict::Ok);
        assert_eq!(permissions(&good).verdict, Verdict::Ok);
        let old = |number: &str| Facts {
            wordpress: number.into(),
            ..good.clone()
        };
        assert_eq!(version(&old("5.9")).verdict, Verdict::Fail);
        assert_eq!(version(&old("6.1.9")).verdict, Verdict::Warn);
        let lacking = Facts {
            lacks: vec!["unfiltered_html".into(), "install_plugins".into()],
            ..good.clone()
        };
        assert_eq!(permissions(&lacking).text, "`admin` lacks unfiltered_html");
        let isam = Facts {
            atomic: false,
            engine: "MyISAM".into(),
            ..good.clone()
        };
        assert_eq!(database(&isam).verdict, Verdict::Warn);
        assert_eq!(clock(&good, 3600).verdict, Verdict::Warn);
    }
}
