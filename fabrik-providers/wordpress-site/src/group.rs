//! A server as a process group that cannot outlive the test.

use std::{
    fs::File,
    path::Path,
    process::{Child, Command, Stdio},
};

/// Waits for the end of its standard input, which comes with the end of the process that holds the
/// other side, however that ends. Then it takes away the folder and everybody in the group, itself
/// too. (PHP's workers survive a signal to their parent alone.)
const GUARD: &str = r#"dir=$1; shift
"$@" </dev/null &
read -r _
rm -rf "$dir"
kill -KILL 0
"#;

/// Killed when dropped.
#[derive(Debug)]
pub(crate) struct Group {
    guard: Child,
}

impl Group {
    /// Starts `command`, its output into `log`. `dir` is what has to go should this process be
    /// killed; otherwise its owner removes it.
    pub(crate) fn start(command: &mut Command, dir: &Path, log: &Path) -> Self {
        use std::os::unix::process::CommandExt as _;

        let out = File::create(log).expect("a log file");
        let mut guard = Command::new("sh");
        guard
            .args(["-c", GUARD, "guard"])
            .arg(dir)
            .arg(command.get_program())
            .args(command.get_args())
            .envs(command.get_envs().filter_map(|(k, v)| Some((k, v?))))
            .stdin(Stdio::piped())
            .stdout(out.try_clone().expect("the log file again"))
            .stderr(out)
            .process_group(0);
        Self {
            guard: guard.spawn().expect("sh starts"),
        }
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        let group = rustix::process::Pid::from_child(&self.guard);
        let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
        let _ = self.guard.wait();
    }
}
