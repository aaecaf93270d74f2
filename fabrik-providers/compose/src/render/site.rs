//! Static sites: files behind nginx.

use std::fmt::Write as _;

use fabrik_core::error::Result;
use fabrik_core::value::Value;

use super::{Draft, at, invalid, unsupported};
use crate::interpolate::escape;
use crate::model::{Build, Command, Given, Healthcheck};

/// What serves the files.
const IMAGE: &str = "nginx:1.28-alpine";

impl Draft<'_, '_> {
    pub(super) fn site(&mut self) -> Result<()> {
        self.service.restart = Some("unless-stopped".to_owned());
        let has_own = self.at("build.dockerfile").is_some()
            || self.known("build.pack")?.as_deref() == Some("dockerfile");
        if has_own {
            self.service.build = Some(self.build()?);
            self.leave_out(&[
                ("spa", "the image of your Dockerfile serves the files"),
                ("not_found", "the image of your Dockerfile serves the files"),
                ("headers", "the image of your Dockerfile serves the files"),
                ("redirects", "the image of your Dockerfile serves the files"),
            ]);
        } else {
            if self.at("build.command").is_some() {
                let text = "Compose builds by Dockerfile: there is none that runs `build.command`";
                return Err(unsupported("build.command", text)
                    .hint("name one with `build.dockerfile`, or build first and give the result as `source`"));
            }
            let output = self.known("build.output")?;
            let folder = output
                .as_deref()
                .map_or(".", |folder| folder.trim_start_matches("./"));
            self.service.build = Some(Build {
                context: Some(self.context()?),
                dockerfile_inline: Some(escape(&format!(
                    "FROM {IMAGE}\nCOPY {folder} /usr/share/nginx/html\n"
                ))),
                ..Build::default()
            });
            let conf = self.conf()?;
            self.config("nginx", "/etc/nginx/conf.d/default.conf", conf, None);
        }
        self.service.expose = vec!["80".to_owned()];
        self.service.healthcheck = Some(Healthcheck {
            test: Some(Command::list([
                "CMD-SHELL",
                "wget -q -O /dev/null http://127.0.0.1/ || exit 1",
            ])),
            interval: Some("10s".to_owned()),
            timeout: Some("5s".to_owned()),
            retries: Some(Given::Is(3)),
            ..Healthcheck::default()
        });
        Ok(())
    }

    /// nginx's configuration. Texts of the spec are refused where they would end a directive.
    fn conf(&mut self) -> Result<String> {
        let mut out = String::from(
            "server {\n  listen 80;\n  listen [::]:80;\n  root /usr/share/nginx/html;\n  index index.html;\n",
        );
        let redirects = self.at("redirects");
        for (index, redirect) in redirects
            .as_ref()
            .and_then(Value::as_list)
            .unwrap_or_default()
            .iter()
            .enumerate()
        {
            let field = format!("redirects[{index}]");
            let text = |key: &str| at(redirect, key).and_then(|it| it.as_str().map(str::to_owned));
            let (Some(from), Some(to)) = (text("from"), text("to")) else {
                return Err(invalid(
                    &field,
                    "a redirect has `from` and `to`, known when the file is written",
                ));
            };
            let status = at(redirect, "status")
                .and_then(|it| it.as_i64())
                .unwrap_or(301);
            if from.starts_with('/') {
                let (from, to) = (quoted(&from, &field)?, quoted(&to, &field)?);
                let _ = writeln!(out, "  location = {from} {{ return {status} {to}; }}");
            } else {
                let text = format!(
                    "`{field}` of `{}` is left out: the proxy before the containers knows host names",
                    self.app.name
                );
                self.note(text);
            }
        }
        let headers = self.at("headers");
        let mut for_all = String::new();
        for (pattern, pairs) in headers
            .as_ref()
            .and_then(Value::as_map)
            .into_iter()
            .flatten()
        {
            let field = format!("headers.{pattern}");
            let mut lines = String::new();
            for (name, value) in pairs.as_map().into_iter().flatten() {
                let value = value.as_str().unwrap_or_default();
                let (name, value) = (quoted(name, &field)?, quoted(value, &field)?);
                let _ = writeln!(lines, "    add_header {name} {value} always;");
            }
            match pattern.strip_suffix('*') {
                Some("/") => for_all = lines,
                prefix => {
                    let sign = if prefix.is_some() { "^~" } else { "=" };
                    let path = quoted(prefix.unwrap_or(pattern), &field)?;
                    let _ = writeln!(out, "  location {sign} {path} {{\n{lines}  }}");
                }
            }
        }
        let is_spa = self.at("spa").and_then(|on| on.as_bool()) == Some(true);
        let last = if is_spa { "/index.html" } else { "=404" };
        let _ = writeln!(
            out,
            "  location / {{\n{for_all}    try_files $uri $uri/ {last};\n  }}"
        );
        if let Some(page) = self.known("not_found")? {
            let page = quoted(&format!("/{}", page.trim_start_matches('/')), "not_found")?;
            let _ = writeln!(out, "  error_page 404 {page};");
        }
        out.push_str("}\n");
        Ok(escape(&out))
    }
}

/// A text in nginx's quotes.
fn quoted(text: &str, field: &str) -> Result<String> {
    if text.contains(['"', '\\', '\n', '\r', '$', '{', '}']) {
        return Err(invalid(
            field,
            format!("`{field}` has signs that nginx would take for its own"),
        )
        .hint("leave out quotes, backslashes, `$` and braces"));
    }
    Ok(format!("\"{text}\""))
}
