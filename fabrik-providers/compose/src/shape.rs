//! Which keys a Compose file may have, and what stands under each. Reading and writing walk the
//! same tables; keys are in the order in which they are written.
//!
//! After the Compose specification's schema (`compose-spec.json`).

/// What stands under a key.
pub(crate) enum Kind {
    /// Anything.
    Any,
    /// Text; a number counts as text.
    Text,
    /// One of a few words.
    Word(&'static [&'static str]),
    /// `true` or `false`.
    Flag,
    /// A whole number.
    Whole,
    /// A length of time: `1m30s`.
    Duration,
    /// An amount of memory: `512m`.
    Size,
    /// One, or a list of them.
    Some(&'static Kind),
    /// A list.
    List(&'static Kind),
    /// A line, or a list of words.
    Command,
    /// A map of texts, or a list of `NAME=VALUE`.
    Pairs,
    /// Any names, each with the same kind.
    Map(&'static Kind),
    /// Known keys.
    Block(&'static Block),
    /// A block, or a text that stands for one of its keys.
    Short(&'static str, &'static Block),
    /// A map of blocks, or a list of their names.
    Named(&'static Block),
    /// Ports.
    Ports,
    /// Mounts.
    Mounts,
    /// A limit of the kernel: a number, or both its parts.
    Ulimit,
    /// `NAME:ADDRESS` or a map.
    Hosts,
}

/// Known keys.
pub(crate) struct Block {
    /// What it is, in words.
    pub(crate) what: &'static str,
    /// The keys in the order in which they are written.
    pub(crate) rows: &'static [Row],
}

/// One key.
pub(crate) struct Row {
    pub(crate) key: &'static str,
    pub(crate) kind: Kind,
    /// Whether the model has a field for it.
    pub(crate) is_modelled: bool,
}

impl Block {
    pub(crate) fn row(&self, key: &str) -> Option<&'static Row> {
        self.rows.iter().find(|row| row.key == key)
    }
}

const fn is(key: &'static str, kind: Kind) -> Row {
    Row {
        key,
        kind,
        is_modelled: true,
    }
}

/// Kept as it stands.
const fn rare(key: &'static str, kind: Kind) -> Row {
    Row {
        key,
        kind,
        is_modelled: false,
    }
}

macro_rules! block {
    ($name:ident, $what:literal, $($row:expr),+ $(,)?) => {
        pub(crate) static $name: Block = Block { what: $what, rows: &[$($row),+] };
    };
}

block!(
    FILE,
    "the file",
    rare("version", Kind::Text),
    is("name", Kind::Text),
    rare("include", Kind::Any),
    is("services", Kind::Map(&Kind::Block(&SERVICE))),
    is("networks", Kind::Map(&Kind::Block(&NETWORK))),
    is("volumes", Kind::Map(&Kind::Block(&VOLUME))),
    is("secrets", Kind::Map(&Kind::Block(&SOURCE))),
    is("configs", Kind::Map(&Kind::Block(&SOURCE))),
    rare("models", Kind::Any),
);

block!(
    SERVICE,
    "a service",
    rare("extends", Kind::Any),
    rare("provider", Kind::Any),
    is("image", Kind::Text),
    is("build", Kind::Short("context", &BUILD)),
    rare("pull_policy", Kind::Text),
    rare("pull_refresh_after", Kind::Text),
    rare("platform", Kind::Text),
    rare("container_name", Kind::Text),
    rare("hostname", Kind::Text),
    rare("domainname", Kind::Text),
    is("profiles", Kind::List(&Kind::Text)),
    is("restart", Kind::Text),
    is("init", Kind::Flag),
    is("user", Kind::Text),
    is("working_dir", Kind::Text),
    is("entrypoint", Kind::Command),
    is("command", Kind::Command),
    is("env_file", Kind::Some(&Kind::Short("path", &ENV_FILE))),
    is("environment", Kind::Pairs),
    is("depends_on", Kind::Named(&DEPENDENCY)),
    is("ports", Kind::Ports),
    is("expose", Kind::List(&Kind::Text)),
    rare("network_mode", Kind::Text),
    is("networks", Kind::Named(&ATTACHMENT)),
    is("volumes", Kind::Mounts),
    rare("volumes_from", Kind::List(&Kind::Text)),
    is("tmpfs", Kind::Some(&Kind::Text)),
    is("secrets", Kind::List(&Kind::Short("source", &USE))),
    is("configs", Kind::List(&Kind::Short("source", &USE))),
    is("healthcheck", Kind::Block(&HEALTHCHECK)),
    is("stop_signal", Kind::Text),
    is("stop_grace_period", Kind::Duration),
    is("deploy", Kind::Block(&DEPLOY)),
    is("labels", Kind::Pairs),
    is("logging", Kind::Block(&LOGGING)),
    is("ulimits", Kind::Map(&Kind::Ulimit)),
    is("cap_add", Kind::List(&Kind::Text)),
    is("cap_drop", Kind::List(&Kind::Text)),
    is("read_only", Kind::Flag),
    is("extra_hosts", Kind::Hosts),
    rare("privileged", Kind::Flag),
    rare("security_opt", Kind::List(&Kind::Text)),
    rare("annotations", Kind::Pairs),
    rare("attach", Kind::Flag),
    rare("blkio_config", Kind::Any),
    rare("cgroup", Kind::Word(&["host", "private"])),
    rare("cgroup_parent", Kind::Text),
    rare("cpu_count", Kind::Whole),
    rare("cpu_percent", Kind::Whole),
    rare("cpu_period", Kind::Text),
    rare("cpu_quota", Kind::Text),
    rare("cpu_rt_period", Kind::Text),
    rare("cpu_rt_runtime", Kind::Text),
    rare("cpu_shares", Kind::Whole),
    rare("cpus", Kind::Text),
    rare("cpuset", Kind::Text),
    rare("credential_spec", Kind::Any),
    rare("develop", Kind::Any),
    rare("device_cgroup_rules", Kind::List(&Kind::Text)),
    rare("devices", Kind::List(&Kind::Any)),
    rare("dns", Kind::Some(&Kind::Text)),
    rare("dns_opt", Kind::List(&Kind::Text)),
    rare("dns_search", Kind::Some(&Kind::Text)),
    rare("external_links", Kind::List(&Kind::Text)),
    rare("gpus", Kind::Any),
    rare("group_add", Kind::List(&Kind::Text)),
    rare("ipc", Kind::Text),
    rare("isolation", Kind::Text),
    rare("label_file", Kind::Some(&Kind::Text)),
    rare("links", Kind::List(&Kind::Text)),
    rare("mac_address", Kind::Text),
    rare("mem_limit", Kind::Size),
    rare("mem_reservation", Kind::Size),
    rare("mem_swappiness", Kind::Whole),
    rare("memswap_limit", Kind::Size),
    rare("models", Kind::Any),
    rare("oom_kill_disable", Kind::Flag),
    rare("oom_score_adj", Kind::Whole),
    rare("pid", Kind::Text),
    rare("pids_limit", Kind::Whole),
    rare("post_start", Kind::Any),
    rare("pre_stop", Kind::Any),
    rare("runtime", Kind::Text),
    rare("scale", Kind::Whole),
    rare("shm_size", Kind::Size),
    rare("stdin_open", Kind::Flag),
    rare("storage_opt", Kind::Any),
    rare("sysctls", Kind::Pairs),
    rare("tty", Kind::Flag),
    rare("use_api_socket", Kind::Flag),
    rare("userns_mode", Kind::Text),
    rare("uts", Kind::Text),
);

block!(
    BUILD,
    "`build`",
    is("context", Kind::Text),
    is("dockerfile", Kind::Text),
    is("dockerfile_inline", Kind::Text),
    is("target", Kind::Text),
    is("args", Kind::Pairs),
    is("secrets", Kind::List(&Kind::Short("source", &USE))),
    is("labels", Kind::Pairs),
    rare("additional_contexts", Kind::Pairs),
    rare("cache_from", Kind::List(&Kind::Text)),
    rare("cache_to", Kind::List(&Kind::Text)),
    rare("entitlements", Kind::List(&Kind::Text)),
    rare("extra_hosts", Kind::Any),
    rare("isolation", Kind::Text),
    rare("network", Kind::Text),
    rare("no_cache", Kind::Flag),
    rare("platforms", Kind::List(&Kind::Text)),
    rare("privileged", Kind::Flag),
    rare("provenance", Kind::Text),
    rare("pull", Kind::Flag),
    rare("sbom", Kind::Text),
    rare("shm_size", Kind::Size),
    rare("ssh", Kind::Any),
    rare("tags", Kind::List(&Kind::Text)),
    rare("ulimits", Kind::Any),
);

block!(
    ENV_FILE,
    "an `env_file`",
    is("path", Kind::Text),
    is("required", Kind::Flag),
    is("format", Kind::Text),
);

block!(
    PORT,
    "a port",
    is("target", Kind::Text),
    is("published", Kind::Text),
    is("host_ip", Kind::Text),
    is("protocol", Kind::Text),
    is("mode", Kind::Word(&["host", "ingress"])),
    is("name", Kind::Text),
    is("app_protocol", Kind::Text),
);

block!(
    MOUNT,
    "a mount",
    is(
        "type",
        Kind::Word(&["volume", "bind", "tmpfs", "npipe", "cluster", "image"])
    ),
    is("source", Kind::Text),
    is("target", Kind::Text),
    is("read_only", Kind::Flag),
    rare("consistency", Kind::Text),
    rare("bind", Kind::Any),
    rare("volume", Kind::Any),
    rare("tmpfs", Kind::Any),
    rare("image", Kind::Any),
);

block!(
    ATTACHMENT,
    "a service's place in a network",
    is("aliases", Kind::List(&Kind::Text)),
    is("ipv4_address", Kind::Text),
    is("ipv6_address", Kind::Text),
    rare("driver_opts", Kind::Any),
    rare("gw_priority", Kind::Whole),
    rare("interface_name", Kind::Text),
    rare("link_local_ips", Kind::List(&Kind::Text)),
    rare("mac_address", Kind::Text),
    rare("priority", Kind::Whole),
);

block!(
    DEPENDENCY,
    "a dependency",
    is(
        "condition",
        Kind::Word(&[
            "service_started",
            "service_healthy",
            "service_completed_successfully"
        ])
    ),
    is("restart", Kind::Flag),
    is("required", Kind::Flag),
);

block!(
    HEALTHCHECK,
    "a health check",
    is("disable", Kind::Flag),
    is("test", Kind::Command),
    is("interval", Kind::Duration),
    is("timeout", Kind::Duration),
    is("retries", Kind::Whole),
    is("start_period", Kind::Duration),
    is("start_interval", Kind::Duration),
);

block!(
    DEPLOY,
    "`deploy`",
    rare("mode", Kind::Text),
    is("replicas", Kind::Whole),
    is("resources", Kind::Block(&RESOURCES)),
    is("labels", Kind::Pairs),
    rare("endpoint_mode", Kind::Text),
    rare("placement", Kind::Any),
    rare("restart_policy", Kind::Any),
    rare("rollback_config", Kind::Any),
    rare("update_config", Kind::Any),
);

block!(
    RESOURCES,
    "`resources`",
    is("limits", Kind::Block(&AMOUNTS)),
    is("reservations", Kind::Block(&AMOUNTS)),
);

block!(
    AMOUNTS,
    "limits",
    is("cpus", Kind::Text),
    is("memory", Kind::Size),
    is("pids", Kind::Whole),
    rare("devices", Kind::Any),
    rare("generic_resources", Kind::Any),
);

block!(
    USE,
    "the use of a secret or config",
    is("source", Kind::Text),
    is("target", Kind::Text),
    is("uid", Kind::Text),
    is("gid", Kind::Text),
    is("mode", Kind::Text),
);

block!(
    LOGGING,
    "`logging`",
    is("driver", Kind::Text),
    is("options", Kind::Pairs),
);

block!(
    ULIMIT,
    "a limit",
    is("soft", Kind::Whole),
    is("hard", Kind::Whole),
);

block!(
    NETWORK,
    "a network",
    is("name", Kind::Text),
    is("external", Kind::Flag),
    is("internal", Kind::Flag),
    is("driver", Kind::Text),
    rare("driver_opts", Kind::Any),
    rare("ipam", Kind::Any),
    rare("attachable", Kind::Flag),
    rare("enable_ipv4", Kind::Flag),
    rare("enable_ipv6", Kind::Flag),
    is("labels", Kind::Pairs),
);

block!(
    VOLUME,
    "a volume",
    is("name", Kind::Text),
    is("external", Kind::Flag),
    is("driver", Kind::Text),
    is("driver_opts", Kind::Pairs),
    is("labels", Kind::Pairs),
);

block!(
    SOURCE,
    "a secret or config",
    is("name", Kind::Text),
    is("external", Kind::Flag),
    is("file", Kind::Text),
    is("environment", Kind::Text),
    is("content", Kind::Text),
    rare("driver", Kind::Text),
    rare("driver_opts", Kind::Any),
    rare("template_driver", Kind::Text),
    is("labels", Kind::Pairs),
);
