//! `fabrik wp preview` and `fabrik wp blueprint`.

use std::path::Path;

use fabrik_wordpress::show::blueprint::blueprint as as_blueprint;
use fabrik_wordpress::show::preview::{Content, preview as as_files};
use serde_json::json;

use crate::args::{WpPreviewArgs, WpSiteArgs};
use crate::exit::Exit;
use crate::fail::{Done, Fail};
use crate::files;
use crate::session::Session;
use crate::spec::Below;

/// The folder of a spec.
fn folder(path: &Path) -> &Path {
    path.parent().unwrap_or(Path::new("."))
}

/// Writes the pages of a site as files.
pub(super) async fn preview(session: &mut Session, args: &WpPreviewArgs) -> Done {
    let named = args.site.spec.as_deref();
    let path = session.find(named)?;
    let project = session.load(named).await?;
    let made = as_files(&project.stack, args.site.app.as_deref())?;
    let out = session.settings.dir.join(&args.out);
    let marker = out.join(".fabrik-preview");
    let foreign = !marker.is_file()
        && out
            .read_dir()
            .is_ok_and(|mut entries| entries.next().is_some());
    if foreign {
        return Err(Fail::refused(
            format!("`{}` holds other files", args.out.display()),
            "name another folder with `--out`",
        ));
    }
    write(
        &marker,
        b"Written by `fabrik wp preview`; may be deleted.\n",
    )?;
    let mut pages = Vec::new();
    for file in &made {
        let target = out.join(&file.path);
        match &file.content {
            Content::Text(text) => write(&target, text.as_bytes())?,
            Content::Copy(source) => write(&target, &files::read(&folder(&path).join(source))?)?,
        }
        if Path::new(&file.path)
            .extension()
            .is_some_and(|ext| ext == "html")
        {
            pages.push(args.out.join(&file.path).display().to_string());
        }
    }
    pages.sort();
    if session.is_machine() {
        session.out.structured(&json!({"pages": pages}))?;
    } else {
        for page in &pages {
            session.out.data(page)?;
        }
        let first = out.join("index.html");
        if first.is_file() {
            session
                .out
                .hint(&format!("open file://{}", first.display()))?;
        }
    }
    Ok(Exit::DONE)
}

fn write(path: &Path, bytes: &[u8]) -> Done<()> {
    let failed = |error: std::io::Error| files::file_error("write", path, &error);
    if let Some(parent) = path.parent() {
        std::fs::create_dir_all(parent).map_err(failed)?;
    }
    std::fs::write(path, bytes).map_err(failed)?;
    Ok(())
}

/// Prints a site as a Blueprint.
pub(super) async fn blueprint(session: &mut Session, args: &WpSiteArgs) -> Done {
    let named = args.spec.as_deref();
    let path = session.find(named)?;
    let project = session.load(named).await?;
    let files = Below { dir: folder(&path) };
    let made = as_blueprint(&project.stack, args.app.as_deref(), &files)?;
    if session.is_machine() {
        session.out.structured(&made)?;
    } else {
        let text = serde_json::to_string_pretty(&made).unwrap_or_default();
        session.out.data(&text)?;
    }
    Ok(Exit::DONE)
}
