//! The services, each behind a proxy, and a spec over all of them.

use std::net::SocketAddr;
use std::sync::Arc;

use fabrik_core::clock::VirtualClock;
use fabrik_fakes::cloudflare::{self, Cloudflare};
use fabrik_fakes::coolify::{self, Coolify, Kind};
use fabrik_fakes::kuma::{self, Kuma, Release};
use fabrik_fakes::namecheap::Namecheap;
use fabrik_testkit::Wire;
use fabrik_testkit::proxy::Proxy;
use fabrik_testkit::stack::{Stage, StageBuilder, virtual_clock};
use serde_json::{Map, Value as Json, json};

use crate::server::Server;

/// How many records the zone gets.
pub(crate) const RECORDS: usize = 300;

/// Five services and their proxies.
pub(crate) struct Cast {
    pub(crate) cloudflare: Cloudflare,
    pub(crate) coolify: Coolify,
    pub(crate) kuma: Arc<Kuma>,
    pub(crate) powerdns: Server,
    pub(crate) namecheap: Namecheap,
    pub(crate) proxies: Vec<(Proxy, Wire)>,
    clock: VirtualClock,
}

impl Cast {
    pub(crate) fn start() -> Cast {
        let clock = virtual_clock();
        let cloudflare = Cloudflare::start();
        // A free zone holds 200 records.
        let zone = cloudflare.add_zone("example.com");
        cloudflare.set_plan(&zone, cloudflare::Plan::Pro);
        let coolify = Coolify::start("4.3.10");
        let kuma = Arc::new(Kuma::start(Release::V2));
        let powerdns = Server::start();
        let namecheap = Namecheap::start();
        namecheap.register("shop.test");
        let proxies = [
            (cloudflare.address(), Wire::Http),
            (coolify.address(), Wire::Http),
            (kuma.address(), Wire::WebSocket),
            (powerdns.address(), Wire::Http),
            (namecheap.address(), Wire::Http),
        ]
        .map(|(upstream, wire)| {
            // What lands later lands by the engine's time.
            let clock = Arc::new(clock.clone());
            (Proxy::with_clock(upstream, wire, clock), wire)
        })
        .into();
        Cast {
            cloudflare,
            coolify,
            kuma,
            powerdns,
            namecheap,
            proxies,
            clock,
        }
    }

    /// A stage whose providers talk through the proxies.
    pub(crate) fn stage(&self) -> StageBuilder {
        let at = |index: usize| self.proxies[index].0.address();
        let configs = self.configs(&at);
        let of = |name: &str| configs[name].clone();
        Stage::builder()
            .clock(self.clock.clone())
            .provider(fabrik_provider_cloudflare::provider(), of("cloudflare"))
            .provider(fabrik_provider_coolify::provider(), of("coolify"))
            .provider(fabrik_provider_uptime_kuma::provider(), of("uptime_kuma"))
            .provider(fabrik_provider_powerdns::provider(), of("powerdns"))
            .provider(fabrik_provider_namecheap::provider(), of("namecheap"))
    }

    /// The services' own addresses, in the order of the proxies.
    pub(crate) fn direct(&self, at: usize) -> SocketAddr {
        [
            self.cloudflare.address(),
            self.coolify.address(),
            self.kuma.address(),
            self.powerdns.address(),
            self.namecheap.address(),
        ][at]
    }

    /// The providers' configurations, by name, with the services at these addresses.
    pub(crate) fn configs(&self, at: &dyn Fn(usize) -> SocketAddr) -> Json {
        json!({
            "cloudflare": {
                "endpoint": format!("http://{}/client/v4", at(0)),
                "token": cloudflare::TOKEN,
                "account": cloudflare::ACCOUNT,
            },
            "coolify": {
                "endpoint": format!("http://{}", at(1)),
                "token": coolify::TOKEN,
                "requests_per_minute": 100_000,
            },
            "uptime_kuma": {
                "url": format!("http://{}", at(2)),
                "username": kuma::USER,
                "password": kuma::PASSWORD,
            },
            "powerdns": Server::config(at(3)),
            "namecheap": Namecheap::config(at(4)),
        })
    }

    /// A zone with its records, an application and a compose service with variables and secrets, two
    /// monitors and a status page, and an internal zone.
    pub(crate) fn spec(&self, records: usize, secret: &str) -> Json {
        let server = self.coolify.server_uuid();
        let mut resources = Map::new();
        let mut add = |id: &str, of: &str, spec: Json| {
            resources.insert(id.to_owned(), json!({"type": of, "spec": spec}));
        };
        add("zone", "cloudflare.zone", json!({"name": "example.com"}));
        for n in 0..records {
            add(
                &format!("r{n}"),
                "cloudflare.dns_record",
                json!({
                    "zone": "${resources.zone.name}", "name": format!("h{n}"), "type": "A",
                    "values": [format!("192.0.2.{}", n % 250 + 1)], "ttl": 300,
                }),
            );
        }
        add(
            "inner",
            "powerdns.zone",
            json!({"name": "inner.test", "kind": "Native"}),
        );
        for n in 0..records.div_ceil(10) {
            add(
                &format!("i{n}"),
                "powerdns.record_set",
                json!({
                    "zone": "${resources.inner.name}", "name": format!("h{n}"), "type": "A",
                    "values": [format!("10.0.0.{}", n % 250 + 1)], "ttl": 60,
                }),
            );
        }
        for n in 0..3 {
            add(
                &format!("n{n}"),
                "namecheap.record_set",
                json!({
                    "domain": "shop.test", "name": format!("h{n}"), "type": "A",
                    "values": [format!("198.51.100.{}", n + 1)],
                }),
            );
        }
        add("shop", "coolify.project", json!({"name": "shop"}));
        add(
            "api",
            "coolify.application",
            json!({
                "project": "${resources.shop.id}", "server": server, "name": "api",
                "image": "nginx:1.27", "ports": [80], "domains": ["https://h0.example.com"],
            }),
        );
        add(
            "api_env",
            "coolify.env",
            json!({
                "application": "${resources.api.id}",
                "variables": {"LOG_LEVEL": "info", "TOKEN": secret},
            }),
        );
        add(
            "stack",
            "coolify.service",
            json!({
                "project": "${resources.shop.id}", "server": server, "name": "stack",
                "compose": "services:\n  web:\n    image: nginx:1.27\n",
            }),
        );
        add(
            "stack_env",
            "coolify.env",
            json!({"service": "${resources.stack.id}", "variables": {"KEY": secret}}),
        );
        for name in ["front", "back"] {
            add(
                name,
                "uptime_kuma.monitor",
                json!({"name": name, "type": "http", "url": format!("https://{name}.example.com/")}),
            );
        }
        add(
            "page",
            "uptime_kuma.status_page",
            json!({
                "slug": "shop", "title": "Shop",
                "groups": [{"name": "All", "monitors": [
                    {"monitor": "${resources.front.id}"}, {"monitor": "${resources.back.id}"},
                ]}],
            }),
        );
        resources["zone"]["adopt"] = json!(true);
        json!({"on_failure": "keep", "resources": resources})
    }

    /// How many objects of each kind the services have.
    pub(crate) fn counts(&self) -> Json {
        let zone = self.cloudflare.zone_id("example.com");
        let records = zone.map_or(0, |zone| self.cloudflare.records(&zone).len());
        let inner = self.powerdns.dump();
        let sets = inner["inner.test."]["rrsets"].as_object();
        json!({
            "zones": self.cloudflare.zone_names(),
            "records": records,
            "inner": sets.map_or(0, serde_json::Map::len),
            "hosts": self.namecheap.domain("shop.test").map_or(0, |domain| domain.hosts.len()),
            "projects": self.coolify.count(Kind::Project),
            "applications": self.coolify.count(Kind::Application),
            "services": self.coolify.count(Kind::Service),
            "monitors": self.kuma.count("uptime_kuma.monitor"),
            "pages": self.kuma.count("uptime_kuma.status_page"),
        })
    }
}
