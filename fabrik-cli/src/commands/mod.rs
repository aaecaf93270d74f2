//! One function a command.

mod agent;
mod apply;
mod completions;
mod destroy;
mod docs;
mod doctor;
mod eject;
mod explain;
mod export;
mod graph;
mod history;
mod import;
mod lint;
mod logs;
mod man;
mod new;
mod outputs;
mod plan;
mod provider;
mod refresh;
mod rollback;
mod schema;
mod secrets;
mod state;
mod status;
mod templates;
mod validate;
mod wp;

use crate::args::Command;
use crate::fail::Done;
use crate::session::Session;

/// Runs a command. Those that need no threads start none.
pub(crate) fn run(session: &mut Session, command: Command) -> Done {
    match command {
        Command::Validate(args) => {
            session.block_on(async |session| validate::validate(session, &args).await)
        }
        Command::Provider(args) => {
            session.block_on(async |session| provider::run(session, &args.command).await)
        }
        Command::Eject(args) => {
            session.block_on(async |session| eject::eject(session, &args).await)
        }
        Command::Export(args) => {
            session.block_on(async |session| export::export(session, &args).await)
        }
        Command::Lint(args) => lint::lint(session, &args),
        Command::Wp(args) => {
            session.block_on(async |session| wp::run(session, &args.command).await)
        }
        Command::New(args) => new::new(session, &args),
        Command::Templates(args) => templates::templates(session, &args),
        Command::Schema(args) => schema::schema(session, &args),
        Command::Docs(args) => docs::docs(session, &args),
        Command::Explain(args) => explain::explain(session, &args),
        Command::Completions(args) => completions::completions(session, &args),
        Command::Man(args) => man::man(session, &args),
        Command::Agent(args) => agent::agent(session, &args),
        Command::Plan(args) => session.block_on(async |session| plan::plan(session, &args).await),
        Command::Apply(args) => {
            session.block_on(async |session| apply::apply(session, &args).await)
        }
        Command::Destroy(args) => {
            session.block_on(async |session| destroy::destroy(session, &args).await)
        }
        Command::Refresh(args) => {
            session.block_on(async |session| refresh::refresh(session, &args).await)
        }
        Command::Status(args) => {
            session.block_on(async |session| status::status(session, &args).await)
        }
        Command::Outputs(args) => {
            session.block_on(async |session| outputs::outputs(session, &args).await)
        }
        Command::Logs(args) => session.block_on(async |session| logs::logs(session, &args).await),
        Command::History(args) => {
            session.block_on(async |session| history::run(session, &args).await)
        }
        Command::Rollback(args) => {
            session.block_on(async |session| rollback::rollback(session, &args).await)
        }
        Command::Import(args) => {
            session.block_on(async |session| import::import(session, &args).await)
        }
        Command::Graph(args) => {
            session.block_on(async |session| graph::graph(session, &args).await)
        }
        Command::State(args) => {
            session.block_on(async |session| state::run(session, &args.command).await)
        }
        Command::Secrets(args) => {
            session.block_on(async |session| secrets::run(session, &args.command).await)
        }
        Command::Doctor(args) => {
            session.block_on(async |session| doctor::doctor(session, &args).await)
        }
    }
}
