//! From words to [`Cli`].

use std::ffi::OsString;
use std::path::PathBuf;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Arg, ArgMatches, CommandFactory as _, FromArgMatches as _, ValueHint};

use super::{Cli, Command, SecretsCommand};
use crate::exit::Exit;

/// Id of the argument: other commands have a `file` of their own.
const FILE: &str = "spec_file";

/// Why there is nothing to run: help, a version, or a mistake.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stopped {
    /// What to print.
    pub text: String,
    /// On standard output (it was asked for) or standard error (it is a mistake).
    pub asked_for: bool,
    /// How the program ends.
    pub exit: Exit,
}

impl Stopped {
    fn usage(message: &str, hint: &str) -> Stopped {
        Stopped {
            text: format!("error: {message}\n\nhint: {hint}\n"),
            asked_for: false,
            exit: Exit::USAGE,
        }
    }
}

/// How help is laid out.
#[derive(Clone, Copy, Debug)]
pub struct Layout {
    /// Columns.
    pub width: usize,
    /// Whether standard output shows colour.
    pub color_out: bool,
    /// Whether standard error shows colour.
    pub color_err: bool,
}

/// The whole definition, as clap knows it.
pub fn command() -> clap::Command {
    add_file(Cli::command())
}

/// Gives a command and those below it `-f`; not to `logs`, where that means "follow".
fn add_file(command: clap::Command) -> clap::Command {
    let file = Arg::new(FILE)
        .short('f')
        .long("file")
        .value_name("FILE")
        .help("The spec, when not `fabrik.yaml`")
        .help_heading("Global options")
        .value_hint(ValueHint::FilePath)
        .value_parser(clap::value_parser!(PathBuf));
    let file = match command.get_name() {
        "agent" | "completions" | "man" | "explain" => return command,
        "logs" => file.short(None),
        _ => file,
    };
    command.arg(file).mut_subcommands(add_file)
}

/// Reads the words after (and with) the program's name.
///
/// # Errors
/// What to print instead of running.
pub fn parse(args: &[OsString], layout: Layout) -> Result<Cli, Stopped> {
    let matches = command()
        .term_width(layout.width)
        .color(clap::ColorChoice::Always)
        .try_get_matches_from(args)
        .map_err(|error| stopped(&error, layout))?;
    let mut cli = Cli::from_arg_matches(&matches).map_err(|error| stopped(&error, layout))?;
    cli.global.file = file_of(&matches);
    refuse_secrets(&cli)?;
    Ok(cli)
}

/// The innermost `-f`.
fn file_of(matches: &ArgMatches) -> Option<PathBuf> {
    matches
        .subcommand()
        .and_then(|(_, inner)| file_of(inner))
        .or_else(|| matches.try_get_one::<PathBuf>(FILE).ok()?.cloned())
}

fn stopped(error: &clap::Error, layout: Layout) -> Stopped {
    let asked_for = matches!(
        error.kind(),
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion
    );
    let color = if asked_for {
        layout.color_out
    } else {
        layout.color_err
    };
    let rendered = error.render();
    let mut text = if color {
        rendered.ansi().to_string()
    } else {
        rendered.to_string()
    };
    let invalid = error.get(ContextKind::InvalidValue);
    if let Some(ContextValue::String(style)) = invalid
        && <super::GraphFormat as clap::ValueEnum>::from_str(style, false).is_ok()
    {
        text += "\nhelp: `fabrik graph --as ";
        text += style;
        text += "` draws that\n";
    }
    Stopped {
        text,
        asked_for,
        exit: if asked_for { Exit::DONE } else { Exit::USAGE },
    }
}

/// A secret on the command line is seen by every process and kept in the shell's history.
fn refuse_secrets(cli: &Cli) -> Result<(), Stopped> {
    if !cli.global.secret.is_empty() {
        return Err(Stopped::usage(
            "a secret cannot be given on the command line, where every process sees it",
            "put it into the environment or `.env`, or keep it with `fabrik secrets set NAME`",
        ));
    }
    if let Command::Secrets(secrets) = &cli.command
        && let SecretsCommand::Set(set) = &secrets.command
        && set.value.is_some()
    {
        return Err(Stopped::usage(
            "the value of a secret cannot be given on the command line, where every process sees it",
            "leave it out to be asked for it, or pipe it in: `fabrik secrets set NAME < FILE`",
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(words: &[&str]) -> Result<Cli, Stopped> {
        let args: Vec<OsString> = std::iter::once("fabrik")
            .chain(words.iter().copied())
            .map(OsString::from)
            .collect();
        let layout = Layout {
            width: 80,
            color_out: false,
            color_err: false,
        };
        parse(&args, layout)
    }

    #[test]
    fn the_file_is_found_at_every_level() {
        let file = |words: &[&str]| read(words).unwrap().global.file;
        assert_eq!(file(&["plan"]), None);
        assert_eq!(file(&["-f", "a.yaml", "plan"]), Some("a.yaml".into()));
        assert_eq!(file(&["plan", "-f", "b.yaml"]), Some("b.yaml".into()));
        assert_eq!(file(&["state", "list", "-f", "c"]), Some("c".into()));
    }

    #[test]
    fn follow_is_f_for_logs() {
        let cli = read(&["logs", "api", "-f"]).unwrap();
        let Command::Logs(logs) = cli.command else {
            panic!("not logs")
        };
        assert!(logs.follow);
        let cli = read(&["-f", "x.yaml", "logs", "-f"]).unwrap();
        assert_eq!(cli.global.file, Some("x.yaml".into()));
    }

    #[test]
    fn secrets_are_refused_without_repeating_them() {
        for words in [
            &["apply", "-s", "KEY=canary"][..],
            &["-s", "KEY=canary", "apply"],
            &["secrets", "set", "KEY", "canary"],
        ] {
            let stopped = read(words).unwrap_err();
            assert_eq!(stopped.exit, Exit::USAGE);
            assert!(!stopped.text.contains("canary"), "{}", stopped.text);
        }
    }

    #[test]
    fn data_loss_is_all_or_some() {
        let allowed = |words: &[&str]| match read(words).unwrap().command {
            Command::Plan(plan) => plan.select.allow_data_loss,
            _ => Vec::new(),
        };
        assert_eq!(allowed(&["plan", "--allow-data-loss"]), ["**"]);
        assert_eq!(allowed(&["plan", "--allow-data-loss=a.b", "x"]), ["a.b"]);
        assert!(allowed(&["plan"]).is_empty());
    }

    #[test]
    fn help_is_asked_for_and_mistakes_are_not() {
        assert!(read(&["--help"]).unwrap_err().asked_for);
        assert_eq!(read(&["aply"]).unwrap_err().exit, Exit::USAGE);
        assert!(read(&["aply"]).unwrap_err().text.contains("apply"));
        assert_eq!(read(&[]).unwrap_err().exit, Exit::USAGE);
    }
}
