#![doc = include_str!("../README.md")]

mod application;
mod body;
mod client;
mod deployment;
mod env;
mod environment;
mod owner;
mod problem;
mod project;
mod server;
mod version;

use fabrik_core::provider::typed::{ProviderBuilder, TypedProvider};
use fabrik_core::provider::{Cx, Provider};

pub use application::{
    Application, ApplicationOutputs, ApplicationSpec, BasicAuth, Build, Git, Health, Hook, Limits,
    Method, Pack, Redirect, Settings,
};
pub use client::{Coolify, CoolifyConfig};
pub use deployment::{Deployment, DeploymentOutputs, DeploymentSpec};
pub use env::{Env, EnvMode, EnvOutputs, EnvSpec};
pub use environment::{Environment, EnvironmentOutputs, EnvironmentSpec};
pub use project::{Project, ProjectOutputs, ProjectSpec};
pub use server::{Server, ServerOutputs, ServerSpec};
pub use version::{FLOOR, GATES, Gate, Version};

/// The provider `coolify`.
pub fn provider() -> impl Provider {
    build()
}

fn build() -> TypedProvider<CoolifyConfig, Coolify> {
    let open = |cx: &Cx, config: CoolifyConfig| {
        let cx = cx.clone();
        async move { Coolify::open(&cx, config).await }
    };
    ProviderBuilder::new("coolify", env!("CARGO_PKG_VERSION"), open)
        .max_in_flight(client::MOST_IN_FLIGHT)
        .facts(Coolify::facts)
        .resource(Project)
        .resource(Environment)
        .lookup(Server)
        .resource(Application)
        .resource(Env)
        .action(Deployment)
        .build()
}
