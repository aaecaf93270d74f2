//! Whether the holder of a lock still runs, from Linux' process files.

use std::path::{Path, PathBuf};

use super::{Holder, Liveness};

/// Tells processes apart for certain: by machine, boot, process-id namespace and start time.
///
/// It reads only what it is pointed at. On systems without such files, and for holders in another
/// container or on another machine, it cannot tell, and the lock's heartbeat decides.
#[derive(Clone, Debug)]
pub struct ProcLiveness {
    host: String,
    machine: String,
    boot: String,
    namespace: String,
    folder: PathBuf,
}

impl ProcLiveness {
    /// From facts the program gathered: the host's name, the machine's id (`/etc/machine-id`; may
    /// be empty), the boot id (`/proc/sys/kernel/random/boot_id`), the process-id namespace (what
    /// `/proc/self/ns/pid` points to; may be empty) and where process files are (`/proc`).
    pub fn new(
        host: impl Into<String>,
        machine: impl Into<String>,
        boot: impl Into<String>,
        namespace: impl Into<String>,
        folder: impl Into<PathBuf>,
    ) -> ProcLiveness {
        let word = |text: String| text.split_whitespace().collect::<String>();
        ProcLiveness {
            host: host.into(),
            machine: word(machine.into()),
            boot: word(boot.into()),
            namespace: word(namespace.into()),
            folder: folder.into(),
        }
    }

    /// What a holder's [`Holder::process`] is to say of a process of this machine; empty when it
    /// cannot be told.
    pub fn process(&self, pid: u32) -> String {
        match started(&self.folder, pid) {
            Found::Running(start) if !self.boot.is_empty() => {
                format!("{}/{}/{}/{start}", self.machine, self.boot, self.namespace)
            }
            _ => String::new(),
        }
    }
}

impl Liveness for ProcLiveness {
    fn is_alive(&self, holder: &Holder) -> Option<bool> {
        let parts: Vec<&str> = holder.process.split('/').collect();
        let [machine, boot, namespace, start] = parts[..] else {
            return None;
        };
        if holder.host != self.host || machine != self.machine || boot.is_empty() {
            return None;
        }
        if boot != self.boot {
            // The same machine was started anew; without its id it may be another of that name.
            return (!machine.is_empty()).then_some(false);
        }
        if namespace != self.namespace {
            return None;
        }
        match started(&self.folder, holder.pid) {
            Found::Running(now) => Some(now == start),
            Found::Ended => Some(false),
            Found::Unknown => None,
        }
    }
}

enum Found {
    /// Since this moment, in ticks after boot.
    Running(String),
    Ended,
    Unknown,
}

fn started(folder: &Path, pid: u32) -> Found {
    match std::fs::read_to_string(folder.join(pid.to_string()).join("stat")) {
        Ok(stat) => parse(&stat),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound && is_gone(pid) => Found::Ended,
        Err(_) => Found::Unknown,
    }
}

/// Field 3 is the state, field 22 the start; field 2 is a name in brackets that may hold anything.
fn parse(stat: &str) -> Found {
    let Some((_, rest)) = stat.rsplit_once(')') else {
        return Found::Unknown;
    };
    let mut fields = rest.split_whitespace();
    match (fields.next(), fields.nth(18)) {
        (Some("Z" | "X" | "x"), _) => Found::Ended,
        (Some(_), Some(since)) => Found::Running(since.to_owned()),
        _ => Found::Unknown,
    }
}

/// Asks the system too: process files of other users may be hidden.
#[cfg(unix)]
fn is_gone(pid: u32) -> bool {
    i32::try_from(pid)
        .ok()
        .and_then(rustix::process::Pid::from_raw)
        .is_some_and(|pid| rustix::process::test_kill_process(pid) == Err(rustix::io::Errno::SRCH))
}

#[cfg(not(unix))]
fn is_gone(_: u32) -> bool {
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    fn here(boot: &str) -> ProcLiveness {
        ProcLiveness::new("here", "m1\n", boot, "pid:[1]", "/proc")
    }

    fn holder(host: &str, pid: u32, process: String) -> Holder {
        Holder {
            who: "me".to_owned(),
            host: host.to_owned(),
            pid,
            process,
            command: String::new(),
        }
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn this_process_lives_and_an_ended_one_does_not() {
        let live = here("b1");
        let me = std::process::id();
        assert_eq!(
            live.is_alive(&holder("here", me, live.process(me))),
            Some(true)
        );
        let mut child = std::process::Command::new("sleep")
            .arg("60")
            .spawn()
            .unwrap();
        let of_child = holder("here", child.id(), live.process(child.id()));
        assert_eq!(live.is_alive(&of_child), Some(true));
        child.kill().unwrap();
        // Killed but not yet waited for: a zombie holds no lock.
        let dead = (0..200).any(|_| {
            std::thread::sleep(std::time::Duration::from_millis(5));
            live.is_alive(&of_child) == Some(false)
        });
        assert!(dead, "a zombie counts as dead");
        child.wait().unwrap();
        assert_eq!(live.is_alive(&of_child), Some(false));
        // The id was given to another process.
        let reused = holder("here", me, live.process(me) + "0");
        assert_eq!(live.is_alive(&reused), Some(false));
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn only_what_is_certain_is_told() {
        let me = std::process::id();
        let of = |live: &ProcLiveness| holder("here", me, live.process(me));
        let live = here("b1");
        assert_eq!(
            here("b2").is_alive(&of(&live)),
            Some(false),
            "the machine was restarted"
        );
        let anonymous = |boot| ProcLiveness::new("here", "", boot, "pid:[1]", "/proc");
        assert_eq!(
            anonymous("b2").is_alive(&of(&anonymous("b1"))),
            None,
            "maybe another machine"
        );
        let container = ProcLiveness::new("here", "m1", "b1", "pid:[2]", "/proc");
        assert_eq!(container.is_alive(&of(&live)), None, "another container");
        let elsewhere = holder("there", me, live.process(me));
        assert_eq!(live.is_alive(&elsewhere), None, "another host");
        assert_eq!(
            live.is_alive(&holder("here", me, String::new())),
            None,
            "nothing known"
        );
        let blind = ProcLiveness::new("here", "m1", "b1", "pid:[1]", "/nonexistent");
        assert_eq!(blind.is_alive(&of(&live)), None, "no process files");
    }

    #[test]
    fn odd_names_of_programs_do_not_confuse() {
        let stat = "7 (a) S (b) c) R 1 1 1 0 -1 4 0 0 0 0 0 0 0 0 20 0 1 0 4242 0 0";
        assert!(matches!(parse(stat), Found::Running(since) if since == "4242"));
        assert!(matches!(parse("7 (a) Z 1"), Found::Ended));
        assert!(matches!(parse(""), Found::Unknown));
    }
}
