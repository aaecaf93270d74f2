//! What Fabrik brings: the kinds of apps, and the local provider's resident agent.

use std::ffi::OsString;
use std::net::IpAddr;
use std::path::{Path, PathBuf};

use fabrik_core::error::{Error, ErrorKind, Result};
use fabrik_core::value::Value;
use fabrik_exec::BaseEnv;
use fabrik_provider_local::{
    AgentConfig, AgentLaunch, Client, LocalSettings, run_agent, stored_status,
};

use crate::app::App;
use crate::args::duration;
use crate::host::Host;
use crate::world;

/// Variables every process of the agent gets: it lives long, so no tokens.
const PASSED_ON: [&str; 9] = [
    "PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG", "LC_ALL", "TZ", "TMPDIR",
];

/// Adds the kinds of apps.
pub(crate) fn kinds(mut app: App) -> App {
    for kind in fabrik_core::kinds::all() {
        app = app.component(kind);
    }
    app.component(std::sync::Arc::new(fabrik_wordpress::Wordpress))
}

/// Adds the providers, and their helper processes.
pub(crate) fn providers(app: App) -> App {
    app.helper("local", local_agent).register(|registry, host| {
        let settings = fabrik_providers::Settings::new()
            .local(local_settings(host))
            .wordpress(programs(host), folder(host));
        fabrik_providers::register(registry, &settings);
    })
}

/// The spec's folder.
fn folder(host: &Host) -> PathBuf {
    std::path::absolute(&host.dir).unwrap_or_else(|_| host.dir.clone())
}

/// What programs find that providers start, such as `ssh` and `docker`.
fn programs(host: &Host) -> BaseEnv {
    let value = |name: &str| host.env.get(name).map(String::as_str);
    let mut env = BaseEnv::new(value("PATH").unwrap_or("/usr/local/bin:/usr/bin:/bin"));
    if let Some(home) = value("HOME") {
        env = env.home(home);
    }
    if let Some(socket) = value("SSH_AUTH_SOCK") {
        env = env.ssh_auth_sock(socket);
    }
    for name in [
        "LANG",
        "LC_ALL",
        "TZ",
        "TMPDIR",
        "DOCKER_HOST",
        "DOCKER_CONTEXT",
        "CONTAINER_HOST",
    ] {
        if let Some(value) = value(name) {
            env = env.variable(name, value);
        }
    }
    env
}

/// The local provider keeps what it runs beside the spec, under an agent that is this program.
fn local_settings(host: &Host) -> LocalSettings {
    let dir = folder(host);
    let program = host.program.clone();
    let env: Vec<(OsString, OsString)> = PASSED_ON
        .iter()
        .filter_map(|name| Some(((*name).into(), host.env.get(*name)?.into())))
        .collect();
    LocalSettings::new(
        agent_folder(&dir, &host.environment),
        dir,
        move |state_dir, port| {
            let mut launch = AgentLaunch::new(&program, state_dir);
            launch.args = vec!["agent".into(), "local".into(), state_dir.into()];
            if let Some(port) = port {
                launch
                    .args
                    .extend(["--port".into(), port.to_string().into()]);
            }
            launch.env.clone_from(&env);
            launch
        },
    )
}

/// Where the agent of an environment keeps things: environments are kept apart.
fn agent_folder(dir: &Path, environment: &str) -> PathBuf {
    let name = match environment {
        "default" => "local".to_owned(),
        environment => format!("local-{environment}"),
    };
    dir.join(".fabrik").join(name)
}

/// How the local provider's agent is.
pub(crate) enum Agent {
    /// It runs: its process, and where it answers.
    Runs(String),
    /// It does not run, though there is something for it to serve.
    Gone,
    /// There is nothing for it to do.
    Unneeded,
}

/// Looks at the agent of a spec in a directory, given the provider's configuration; starts none.
pub(crate) async fn agent_of(dir: &Path, environment: &str, config: &Value) -> Agent {
    let dir = std::path::absolute(dir).unwrap_or_else(|_| dir.to_path_buf());
    let state = match config.get("state_dir").and_then(Value::as_str) {
        Some(state) => dir.join(state),
        None => agent_folder(&dir, environment),
    };
    if let Ok(status) = Client::new(&state).status().await {
        let listen: Vec<String> = status
            .listen
            .iter()
            .map(|address| format!("http://{address}"))
            .collect();
        let pid = status.pid.map(|pid| format!("pid {pid}"));
        let known = pid.into_iter().chain(listen).collect::<Vec<_>>();
        return Agent::Runs(format!("its agent runs: {}", known.join(", ")));
    }
    match stored_status(&state) {
        Ok(stored) if !stored.services.is_empty() || !stored.sites.is_empty() => Agent::Gone,
        _ => Agent::Unneeded,
    }
}

/// `fabrik agent local STATE_DIR [--port N] [--address IP]… [--idle-exit DURATION]`.
fn local_agent(host: &Host, words: &[OsString]) -> Result<()> {
    let mut config = agent_config(words).ok_or_else(|| {
        let takes =
            "`agent local` takes STATE_DIR [--port N] [--address IP]… [--idle-exit DURATION]";
        Error::new(ErrorKind::Invalid, takes)
    })?;
    for name in PASSED_ON {
        if let Some(value) = host.env.get(name) {
            config.base_env = config.base_env.with(name, value.as_str());
        }
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(|error| Error::new(ErrorKind::Io, "no threads can be started").cause(error))?;
    runtime
        .block_on(run_agent(config))
        .map_err(|error| Error::new(ErrorKind::Unavailable, format!("the agent ended: {error}")))
}

fn agent_config(words: &[OsString]) -> Option<AgentConfig> {
    let (state_dir, flags) = words.split_first()?;
    let mut config = AgentConfig::new(PathBuf::from(state_dir), world::system_time);
    env!("CARGO_PKG_VERSION").clone_into(&mut config.version);
    let mut addresses: Vec<IpAddr> = Vec::new();
    for pair in flags.chunks(2) {
        let [flag, value] = pair else { return None };
        let value = value.to_str()?;
        match flag.to_str()? {
            "--port" => config.port = value.parse().ok()?,
            "--address" => addresses.push(value.parse().ok()?),
            "--idle-exit" => config.idle_exit = duration(value).ok()?,
            _ => return None,
        }
    }
    if !addresses.is_empty() {
        config.addresses = addresses;
    }
    Some(config)
}
