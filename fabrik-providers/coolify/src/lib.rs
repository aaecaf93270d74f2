#![doc = include_str!("../README.md")]

mod application;
mod body;
mod client;
mod compose;
mod database;
mod database_backup;
mod deployment;
mod env;
mod environment;
mod listening;
mod owner;
mod place;
mod players;
mod private_key;
mod problem;
mod project;
mod s3_storage;
mod scheduled_task;
mod server;
mod service;
mod storage;
mod version;

use fabrik_core::provider::typed::{ProviderBuilder, TypedProvider};
use fabrik_core::provider::{Cx, Provider};

pub use application::{
    Application, ApplicationOutputs, ApplicationSpec, BasicAuth, Build, Git, Health, Hook, Limits,
    Method, Pack, Redirect, Settings,
};
pub use client::{Coolify, CoolifyConfig};
pub use database::{Database, DatabaseHealth, DatabaseOutputs, DatabaseSpec, Engine};
pub use database_backup::{DatabaseBackup, DatabaseBackupOutputs, DatabaseBackupSpec};
pub use deployment::{Deployment, DeploymentOutputs, DeploymentSpec};
pub use env::{Env, EnvMode, EnvOutputs, EnvSpec};
pub use environment::{Environment, EnvironmentOutputs, EnvironmentSpec};
pub use players::{BackupPlayer, DatabasePlayer, RuntimePlayer};
pub use private_key::{PrivateKey, PrivateKeyOutputs, PrivateKeySpec};
pub use project::{Project, ProjectOutputs, ProjectSpec};
pub use s3_storage::{S3Storage, S3StorageOutputs, S3StorageSpec};
pub use scheduled_task::{ScheduledTask, ScheduledTaskOutputs, ScheduledTaskSpec};
pub use server::{Server, ServerOutputs, ServerSpec};
pub use service::{Service, ServiceOutputs, ServiceSpec};
pub use storage::{Storage, StorageOutputs, StorageSpec};
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
        .resource(Service)
        .resource(Database)
        .resource(Env)
        .resource(Storage)
        .resource(ScheduledTask)
        .resource(DatabaseBackup)
        .resource(S3Storage)
        .resource(PrivateKey)
        .action(Deployment)
        .player(RuntimePlayer)
        .player(DatabasePlayer)
        .player(BackupPlayer)
        .build()
}
