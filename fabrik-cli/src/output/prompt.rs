//! Questions: only where somebody can answer, and never in the way of a script.

use std::io::BufRead;

use fabrik_core::error::{Error, ErrorKind, Result};

use super::console::Output;
use super::style::Tone;
use super::text;

/// An answer to [`confirm`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Go on.
    Yes,
    /// Stop.
    No,
    /// Show everything in full, then ask again.
    Details,
    /// Show the graph, then ask again.
    Graph,
    /// Show what undoing would do, then ask again.
    Undo,
}

/// Tries before a question counts as answered with no.
const TRIES: usize = 3;

/// Asks whether to go on: `y`, `n`, `d` for details, `g` for the graph, `u` for the undo plan.
/// Just Enter, or the end of the input, means no.
///
/// # Errors
/// [`ErrorKind::Refused`] when nobody can answer, with the flag to pass instead.
pub fn confirm(output: &mut Output, input: &mut dyn BufRead, question: &str) -> Result<Answer> {
    let choices = "[y]es [n]o [d]etails [g]raph [u]ndo plan";
    ask(output, input, question, choices, |answer| {
        Some(match answer {
            "y" | "yes" => Answer::Yes,
            "" | "n" | "no" => Answer::No,
            "d" | "diff" | "details" => Answer::Details,
            "g" | "graph" => Answer::Graph,
            "u" | "undo" => Answer::Undo,
            _ => return None,
        })
    })
    .map(|answer| answer.unwrap_or(Answer::No))
}

/// Asks a yes-or-no question; just Enter means no.
///
/// # Errors
/// As [`confirm`].
pub fn yes_no(output: &mut Output, input: &mut dyn BufRead, question: &str) -> Result<bool> {
    let answer = ask(
        output,
        input,
        question,
        "[y]es [n]o",
        |answer| match answer {
            "y" | "yes" => Some(true),
            "" | "n" | "no" => Some(false),
            _ => None,
        },
    )?;
    Ok(answer.unwrap_or(false))
}

/// Asks for one of several words, each also by its first letter; `None` when there is no answer.
///
/// # Errors
/// As [`confirm`].
pub fn choose<'a>(
    output: &mut Output,
    input: &mut dyn BufRead,
    question: &str,
    words: &[&'a str],
) -> Result<Option<&'a str>> {
    let shown: Vec<String> = words
        .iter()
        .map(|word| match word.char_indices().nth(1) {
            Some((at, _)) => format!("[{}]{}", &word[..at], &word[at..]),
            None => format!("[{word}]"),
        })
        .collect();
    ask(output, input, question, &shown.join(" "), |answer| {
        let fits =
            |word: &&&str| **word == answer || (answer.len() == 1 && word.starts_with(answer));
        words.iter().find(fits).copied()
    })
}

/// Asks to type a name, for what cannot be undone. Anything else means no.
///
/// # Errors
/// As [`confirm`].
pub fn type_name(
    output: &mut Output,
    input: &mut dyn BufRead,
    question: &str,
    name: &str,
) -> Result<bool> {
    interactive(output)?;
    let name_shown = output.style().paint(Tone::Strong, &text::one_line(name));
    output.raw(&format!("{question} Type {name_shown} to go on: "))?;
    Ok(read(input)?.is_some_and(|answer| answer == name))
}

fn ask<T>(
    output: &mut Output,
    input: &mut dyn BufRead,
    question: &str,
    choices: &str,
    understand: impl Fn(&str) -> Option<T>,
) -> Result<Option<T>> {
    interactive(output)?;
    for _ in 0..TRIES {
        let choices = output.style().paint(Tone::Hint, choices);
        output.raw(&format!("{question}  {choices}  "))?;
        let Some(answer) = read(input)? else {
            output.raw("\n")?;
            return Ok(None);
        };
        if let Some(answer) = understand(&answer.to_lowercase()) {
            return Ok(Some(answer));
        }
    }
    Ok(None)
}

/// One line; `None` at the end of the input.
fn read(input: &mut dyn BufRead) -> Result<Option<String>> {
    let mut line = String::new();
    let read = input.read_line(&mut line).map_err(|error| {
        Error::new(
            ErrorKind::Io,
            format!("the answer could not be read: {error}"),
        )
    })?;
    Ok((read > 0).then(|| line.trim().to_owned()))
}

fn interactive(output: &Output) -> Result<()> {
    if output.config().interactive_stdin {
        return Ok(());
    }
    Err(Error::new(
        ErrorKind::Refused,
        "this needs a confirmation, and nobody can be asked: the input is no terminal",
    )
    .hint("pass `--yes` to go on without being asked"))
}
