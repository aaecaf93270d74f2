//! What `/proc` tells about processes. Elsewhere than on Linux nothing is found.

use std::collections::BTreeSet;
use std::fs;
use std::io;

use crate::records::Identity;

/// A process as `/proc/PID/stat` shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Stat {
    pub(crate) pid: u32,
    pub(crate) name: String,
    pub(crate) group: u32,
    pub(crate) start_time: u64,
    /// Whether it has ended and only waits to be noticed.
    pub(crate) ended: bool,
}

/// Reads the state of a process; `None` if there is none with this id.
pub(crate) fn stat(pid: u32) -> Option<Stat> {
    parse_stat(&fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)
}

/// The name may hold blanks and brackets, so fields are counted from its last bracket.
fn parse_stat(line: &str) -> Option<Stat> {
    let (pid, rest) = line.split_once(" (")?;
    let (name, rest) = rest.rsplit_once(") ")?;
    let fields: Vec<&str> = rest.split_ascii_whitespace().collect();
    Some(Stat {
        pid: pid.parse().ok()?,
        name: name.to_owned(),
        ended: matches!(*fields.first()?, "Z" | "X"),
        group: fields.get(2)?.parse().ok()?,
        start_time: fields.get(19)?.parse().ok()?,
    })
}

/// The id of this boot of the machine.
pub(crate) fn boot_id() -> io::Result<String> {
    Ok(fs::read_to_string("/proc/sys/kernel/random/boot_id")?
        .trim()
        .to_owned())
}

/// The identity of a process that was just started.
pub(crate) fn identity(pid: u32) -> io::Result<Identity> {
    let stat = stat(pid).ok_or_else(|| io::Error::from(io::ErrorKind::NotFound))?;
    Ok(Identity {
        pid,
        start_time: stat.start_time,
        boot_id: boot_id()?,
    })
}

/// Whether this very process still runs.
pub(crate) fn is_running(identity: &Identity) -> bool {
    stat(identity.pid).is_some_and(|stat| !stat.ended && stat.start_time == identity.start_time)
        && boot_id().is_ok_and(|boot_id| boot_id == identity.boot_id)
}

/// All running processes.
pub(crate) fn all() -> impl Iterator<Item = Stat> {
    fs::read_dir("/proc")
        .into_iter()
        .flatten()
        .filter_map(|entry| stat(entry.ok()?.file_name().to_str()?.parse().ok()?))
        .filter(|stat| !stat.ended)
}

/// The value of a variable in the environment with which a process was started.
pub(crate) fn variable(pid: u32, name: &str) -> Option<String> {
    let environ = fs::read(format!("/proc/{pid}/environ")).ok()?;
    let found = environ.split(|byte| *byte == 0).find_map(|entry| {
        entry
            .strip_prefix(name.as_bytes())
            .and_then(|rest| rest.strip_prefix(b"="))
    })?;
    Some(String::from_utf8_lossy(found).into_owned())
}

/// The ports on which some processes listen, lowest first.
pub(crate) fn listening_ports(pids: impl IntoIterator<Item = u32>) -> Vec<u16> {
    let sockets: BTreeSet<u64> = pids.into_iter().flat_map(sockets_of).collect();
    let ports: BTreeSet<u16> = listeners()
        .filter(|(inode, _)| sockets.contains(inode))
        .map(|(_, port)| port)
        .collect();
    ports.into_iter().collect()
}

/// Who listens on a port, in words.
pub(crate) fn port_owner(port: u16) -> String {
    let inodes: BTreeSet<u64> = listeners()
        .filter(|(_, used)| *used == port)
        .map(|(inode, _)| inode)
        .collect();
    all()
        .find(|stat| sockets_of(stat.pid).any(|inode| inodes.contains(&inode)))
        .map_or_else(
            || "a process that cannot be seen".to_owned(),
            |stat| format!("`{}` (process {})", stat.name, stat.pid),
        )
}

/// Listening TCP sockets: inode and port.
fn listeners() -> impl Iterator<Item = (u64, u16)> {
    ["/proc/net/tcp", "/proc/net/tcp6"]
        .into_iter()
        .flat_map(|path| {
            let table = fs::read_to_string(path).unwrap_or_default();
            table
                .lines()
                .skip(1)
                .filter_map(parse_listener)
                .collect::<Vec<_>>()
        })
}

/// One line of `/proc/net/tcp`, if it stands for a listening socket.
fn parse_listener(line: &str) -> Option<(u64, u16)> {
    const LISTEN: &str = "0A";
    let fields: Vec<&str> = line.split_ascii_whitespace().collect();
    if *fields.get(3)? != LISTEN {
        return None;
    }
    let (_, port) = fields.get(1)?.rsplit_once(':')?;
    Some((
        fields.get(9)?.parse().ok()?,
        u16::from_str_radix(port, 16).ok()?,
    ))
}

/// Inodes of the sockets that a process has open.
fn sockets_of(pid: u32) -> impl Iterator<Item = u64> {
    fs::read_dir(format!("/proc/{pid}/fd"))
        .into_iter()
        .flatten()
        .filter_map(|entry| {
            let target = fs::read_link(entry.ok()?.path()).ok()?;
            target
                .to_str()?
                .strip_prefix("socket:[")?
                .strip_suffix(']')?
                .parse()
                .ok()
        })
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::{identity, is_running, listening_ports, parse_stat, port_owner};

    #[test]
    fn reads_a_process_with_a_strange_name() {
        let line = "77 (a) b (c)) S 1 70 70 0 -1 4194304 1 2 3 4 5 6 7 8 20 0 1 0 4242 9 9";
        let stat = parse_stat(line).unwrap();
        assert_eq!((stat.pid, stat.group, stat.start_time), (77, 70, 4242));
        assert_eq!(stat.name, "a) b (c)");
        assert!(!stat.ended);
    }

    #[test]
    fn a_process_is_told_from_a_later_one_with_its_id() {
        let ours = identity(std::process::id()).unwrap();
        assert!(is_running(&ours));
        let mut other = ours.clone();
        other.start_time += 1;
        assert!(!is_running(&other));
        other = ours;
        other.boot_id.push('x');
        assert!(!is_running(&other));
    }

    #[test]
    fn finds_who_listens() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        assert!(listening_ports([std::process::id()]).contains(&port));
        assert!(port_owner(port).contains(&std::process::id().to_string()));
    }
}
