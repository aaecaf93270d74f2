#![doc = include_str!("../README.md")]

mod auth;
mod client;
mod clocks;
mod config;
mod failure;
mod layers;
mod reply;
mod request;
mod tls;
mod transport;
mod wait;

pub use auth::{Auth, Authenticator};
pub use client::Client;
pub use config::{HttpConfig, Rate};
pub use reply::Reply;
pub use request::{Next, Request};
pub use transport::{Answer, Body, Call, Failure, FailureKind, Safety, Transport};

pub use wait::Wait;

pub use http::Method;
