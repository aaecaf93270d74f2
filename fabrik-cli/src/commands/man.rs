//! `fabrik man`.

use std::path::Path;

use clap_mangen::Man;

use crate::args::{ManArgs, parse};
use crate::exit::Exit;
use crate::fail::Done;
use crate::files::{file_error, private_dir};
use crate::session::Session;

/// Prints the main page, or writes one page a command.
pub(super) fn man(session: &mut Session, args: &ManArgs) -> Done {
    let mut command = parse::command();
    command.build();
    let Some(dir) = &args.dir else {
        session.out.data(&render(&command)?)?;
        return Ok(Exit::DONE);
    };
    let dir = session.settings.dir.join(dir);
    private_dir(&dir)?;
    let count = write(&dir, "fabrik", &command)?;
    session
        .out
        .success(&format!("wrote {count} pages into `{}`", dir.display()))?;
    Ok(Exit::DONE)
}

fn render(command: &clap::Command) -> Done<String> {
    let mut page = Vec::new();
    Man::new(command.clone())
        .render(&mut page)
        .map_err(|error| file_error("render", Path::new(command.get_name()), &error))?;
    Ok(String::from_utf8_lossy(&page).into_owned())
}

/// Writes the page of a command and those of its commands; gives how many.
fn write(dir: &Path, name: &str, command: &clap::Command) -> Done<usize> {
    let path = dir.join(format!("{name}.1"));
    let page = render(&command.clone().name(name.to_owned()))?;
    std::fs::write(&path, page).map_err(|error| file_error("write", &path, &error))?;
    let mut count = 1;
    for inner in command
        .get_subcommands()
        .filter(|inner| !inner.is_hide_set())
    {
        count += write(dir, &format!("{name}-{}", inner.get_name()), inner)?;
    }
    Ok(count)
}
