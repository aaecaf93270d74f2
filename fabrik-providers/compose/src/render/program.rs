//! Programs: services, workers and what runs by schedule.

use fabrik_core::error::Result;
use fabrik_core::expr;
use fabrik_core::value::Value;
use fabrik_core::verify::parse_duration;
use serde_json::Value as Json;

use super::{BACK, Draft, FRONT, at, invalid, size, unsupported};
use crate::interpolate::escape;
use crate::model::{
    Amounts, Build, Command, Dependency, Deploy, Given, Healthcheck, Mount, Resources, Source, Use,
    Volume,
};

/// The port of programs that name none; they are told it in `PORT`.
const PORT: &str = "3000";

/// The port a program listens on.
pub(super) fn port(intent: &Value) -> String {
    if at(intent, "kind").as_ref().and_then(Value::as_str) == Some("static") {
        return "80".to_owned();
    }
    at(intent, "port")
        .and_then(|port| port.as_i64())
        .map_or_else(|| PORT.to_owned(), |port| port.to_string())
}

impl Draft<'_, '_> {
    pub(super) fn runtime(&mut self, has_databases: bool) -> Result<()> {
        let kind = self.known("kind")?.unwrap_or_default();
        match kind.as_str() {
            "service" | "worker" | "cron" => self.program(&kind)?,
            "static" => self.site()?,
            other => {
                let text = format!("Compose has nothing for apps of kind `{other}`");
                return Err(unsupported("kind", text));
            }
        }
        self.join(FRONT);
        if has_databases && kind != "static" {
            self.join(BACK);
        }
        limits(self)?;
        self.domains();
        self.leave_out(&[
            ("tls", "the proxy before the containers ends TLS"),
            ("hooks", "run such commands with `docker compose run --rm`"),
            ("strategy", "Compose stops first and starts then"),
            ("stop.drain", "Compose has no such time"),
            ("limits.disk", "Compose limits no disk"),
            (
                "build.secrets",
                "give them with `docker compose build --secret`",
            ),
        ]);
        Ok(())
    }

    fn program(&mut self, kind: &str) -> Result<()> {
        self.service.restart = Some("unless-stopped".to_owned());
        self.service.init = Some(Given::Is(true));
        match self.some("image")? {
            Some(image) => self.service.image = Some(image),
            None => self.service.build = Some(self.build()?),
        }
        self.service.command = self.command("command")?;
        self.environment()?;
        if kind == "service" {
            let port = port(&self.app.intent);
            if self.at("port").is_none() {
                let said = self.service.environment.entry("PORT".to_owned());
                said.or_insert_with(|| Some(port.clone()));
            }
            self.service.expose = vec![port];
        }
        self.health()?;
        self.mounts()?;
        self.files()?;
        if let Some(count) = self.at("replicas").and_then(|count| count.as_i64()) {
            let deploy = self.service.deploy.get_or_insert_with(Deploy::default);
            deploy.replicas = Some(Given::Is(u64::try_from(count).unwrap_or_default()));
        }
        self.service.stop_grace_period = self.known("stop.grace")?;
        self.service.stop_signal = self.known("stop.signal")?;
        if kind == "cron" {
            self.schedule()?;
        }
        self.leave_out(&[("redirects", "the proxy before the containers redirects")]);
        Ok(())
    }

    /// Compose starts nothing by the clock: the service is there to be run.
    fn schedule(&mut self) -> Result<()> {
        self.service.restart = Some("no".to_owned());
        self.service.profiles = vec!["cron".to_owned()];
        for (field, key) in [("schedule", "x-schedule"), ("timezone", "x-timezone")] {
            if let Some(text) = self.known(field)? {
                self.service.other.insert(key.to_owned(), Json::from(text));
            }
        }
        let when = self.known("schedule")?.unwrap_or_default();
        let name = &self.app.name;
        let text = format!(
            "Compose has no schedules: let the server's cron run `docker compose run --rm {name}` at `{when}`"
        );
        self.note(text);
        Ok(())
    }

    pub(super) fn build(&mut self) -> Result<Build> {
        let pack = self.known("build.pack")?;
        match pack.as_deref() {
            None | Some("auto" | "dockerfile") => {}
            Some(other) => {
                let text = format!("Compose builds by Dockerfile, not by `{other}`");
                return Err(
                    unsupported("build.pack", text).hint("write a Dockerfile, or name an `image`")
                );
            }
        }
        let mut build = Build {
            context: Some(self.context()?),
            dockerfile: self.some("build.dockerfile")?,
            target: self.some("build.target")?,
            ..Build::default()
        };
        if let Some(args) = self.at("build.args") {
            for (name, value) in args.as_map().into_iter().flatten() {
                let text = self.text(value, &format!("build.args.{name}"))?;
                build.args.insert(name.to_string(), Some(text));
            }
        }
        if build.dockerfile.is_none() && self.at("build.command").is_some() {
            let text = "Compose builds by Dockerfile: there is none that runs `build.command`";
            return Err(unsupported("build.command", text)
                .hint("name one with `build.dockerfile`, or an `image`"));
        }
        Ok(build)
    }

    /// Where the build takes its files from.
    pub(super) fn context(&mut self) -> Result<String> {
        let folder = self.known("build.context")?;
        let path = self.known("source.path")?;
        let below = |first: Option<String>, second: Option<String>| match (first, second) {
            (Some(first), Some(second)) => Some(format!(
                "{}/{}",
                first.trim_end_matches('/'),
                second.trim_start_matches("./")
            )),
            (one, other) => one.or(other),
        };
        let Some(repository) = self.known("source.repo")? else {
            let local = below(path, folder).ok_or_else(|| {
                invalid("source", "Compose runs an `image`, or builds a `source`")
                    .hint("a command alone needs an image to run in")
            })?;
            let is_path = local.starts_with(['.', '/']);
            return Ok(escape(&if is_path { local } else { format!("./{local}") }));
        };
        let is_short = repository.split('/').count() == 2 && !repository.contains(':');
        let url = if is_short {
            format!("https://github.com/{repository}.git")
        } else {
            repository
        };
        let mut reference = None;
        for field in ["source.commit", "source.tag", "source.branch"] {
            reference = reference.or(self.known(field)?);
        }
        let tail = match (reference, below(path, folder)) {
            (None, None) => String::new(),
            (reference, None) => format!("#{}", reference.unwrap_or_default()),
            (reference, Some(folder)) => format!("#{}:{folder}", reference.unwrap_or_default()),
        };
        Ok(escape(&format!("{url}{tail}")))
    }

    fn environment(&mut self) -> Result<()> {
        let Some(env) = self.at("env") else {
            return Ok(());
        };
        let env = env
            .as_map()
            .ok_or_else(|| invalid("env", "`env` must be known when the file is written"))?;
        for (name, value) in env {
            let text = self.text(value, &format!("env.{name}"))?;
            self.service
                .environment
                .insert(name.to_string(), Some(text));
            // Whoever is referred to must answer first.
            for reference in expr::references(value) {
                self.wait_for(&reference);
            }
        }
        Ok(())
    }

    fn wait_for(&mut self, reference: &expr::Reference) {
        let expr::Target::Resource(address) = &reference.target else {
            return;
        };
        if let Some(other) = self.writer.database_at(address) {
            let healthy = Dependency {
                condition: Some("service_healthy".to_owned()),
                ..Dependency::default()
            };
            self.service.depends_on.insert(other, healthy);
        }
    }

    fn health(&mut self) -> Result<()> {
        let is_off = self.at("health.enabled").and_then(|on| on.as_bool()) == Some(false);
        let Some(health) = self.at("health").filter(|_| !is_off) else {
            return Ok(());
        };
        let test = match self.command("health.command")? {
            Some(Command::List(words))
                if at(&health, "command").is_some_and(|it| it.as_list().is_some()) =>
            {
                let first = ["CMD".to_owned()];
                Command::List(first.into_iter().chain(words).collect())
            }
            Some(command) => match command {
                // The line of the shell.
                Command::List(words) => Command::list(["CMD-SHELL", &words[2]]),
                line @ Command::Line(_) => line,
            },
            None => {
                let path = self.known("health.path")?.unwrap_or_else(|| "/".to_owned());
                let port = match self.known("health.port")? {
                    Some(port) => port,
                    None => port(&self.app.intent),
                };
                let url = format!("http://127.0.0.1:{port}{}", path.replace('\'', "%27"));
                let url = escape(&url);
                // One of the two is in most images.
                let line =
                    format!("wget -q -O /dev/null '{url}' || curl -fsS -o /dev/null '{url}'");
                self.leave_out(&[
                    (
                        "health.status",
                        "the check inside takes every status below 400",
                    ),
                    ("health.body", "the check inside does not look at the body"),
                    ("health.method", "the check inside asks with GET"),
                ]);
                Command::list(["CMD-SHELL", &line])
            }
        };
        let retries = self.at("health.retries").and_then(|count| count.as_i64());
        self.service.healthcheck = Some(Healthcheck {
            test: Some(test),
            interval: self.known("health.interval")?,
            timeout: self.known("health.timeout")?,
            retries: retries.map(|count| Given::Is(u64::try_from(count).unwrap_or(1))),
            start_period: self.known("health.start_period")?,
            ..Healthcheck::default()
        });
        for field in ["health.interval", "health.timeout", "health.start_period"] {
            if self
                .known(field)?
                .is_some_and(|text| parse_duration(&text).is_none())
            {
                return Err(invalid(field, format!("`{field}` is no length of time")));
            }
        }
        Ok(())
    }

    fn mounts(&mut self) -> Result<()> {
        let volumes = self.at("volumes");
        let volumes = volumes
            .as_ref()
            .and_then(Value::as_list)
            .unwrap_or_default();
        for (index, volume) in volumes.iter().enumerate() {
            let field = format!("volumes[{index}]");
            let target =
                at(volume, "path").ok_or_else(|| invalid(&field, "a volume has a `path`"))?;
            let mut mount = Mount {
                kind: "volume".to_owned(),
                target: self.text(&target, &field)?,
                read_only: at(volume, "read_only")
                    .and_then(|flag| flag.as_bool())
                    .filter(|flag| *flag)
                    .map(Given::Is),
                ..Mount::default()
            };
            if let Some(folder) = at(volume, "source") {
                mount.kind = String::from("bind");
                mount.source = Some(self.text(&folder, &field)?);
            } else {
                let own = at(volume, "name").and_then(|name| name.as_str().map(str::to_owned));
                let own = own.unwrap_or_else(|| format!("data{}", index + 1));
                // Volumes of two apps are two volumes.
                let name = format!("{}-{own}", self.app.name);
                self.rendered
                    .file
                    .volumes
                    .insert(name.clone(), Volume::default());
                mount.source = Some(name);
            }
            if at(volume, "size").is_some() {
                let text = format!(
                    "`{field}.size` of `{}` is left out: Compose limits no volume",
                    self.app.name
                );
                self.note(text);
            }
            self.service.volumes.push(mount);
        }
        Ok(())
    }

    fn files(&mut self) -> Result<()> {
        let files = self.at("files");
        let files = files.as_ref().and_then(Value::as_list).unwrap_or_default();
        for (index, file) in files.iter().enumerate() {
            let field = format!("files[{index}]");
            let (Some(path), Some(content)) = (at(file, "path"), at(file, "content")) else {
                return Err(invalid(&field, "a file has a `path` and `content`"));
            };
            let path = self.text(&path, &field)?;
            let content = self.text(&content, &format!("file{}", index + 1))?;
            let mode = at(file, "mode").and_then(|mode| mode.as_str().map(str::to_owned));
            self.config(&format!("file{}", index + 1), &path, content, mode);
        }
        Ok(())
    }

    /// A file inside, whose content stands in the Compose file.
    pub(super) fn config(
        &mut self,
        own: &str,
        target: &str,
        content: String,
        mode: Option<String>,
    ) {
        let name = format!("{}-{own}", self.app.name);
        self.service.configs.push(Use {
            source: name.clone(),
            target: Some(target.to_owned()),
            mode,
            ..Use::default()
        });
        let source = Source {
            content: Some(content),
            ..Source::default()
        };
        self.rendered.file.configs.insert(name, source);
    }

    /// Compose knows no domains; whoever reads the file finds them here.
    fn domains(&mut self) {
        let domains = self.at("domains");
        let names: Vec<Json> = domains
            .as_ref()
            .and_then(Value::as_list)
            .unwrap_or_default()
            .iter()
            .filter_map(|domain| {
                let path = at(domain, "path");
                let path = path.as_ref().and_then(Value::as_str).unwrap_or_default();
                Some(Json::from(format!(
                    "{}{path}",
                    at(domain, "name")?.as_str()?
                )))
            })
            .collect();
        if names.is_empty() {
            return;
        }
        let text = format!(
            "Compose has no domains: those of `{}` stand in `x-domains`; lead them to its port {} in your proxy",
            self.app.name,
            port(&self.app.intent)
        );
        self.note(text);
        self.service
            .other
            .insert("x-domains".to_owned(), Json::Array(names));
    }
}

/// The most it may use.
pub(super) fn limits(draft: &mut Draft<'_, '_>) -> Result<()> {
    let amounts = Amounts {
        cpus: draft.known("limits.cpu")?,
        memory: draft.known("limits.memory")?.map(|text| size(&text)),
        ..Amounts::default()
    };
    if amounts != Amounts::default() {
        let deploy = draft.service.deploy.get_or_insert_with(Deploy::default);
        deploy.resources = Some(Resources {
            limits: Some(amounts),
            reservations: None,
        });
    }
    Ok(())
}
