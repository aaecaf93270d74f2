//! Whether the holder of a lock still runs, by what Linux tells of processes.

use std::path::PathBuf;

use fabrik_core::state::{Holder, Liveness};

/// Looks at the processes of this host.
#[derive(Clone, Debug)]
pub(crate) struct Processes {
    host: String,
}

impl Processes {
    /// Those of the host of this name.
    pub(crate) fn of(host: &str) -> Processes {
        Processes {
            host: host.to_owned(),
        }
    }
}

impl Liveness for Processes {
    fn is_alive(&self, holder: &Holder) -> Option<bool> {
        if holder.host != self.host {
            return None;
        }
        let boot = boot_id()?;
        match holder.process.split_once(' ') {
            // The host was started anew since: nothing of then runs.
            Some((then, _)) if then != boot => Some(false),
            Some(_) => Some(mark(holder.pid) == holder.process),
            None => None,
        }
    }
}

/// What tells a process from a later one of the same id: boot id and start time; empty when it
/// cannot be told, or the process does not run.
pub(crate) fn mark(pid: u32) -> String {
    let (Some(boot), Some(start)) = (boot_id(), start_time(pid)) else {
        return String::new();
    };
    format!("{boot} {start}")
}

fn boot_id() -> Option<String> {
    let text = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    Some(text.trim().to_owned())
}

/// Field 22 of the process's `stat`; `None` for one that ended (also when nobody took note yet).
fn start_time(pid: u32) -> Option<String> {
    let path = PathBuf::from(format!("/proc/{pid}/stat"));
    let text = std::fs::read_to_string(path).ok()?;
    // The name in parentheses may hold anything, also parentheses.
    let after = text.rsplit_once(") ")?.1;
    let fields: Vec<&str> = after.split_whitespace().collect();
    match fields.first() {
        Some(&("Z" | "X")) | None => None,
        Some(_) => fields.get(19).map(|start| (*start).to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn holder(pid: u32, process: String) -> Holder {
        Holder {
            who: "ana".into(),
            host: "here".into(),
            pid,
            process,
            command: String::new(),
        }
    }

    #[test]
    fn the_living_and_the_dead_are_told_apart() {
        let processes = Processes::of("here");
        let own = std::process::id();
        assert_eq!(processes.is_alive(&holder(own, mark(own))), Some(true));
        let mut child = std::process::Command::new("sleep")
            .arg("60")
            .spawn()
            .unwrap();
        let then = holder(child.id(), mark(child.id()));
        assert_eq!(processes.is_alive(&then), Some(true));
        child.kill().unwrap();
        child.wait().unwrap();
        assert_eq!(processes.is_alive(&then), Some(false));
        let other = format!("{} 1", boot_id().unwrap());
        assert_eq!(
            processes.is_alive(&holder(own, other)),
            Some(false),
            "pid used again"
        );
        let before = holder(own, "old-boot 1".into());
        assert_eq!(processes.is_alive(&before), Some(false), "before a restart");
        assert_eq!(Processes::of("there").is_alive(&then), None);
        assert_eq!(processes.is_alive(&holder(own, String::new())), None);
    }
}
