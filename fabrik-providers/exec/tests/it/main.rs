//! Commands run for real: by `sh` here, over a real OpenSSH server on loopback, and in "containers" of
//! a stand-in for `docker` (see the script beside this file).

mod containers;
mod endings;
mod here;
mod server;
mod ssh;
mod support;
mod traces;
