//! The HTTP side: a reverse proxy and a server of static files.

mod access;
mod body;
mod headers;
mod pages;
pub(crate) mod patterns;
mod proxy;
mod server;
mod site;
mod tunnel;

pub(crate) use access::AccessLog;
pub(crate) use server::{Listeners, Web, bind};
