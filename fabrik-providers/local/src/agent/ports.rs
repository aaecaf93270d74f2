//! Free ports on loopback.

use std::collections::HashSet;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::ops::RangeInclusive;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::net::TcpSocket;

/// Below the range from which systems take the ports of outgoing connections, so that none of
/// those takes a port between our look and the process's.
const RANGE: RangeInclusive<u16> = 18_000..=32_000;

/// The ports that are promised to processes.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ports(Arc<Mutex<HashSet<u16>>>);

/// A promised port; given back when dropped.
#[derive(Debug)]
pub(crate) struct PortLease {
    ports: Ports,
    pub(crate) port: u16,
}

impl Ports {
    /// Promises a free port.
    pub(crate) fn free(&self) -> io::Result<PortLease> {
        let count = RANGE.end() - RANGE.start() + 1;
        let first = RandomState::new().build_hasher().finish();
        let first = u16::try_from(first % u64::from(count)).unwrap_or_default();
        (0..count)
            .map(|step| {
                let offset = (u32::from(first) + u32::from(step)) % u32::from(count);
                RANGE.start() + u16::try_from(offset).unwrap_or_default()
            })
            .filter(|port| !self.is_promised(*port))
            .find(|port| is_free(*port))
            .and_then(|port| self.take(port))
            .ok_or_else(|| io::Error::other("no free port is left"))
    }

    /// Promises a certain port; `None` if it is promised already.
    pub(crate) fn take(&self, port: u16) -> Option<PortLease> {
        let new = self
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(port);
        new.then(|| PortLease {
            ports: self.clone(),
            port,
        })
    }

    fn is_promised(&self, port: u16) -> bool {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .contains(&port)
    }
}

impl Drop for PortLease {
    fn drop(&mut self) {
        self.ports
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(&self.port);
    }
}

/// Whether a process could listen on the port, on loopback or on all addresses. Only binds, never
/// listens, so nobody can connect meanwhile.
pub(crate) fn is_free(port: u16) -> bool {
    let v4 = TcpSocket::new_v4()
        .and_then(|socket| socket.bind(SocketAddr::from((Ipv4Addr::UNSPECIFIED, port))));
    let v6 = TcpSocket::new_v6()
        .and_then(|socket| socket.bind(SocketAddr::from((Ipv6Addr::UNSPECIFIED, port))));
    let in_use = |result: io::Result<()>| {
        result.is_err_and(|error| error.kind() == io::ErrorKind::AddrInUse)
    };
    !in_use(v4) && !in_use(v6)
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::{Ports, is_free};

    #[test]
    fn promised_and_used_ports_are_not_given_out() {
        let ports = Ports::default();
        let lease = ports.free().unwrap();
        assert!(is_free(lease.port));
        assert!(ports.take(lease.port).is_none());
        let port = lease.port;
        drop(lease);
        let _again = ports.take(port).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        assert!(!is_free(listener.local_addr().unwrap().port()));
    }
}
