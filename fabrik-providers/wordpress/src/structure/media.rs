//! Files of the media library.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use fabrik_core::error::{Effect, Error, ErrorKind, Result};
use fabrik_core::hex;
use fabrik_core::provider::typed::{
    Change, Created, Found, Observed, ReadAnswer, Resource, decode, encode,
};
use fabrik_core::provider::{
    Cx, Keys, Lost, OpId, Operation, Outcome, Planned, Proposal, TypeInfo, Undo, Verb, WriteGroup,
};
use fabrik_core::value::{Path, Value};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};
use sha2::{Digest as _, Sha256};

use super::{Structure, all, apart, asked, keys, object, one, repeatable, short};
use crate::content::ids;
use crate::request::Request;
use crate::site::Site;

/// Most bytes of a file.
const MOST: usize = 32 * 1024 * 1024;
/// How many bytes of files go to the site in one request.
const TOGETHER: usize = 12 * 1024 * 1024;

/// An image or another file of the media library.
///
/// It is known by its content: a file that is there already, under whatever name of ours, is not
/// uploaded again. What is in it must be what its name says; SVG is refused, for it can hold scripts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MediaSpec {
    /// The file on this machine, relative to the spec's file.
    #[schemars(length(min = 1))]
    pub source: String,
    /// The name of the file on the site; that of `source` unless set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-fabrik" = {"replace": true}))]
    pub name: Option<String>,
    /// What the image shows, for who cannot see it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alt: Option<String>,
    /// Its title; the name unless set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// The text below it, where a theme shows one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub caption: Option<String>,
    /// Hash of the content; found out from the file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-fabrik" = {"computed": true, "replace": true}))]
    pub content: Option<String>,
}

/// What WordPress tells of a file.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct MediaOutputs {
    /// Its number.
    pub id: String,
    /// Where it is.
    pub url: String,
    /// Its width in pixels; 0 for what is no image.
    pub width: u32,
    /// Its height in pixels.
    pub height: u32,
    /// Its type: `image/jpeg`.
    pub mime: String,
}

/// The type `wordpress.media`.
pub struct Media;

/// What a file's first bytes say it is.
fn sniff(bytes: &[u8]) -> Option<&'static str> {
    let at = |from: usize, what: &[u8]| bytes.get(from..from + what.len()) == Some(what);
    if at(0, b"\x89PNG\r\n\x1a\n") {
        Some("image/png")
    } else if at(0, b"\xff\xd8\xff") {
        Some("image/jpeg")
    } else if at(0, b"GIF87a") || at(0, b"GIF89a") {
        Some("image/gif")
    } else if at(0, b"RIFF") && at(8, b"WEBP") {
        Some("image/webp")
    } else if at(4, b"ftypavif") || at(4, b"ftypavis") {
        Some("image/avif")
    } else if at(4, b"ftyp") {
        Some("video/mp4")
    } else if at(0, b"%PDF-") {
        Some("application/pdf")
    } else if at(0, b"\x00\x00\x01\x00") {
        Some("image/x-icon")
    } else {
        None
    }
}

/// What a file's name says it is.
fn named(name: &str) -> Option<&'static str> {
    let (_, extension) = name.rsplit_once('.')?;
    Some(match extension.to_ascii_lowercase().as_str() {
        "png" => "image/png",
        "jpg" | "jpeg" => "image/jpeg",
        "gif" => "image/gif",
        "webp" => "image/webp",
        "avif" => "image/avif",
        "mp4" | "m4v" => "video/mp4",
        "pdf" => "application/pdf",
        "ico" => "image/x-icon",
        _ => return None,
    })
}

fn wrong(field: &str, text: String, hint: &str) -> Error {
    Error::new(ErrorKind::Invalid, text)
        .field(Path::key(field))
        .hint(hint)
        .effect(Effect::None)
}

/// The slug that says which content it is.
fn slug(content: &str) -> String {
    format!("fabrik-{}", content.get(..16).unwrap_or(content))
}

/// A file, looked at.
struct File {
    name: String,
    bytes: Vec<u8>,
    content: String,
    mime: &'static str,
}

impl MediaSpec {
    fn file_name(&self) -> Result<String> {
        let name = match &self.name {
            Some(name) => name.as_str(),
            None => self.source.rsplit('/').next().unwrap_or(&self.source),
        };
        let good = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
        let is_good = (3..=120).contains(&name.len())
            && name.bytes().all(good)
            && !name.starts_with('.')
            && !name.contains("..")
            && name.matches('.').count() == 1;
        if is_good {
            return Ok(name.to_owned());
        }
        let field = if self.name.is_some() {
            "name"
        } else {
            "source"
        };
        Err(wrong(
            field,
            format!("`{}` cannot be the name of a file on the site", short(name)),
            "letters, digits, `-` and `_`, then one extension: `team-photo.jpg`; `name` sets another than that of the file",
        ))
    }

    async fn file(&self, site: &Site) -> Result<File> {
        let name = self.file_name()?;
        let path = site.resolve(&self.source);
        let fails = |error: std::io::Error| {
            wrong(
                "source",
                format!("`{}` cannot be read: {error}", path.display()),
                "it is a file beside the spec",
            )
        };
        let size = tokio::fs::metadata(&path).await.map_err(fails)?.len();
        if size > MOST as u64 {
            return Err(wrong(
                "source",
                format!("`{}` is larger than 32 MiB", self.source),
                "make it smaller: visitors have to load it, too",
            ));
        }
        let bytes = tokio::fs::read(&path).await.map_err(fails)?;
        let extension = name.rsplit('.').next().unwrap_or_default();
        let text = String::from_utf8_lossy(bytes.get(..bytes.len().min(1024)).unwrap_or_default())
            .to_ascii_lowercase();
        if extension.eq_ignore_ascii_case("svg")
            || extension.eq_ignore_ascii_case("svgz")
            || text.contains("<svg")
        {
            return Err(wrong(
                "source",
                format!("`{}` is an SVG image, which can hold scripts", self.source),
                "export it as PNG or WebP",
            ));
        }
        let Some(by_name) = named(&name) else {
            return Err(wrong(
                "source",
                format!("files that end in `.{}` are not uploaded", short(extension)),
                "PNG, JPEG, WebP, AVIF, GIF, ICO, PDF and MP4 are",
            ));
        };
        match sniff(&bytes) {
            Some(mime) if mime == by_name => {
                let content = hex::encode(&Sha256::digest(&bytes));
                Ok(File {
                    name,
                    bytes,
                    content,
                    mime,
                })
            }
            found => {
                let is = found.unwrap_or("something else");
                Err(wrong(
                    "source",
                    format!(
                        "`{}` is not what its name says ({by_name}), but {is}",
                        self.source
                    ),
                    "give it the extension of what it is, or export it anew",
                ))
            }
        }
    }

    fn fields(&self) -> Json {
        json!({
            "title": self.title.clone().unwrap_or_else(|| self.file_name().unwrap_or_default()),
            "caption": self.caption.clone().unwrap_or_default(),
            "alt": self.alt.clone().unwrap_or_default(),
        })
    }

    fn texts(&self) -> Result<()> {
        for (field, text) in [
            ("alt", &self.alt),
            ("title", &self.title),
            ("caption", &self.caption),
        ] {
            let bad = |text: &String| {
                text.len() > 2000
                    || text.trim() != text
                    || text.contains(['<', '>'])
                    || text.chars().any(char::is_control)
            };
            if text.as_ref().is_some_and(bad) {
                return Err(wrong(
                    field,
                    format!(
                        "`{field}` has to be a plain text without `<`, `>`, line ends and space at its ends"
                    ),
                    "write plain words",
                ));
            }
        }
        Ok(())
    }
}

impl Structure for Media {
    const NAME: &'static str = "wordpress.media";
    type Spec = MediaSpec;
    type Outputs = MediaOutputs;

    fn ask(id: &str, prior: Option<&MediaSpec>) -> Result<Json> {
        // For a channel that sees no more of the content than the slug tells.
        let known = prior.and_then(|prior| prior.content.clone());
        Ok(json!({"kind": "media", "do": "read", "id": ids::check(id)?, "sha256": known}))
    }

    fn seen(raw: &Json, prior: Option<&MediaSpec>) -> Result<Observed<MediaSpec, MediaOutputs>> {
        let some = |key: &str| Some(ids::text(raw, key)).filter(|text| !text.is_empty());
        let file = ids::text(raw, "file");
        let base = file.rsplit('/').next().unwrap_or(&file).to_owned();
        let default = prior.and_then(|prior| prior.file_name().ok());
        let there = raw["there"] == true;
        let spec = MediaSpec {
            source: prior.map_or_else(|| base.clone(), |prior| prior.source.clone()),
            name: prior.map_or(Some(base), |prior| prior.name.clone()),
            alt: some("alt"),
            title: some("title").filter(|title| Some(title) != default.as_ref()),
            caption: some("caption"),
            // A row whose file is gone has no content.
            content: some("sha256").filter(|_| there),
        };
        let size = |key: &str| {
            raw[key]
                .as_u64()
                .and_then(|size| size.try_into().ok())
                .unwrap_or(0)
        };
        let outputs = MediaOutputs {
            id: ids::of(raw),
            url: ids::text(raw, "url"),
            width: size("width"),
            height: size("height"),
            mime: ids::text(raw, "mime"),
        };
        Ok(Observed::new(spec, outputs).hidden(&["source", "name"]))
    }
}

/// Uploads, changes and deletes, several files in one request where they are small.
async fn bring(cx: &Cx, site: &Site, call: &[Operation]) -> Vec<Outcome> {
    let mut outcomes: Vec<Option<Outcome>> = call.iter().map(|_| None).collect();
    let mut pending: Vec<(usize, Json)> = Vec::new();
    let mut size = 0;
    for (at, operation) in call.iter().enumerate() {
        match op(site, operation).await {
            Ok(op) => {
                let bytes = op["bytes"].as_str().map_or(0, str::len);
                if size + bytes > TOGETHER && !pending.is_empty() {
                    send(cx, site, call, std::mem::take(&mut pending), &mut outcomes).await;
                    size = 0;
                }
                size += bytes;
                pending.push((at, op));
            }
            Err(error) => outcomes[at] = Some(Outcome::Failed(error)),
        }
    }
    send(cx, site, call, pending, &mut outcomes).await;
    outcomes
        .into_iter()
        .map(|outcome| outcome.unwrap_or(Outcome::NotDone))
        .collect()
}

async fn op(site: &Site, operation: &Operation) -> Result<Json> {
    let mut op = match operation.verb {
        Verb::Delete => {
            json!({"kind": "media", "do": "delete", "id": ids::check(operation.id()?)?})
        }
        verb => {
            let spec: MediaSpec = decode(&operation.inputs)?;
            spec.texts()?;
            let mut op = spec.fields();
            op["kind"] = json!("media");
            op["do"] = json!(verb.word());
            if verb == Verb::Create {
                let file = spec.file(site).await?;
                if spec
                    .content
                    .as_ref()
                    .is_some_and(|content| *content != file.content)
                {
                    return Err(Error::new(
                        ErrorKind::Conflict,
                        format!("`{}` was changed after it was planned", spec.source),
                    )
                    .field(Path::key("source"))
                    .effect(Effect::None)
                    .hint("plan again"));
                }
                op["slug"] = json!(slug(&file.content));
                op["sha256"] = json!(file.content);
                op["name"] = json!(file.name);
                op["mime"] = json!(file.mime);
                op["bytes"] = json!(BASE64.encode(&file.bytes));
            } else {
                op["id"] = json!(ids::check(operation.id()?)?);
                op["sha256"] = json!(spec.content);
            }
            op
        }
    };
    op["op"] = json!(operation.op.to_string());
    Ok(op)
}

async fn send(
    cx: &Cx,
    site: &Site,
    call: &[Operation],
    pending: Vec<(usize, Json)>,
    outcomes: &mut [Option<Outcome>],
) {
    if pending.is_empty() {
        return;
    }
    let numbers: Vec<OpId> = pending.iter().map(|(at, _)| call[*at].op).collect();
    let (places, ops): (Vec<usize>, Vec<Json>) = pending.into_iter().unzip();
    let sent = match Request::write(ops) {
        Ok(request) => site.write(cx, request, &numbers, Vec::new()).await,
        Err(error) => Err(error.into()),
    };
    match sent {
        Ok(rows) => {
            for (at, raw) in places.into_iter().zip(rows) {
                outcomes[at] = Some(done(&call[at], &raw).unwrap_or_else(Outcome::Failed));
            }
        }
        Err(failure) => {
            for (position, at) in places.into_iter().enumerate() {
                let is_it = failure.at.is_none_or(|at| at == position);
                outcomes[at] = Some(if is_it {
                    Outcome::Failed(failure.error.clone())
                } else {
                    Outcome::NotDone
                });
            }
        }
    }
}

fn done(operation: &Operation, raw: &Json) -> Result<Outcome> {
    if operation.verb == Verb::Delete {
        return Ok(Outcome::Gone);
    }
    let spec: MediaSpec = decode(&operation.inputs)?;
    let mut object = object::<Media>(raw, Some(&spec), Vec::new())?;
    object.inputs = operation.inputs.clone();
    Ok(Outcome::Done(object))
}

impl Resource for Media {
    const TYPE: &'static str = <Media as Structure>::NAME;
    type Client = Site;
    type Spec = MediaSpec;
    type Outputs = MediaOutputs;

    fn describe(&self, info: TypeInfo) -> TypeInfo {
        TypeInfo {
            // Its slug is that of its content.
            lost: Lost::Name,
            exclusive: false,
            undo_delete: Undo::Partial,
            import_id: "ID".into(),
            ..repeatable(info)
        }
    }

    async fn create(&self, _: &Cx, _: &Site, _: &MediaSpec) -> Result<Created<MediaOutputs>> {
        Err(apart())
    }

    async fn read(&self, cx: &Cx, site: &Site, id: &str) -> ReadAnswer<MediaSpec, MediaOutputs> {
        one::<Media>(cx, site, id, None).await
    }

    async fn update(
        &self,
        _: &Cx,
        _: &Site,
        _: &str,
        _: &Change<'_, MediaSpec>,
    ) -> Result<MediaOutputs> {
        Err(apart())
    }

    async fn delete(&self, _: &Cx, _: &Site, _: &str) -> Result<()> {
        Err(apart())
    }

    async fn apply_group(&self, cx: &Cx, site: &Site, call: &[Operation]) -> Option<Vec<Outcome>> {
        Some(bring(cx, site, call).await)
    }

    fn keys(&self, _: &Site, _: &Value) -> Keys {
        Keys {
            write_group: Some(WriteGroup {
                key: "media".into(),
                whole: false,
                linked: false,
                atomic: false,
                max: 40,
            }),
            ..keys(&["media"])
        }
    }

    async fn plan(&self, cx: &Cx, site: &Site, proposal: Proposal<'_>) -> Result<Planned> {
        let mut planned = Planned {
            inputs: proposal.desired.clone(),
            ..Planned::default()
        };
        let Ok(mut spec) = decode::<MediaSpec>(proposal.desired) else {
            return Ok(planned);
        };
        spec.texts()?;
        spec.content = Some(spec.file(site).await?.content);
        planned.inputs = encode(&spec, None)?;
        let facts = site.facts(cx).await?;
        planned.findings = crate::types::rights(&facts, &["upload_files"]);
        Ok(planned)
    }

    async fn locate(
        &self,
        cx: &Cx,
        site: &Site,
        op: OpId,
        spec: &MediaSpec,
    ) -> Result<Option<Found<MediaSpec, MediaOutputs>>> {
        let survey = site.survey(cx, op).await?;
        let marked = survey.ops.contains_key(&op.to_string());
        let content = match &spec.content {
            Some(content) => content.clone(),
            None => spec.file(site).await?.content,
        };
        let raw = asked(
            cx,
            site,
            json!({"kind": "media", "do": "find", "id": "", "slug": slug(&content), "sha256": content}),
        )
        .await?;
        if raw.is_null() {
            return Ok(None);
        }
        Ok(Some(Found {
            id: ids::of(&raw),
            observed: Media::seen(&raw, Some(spec))?,
            marked,
        }))
    }

    async fn list(&self, cx: &Cx, site: &Site) -> Result<Vec<Found<MediaSpec, MediaOutputs>>> {
        all::<Media>(cx, site, json!({"kind": "media", "do": "list", "id": ""})).await
    }
}

#[cfg(test)]
mod tests {
    use super::{named, sniff};

    #[test]
    fn content_tells_what_a_file_is() {
        assert_eq!(sniff(b"\x89PNG\r\n\x1a\n...."), Some("image/png"));
        assert_eq!(sniff(b"RIFF\x00\x00\x00\x00WEBPVP8 "), Some("image/webp"));
        assert_eq!(sniff(b"<?php echo 1;"), None);
        assert_eq!(sniff(b""), None);
        assert_eq!(named("a.JPEG"), Some("image/jpeg"));
        assert_eq!(named("a.php"), None);
        assert_eq!(named("a"), None);
    }
}
