//! Lines by which the far side says that a command began, and how it ended.
//!
//! `ssh` answers 255, and a container engine 1, 125, 126 or 127, both for failures of their own and
//! for what the command answered (PHP, for one, ends with 255 after a fatal error). So each place
//! that is not this machine runs a small script which writes a mark to standard error before and
//! after. What has no first mark did not begin; what has no second one may still run.

use std::ffi::OsString;

use crate::command::Command;

/// Runs the program `$4...` in the folder `$3`. `env` finds programs only, where the shell itself
/// might take a builtin or a function for one.
const SCRIPT: &str = r#"say() { printf '\nfabrik-exec %s %s %s\n' "$mark" "$1" "$2" >&2; }
mark="$1 $2"
if [ -n "$3" ] && ! cd "$3"; then say nodir 0; exit 1; fi
shift 3
say begin "$$"
env "$@"
code=$?
say end "$code"
exit "$code""#;

/// Ends the process group of `$1`, giving it `$2` seconds. Without `--`, which BusyBox takes for a
/// number.
const END: &str = r#"kill -TERM "-$1" 2>/dev/null || kill -TERM "$1" 2>/dev/null || exit 0
i=0
while [ "$i" -lt "$2" ] && kill -0 "-$1" 2>/dev/null; do sleep 1; i=$((i + 1)); done
kill -KILL "-$1" 2>/dev/null || kill -KILL "$1" 2>/dev/null
exit 0"#;

/// What tells the marks of one run from everything else: random, so that no output of an earlier
/// run, shown again, is taken for one.
#[derive(Clone, Debug)]
pub(crate) struct Nonce(String);

impl Nonce {
    pub(crate) fn random() -> Option<Nonce> {
        let mut bytes = [0; 12];
        getrandom::fill(&mut bytes).ok()?;
        Some(Nonce(fabrik_core::hex::encode(&bytes)))
    }

    /// The words that run `command` between marks at a level, 0 being the outermost.
    pub(crate) fn wrap(&self, level: usize, command: &Command) -> Vec<OsString> {
        let dir = command.dir.as_ref().map(|dir| {
            let dir = dir.as_os_str();
            if dir.as_encoded_bytes().starts_with(b"/") {
                dir.to_owned()
            } else {
                // `-` alone, and what begins with it, mean something to `cd`; so does CDPATH.
                let mut relative = OsString::from("./");
                relative.push(dir);
                relative
            }
        });
        let mut words = self.wrapping(level, dir.unwrap_or_default());
        words.extend(command.env.iter().map(|(name, value)| {
            let mut word = OsString::from(name);
            word.push("=");
            word.push(value);
            word
        }));
        words.push(command.program.clone());
        words.extend(command.args.iter().cloned());
        words
    }

    /// The same for words that are a command already.
    pub(crate) fn wrap_words(&self, level: usize, inner: Vec<OsString>) -> Vec<OsString> {
        let mut words = self.wrapping(level, OsString::new());
        words.extend(inner);
        words
    }

    fn wrapping(&self, level: usize, dir: OsString) -> Vec<OsString> {
        let mut words: Vec<OsString> = ["sh", "-c", SCRIPT, "fabrik", &self.0]
            .map(OsString::from)
            .into();
        words.push(level.to_string().into());
        words.push(dir);
        words
    }
}

/// The command that ends a process group from inside its place, giving it so many seconds.
pub(crate) fn ending(pid: i32, seconds: u64) -> Vec<OsString> {
    let mut words: Vec<OsString> = ["sh", "-c", END, "fabrik"].map(OsString::from).into();
    words.push(pid.to_string().into());
    words.push(seconds.to_string().into());
    words
}

/// What is known of one level.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Level {
    /// The folder could not be entered: nothing ran.
    pub(crate) no_dir: bool,
    /// It began, as this process group.
    pub(crate) begun: Option<i32>,
    /// It ended so.
    pub(crate) ended: Option<i32>,
}

/// Finds marks among lines.
#[derive(Debug)]
pub(crate) struct Marks {
    prefix: Vec<u8>,
    pub(crate) levels: Vec<Level>,
    /// An empty line that may belong to a mark.
    empty: bool,
}

impl Marks {
    pub(crate) fn new(nonce: &Nonce, levels: usize) -> Marks {
        Marks {
            prefix: format!("fabrik-exec {} ", nonce.0).into_bytes(),
            levels: vec![Level::default(); levels],
            empty: false,
        }
    }

    /// Takes a line of standard error; gives those that are the program's own.
    pub(crate) fn sift(&mut self, line: &[u8], dropped: usize, each: &mut dyn FnMut(&[u8], usize)) {
        if self.levels.is_empty() {
            return each(line, dropped);
        }
        if self.note(line) {
            self.empty = false;
            return;
        }
        if std::mem::take(&mut self.empty) {
            each(b"", 0);
        }
        if line.is_empty() && dropped == 0 {
            self.empty = true;
        } else {
            each(line, dropped);
        }
    }

    /// The innermost level that runs, with its process group.
    pub(crate) fn running(&self) -> Option<(usize, i32)> {
        let (level, found) = self
            .levels
            .iter()
            .enumerate()
            .rfind(|(_, level)| level.begun.is_some())?;
        found.ended.is_none().then_some((level, found.begun?))
    }

    fn note(&mut self, line: &[u8]) -> bool {
        let Some(rest) = line.strip_prefix(&*self.prefix) else {
            return false;
        };
        let mut words = std::str::from_utf8(rest).unwrap_or_default().split(' ');
        let (level, what, number) = (words.next(), words.next(), words.next());
        let level = level.and_then(|level| self.levels.get_mut(level.parse::<usize>().ok()?));
        let (Some(level), Some(number)) =
            (level, number.and_then(|number| number.parse::<i32>().ok()))
        else {
            return false;
        };
        match what {
            Some("nodir") => level.no_dir = true,
            Some("begin") if number > 1 => level.begun = level.begun.or(Some(number)),
            Some("end") => level.ended = level.ended.or(Some(number)),
            _ => return false,
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_found_and_taken_out() {
        let nonce = Nonce("n".into());
        let mut marks = Marks::new(&nonce, 2);
        let mut seen = Vec::new();
        let mut take = |line: &str| {
            marks.sift(line.as_bytes(), 0, &mut |line, _| {
                seen.push(String::from_utf8(line.to_vec()).unwrap());
            });
        };
        for line in [
            "hello",
            "",
            "fabrik-exec n 0 begin 77",
            "",
            "",
            "fabrik-exec n 1 begin 88",
            "fabrik-exec m 1 end 0",
            "oops",
            "",
            "fabrik-exec n 1 end 3",
            "fabrik-exec n 9 end 0",
            "fabrik-exec n 1 end 4",
        ] {
            take(line);
        }
        assert_eq!(
            seen,
            [
                "hello",
                "",
                "fabrik-exec m 1 end 0",
                "oops",
                "fabrik-exec n 9 end 0"
            ]
        );
        assert_eq!(
            marks.levels[0],
            Level {
                no_dir: false,
                begun: Some(77),
                ended: None
            }
        );
        assert_eq!(
            marks.levels[1],
            Level {
                no_dir: false,
                begun: Some(88),
                ended: Some(3)
            }
        );
        // The inner one is over, the outer about to be.
        assert_eq!(marks.running(), None);
    }

    #[test]
    fn on_this_machine_nothing_is_looked_for() {
        let mut marks = Marks::new(&Nonce("n".into()), 0);
        let mut count = 0;
        for line in ["", "fabrik-exec n 0 begin 77"] {
            marks.sift(line.as_bytes(), 0, &mut |_, _| count += 1);
        }
        assert_eq!(count, 2);
    }

    /// The shells of this machine: what `sh` is elsewhere is one of them.
    fn shells() -> Vec<Vec<&'static str>> {
        let all: [&[&str]; 7] = [
            &["/bin/sh"],
            &["/bin/dash"],
            &["/bin/bash"],
            &["/bin/busybox", "sh"],
            &["/bin/zsh"],
            &["/bin/ksh"],
            &["/bin/mksh"],
        ];
        all.iter()
            .filter(|words| std::path::Path::new(words[0]).exists())
            .map(|words| words.to_vec())
            .collect()
    }

    fn in_shell(shell: &[&str], words: &[OsString]) -> std::process::Command {
        let mut command = std::process::Command::new(shell[0]);
        command.args(&shell[1..]).args(&words[1..]);
        command
    }

    #[test]
    fn the_script_does_its_work_in_every_shell() {
        let nonce = Nonce("n".into());
        for shell in shells() {
            let run = |command: Command| {
                let out = in_shell(&shell, &nonce.wrap(0, &command)).output().unwrap();
                let mut marks = Marks::new(&nonce, 1);
                for line in String::from_utf8(out.stderr).unwrap().lines() {
                    marks.sift(line.as_bytes(), 0, &mut |_, _| {});
                }
                let level = marks.levels[0];
                (
                    String::from_utf8(out.stdout).unwrap(),
                    out.status.code(),
                    level.begun.is_some(),
                    level.ended,
                    level.no_dir,
                )
            };
            let script =
                Command::new("sh").args(["-c", "printf '%s|' \"$A\" \"$@\"; pwd; exit 7", "x"]);
            let found = run(script.env("A", "it's").arg("a\\b\n").arg("-n").dir("/usr"));
            assert_eq!(
                found,
                (
                    "it's|a\\b\n|-n|/usr\n".into(),
                    Some(7),
                    true,
                    Some(7),
                    false
                ),
                "{shell:?}"
            );
            // Whatever could mean something to `cd`, or to the shell itself.
            for dir in ["-", "-P", "/no/such"] {
                assert_eq!(
                    run(Command::new("true").dir(dir)),
                    (String::new(), Some(1), false, None, true),
                    "{shell:?} {dir}"
                );
            }
            assert_eq!(run(Command::new("exit").arg("0")).3, Some(127), "{shell:?}");
        }
    }

    #[test]
    fn the_ending_ends_a_group_in_every_shell() {
        use std::os::unix::process::{CommandExt, ExitStatusExt};
        let end_one = |shell: &[&str], before: &str, end: (Option<i32>, Option<i32>)| {
            let script = format!("{before} sleep 600 & echo; while :; do sleep 1; done");
            let mut group = std::process::Command::new("sh")
                .args(["-c", &script])
                .stdout(std::process::Stdio::piped())
                .process_group(0)
                .spawn()
                .unwrap();
            // It has set its trap.
            std::io::Read::read_exact(group.stdout.as_mut().unwrap(), &mut [0]).unwrap();
            let pid = i32::try_from(group.id()).unwrap();
            let ended = in_shell(shell, &ending(pid, 4)).status().unwrap();
            assert!(ended.success(), "{shell:?}");
            let status = group.wait().unwrap();
            assert_eq!((status.code(), status.signal()), end, "{shell:?} {before}");
            // A second time there is nothing to do.
            assert!(
                in_shell(shell, &ending(pid, 1)).status().unwrap().success(),
                "{shell:?}"
            );
        };
        std::thread::scope(|scope| {
            for shell in shells() {
                for (before, end) in [
                    ("", (None, Some(15))),
                    ("trap '' TERM;", (None, Some(9))),
                    // It is given its time.
                    ("trap 'sleep 0.5; exit 5' TERM;", (Some(5), None)),
                ] {
                    let shell = shell.clone();
                    scope.spawn(move || end_one(&shell, before, end));
                }
            }
        });
    }
}
