//! The spec of what was detected.

use super::{Detected, Origin};

impl Detected {
    /// The spec, with a comment on where each value came from.
    pub fn spec(&self) -> String {
        let name = &self.name;
        let mut lines = vec![
            "# yaml-language-server: $schema=.fabrik/schema.json".to_owned(),
            format!(
                "# Written by `fabrik new --from`: {}. Look through it; `fabrik plan` shows what it would do.",
                self.what
            ),
            "fabrik: 1".to_owned(),
            format!("id: {name}"),
            "apps:".to_owned(),
            format!("  {name}:"),
            format!("    kind: {}", self.kind),
            self.source(),
        ];
        if let Some(port) = &self.port {
            lines.push(format!("    port: {} # {}", port.value, port.from));
        }
        if let Some(health) = &self.health {
            lines.push(field(4, "health", health));
        }
        if !self.env.is_empty() {
            lines.push("    env:".to_owned());
        }
        for variable in &self.env {
            let (name, value) = &variable.value;
            lines.push(format!(
                "      {name}: {} # {}",
                scalar(value),
                variable.from
            ));
        }
        if !self.secrets.is_empty() {
            lines.push(
                "    secrets: # looked up in the environment and `.env`; never written here"
                    .to_owned(),
            );
        }
        for secret in &self.secrets {
            lines.push(format!("      - {} # {}", secret.value, secret.from));
        }
        if self.kind == "service" {
            if self.dockerfile && self.command.is_some() {
                lines.push(
                    "    build: { pack: dockerfile } # Dockerfile, in a container".to_owned(),
                );
            }
            self.local(&mut lines);
        } else if let Some(build) = &self.build {
            lines.push(field(4, "build", build));
        }
        lines.push(String::new());
        lines.join("\n")
    }

    fn source(&self) -> String {
        let folder = self.folder.as_ref().map_or(".", |folder| &folder.value);
        match (&self.repo, &self.folder) {
            (Some(repo), _) => format!(
                "    source: {{ path: {}, repo: {} }} # {}",
                scalar(folder),
                scalar(&repo.value),
                repo.from
            ),
            (None, Some(folder)) => field(4, "source", folder),
            (None, None) => "    source: . # this folder".to_owned(),
        }
    }

    /// How it runs without a container.
    fn local(&self, lines: &mut Vec<String>) {
        lines.push("    local: # without a container".to_owned());
        for (name, step) in [("install", &self.install), ("build", &self.build)] {
            lines.extend(step.as_ref().map(|step| field(6, name, step)));
        }
        lines.push(match &self.command {
            Some(command) => field(6, "command", command),
            None => "      # command: what starts it; its port is in $PORT".to_owned(),
        });
        lines.push("      port: auto # told to the program in $PORT".to_owned());
    }
}

fn field(indent: usize, name: &str, found: &Origin<String>) -> String {
    format!(
        "{:indent$}{name}: {} # {}",
        "",
        scalar(&found.value),
        found.from
    )
}

/// A YAML scalar: in quotes where it could be read as something else.
pub(super) fn scalar(text: &str) -> String {
    let is_plain = !text.is_empty()
        && !text.starts_with(|first: char| "-?:,[]{}#&*!|>'\"%@` ".contains(first))
        && !text.contains(": ")
        && !text.contains(" #")
        && !text.ends_with([':', ' '])
        && text.parse::<f64>().is_err()
        && !matches!(
            text,
            "true" | "false" | "null" | "~" | "yes" | "no" | "on" | "off"
        )
        && !text.contains(|c: char| c.is_control() || ",[]{}".contains(c));
    if is_plain {
        text.to_owned()
    } else {
        // A JSON string is a YAML scalar.
        serde_json::Value::from(text).to_string()
    }
}
