//! Not there yet.
#![allow(missing_docs)]
use fabrik_core::address::Address;
use fabrik_core::engine::*;
use fabrik_core::error::*;
use fabrik_core::plan::Plan;
use fabrik_core::provider::*;
use fabrik_core::stack::Stack;
use fabrik_core::state::*;
use fabrik_core::value::Value;
use std::sync::Arc;
pub(crate) trait Later {
    async fn plan(&self, stack: Arc<Stack>, options: &PlanOptions) -> Result<Plan>;
    async fn plan_rollback(
        &self,
        revision: Revision,
        current: Arc<Stack>,
        options: &PlanOptions,
    ) -> Result<Plan>;
    fn apply(&self, plan: Plan, options: ApplyOptions) -> Run<RunReport>;
    fn recover(&self, stack: Option<Arc<Stack>>, resume: bool) -> Run<Recovered>;
    async fn import(&self, stack: Arc<Stack>, address: &Address, id: &str) -> Result<Row>;
    async fn move_state(&self, from: &str, to: &str) -> Result<usize>;
    async fn remove_state(&self, globs: &[String]) -> Result<Vec<Address>>;
    async fn set_secret(&self, name: &str, value: Value) -> Result<()>;
    async fn rotate_secret(&self, name: &str) -> Result<()>;
    async fn logs(
        &self,
        stack: Arc<Stack>,
        address: &Address,
        options: &LogOptions,
    ) -> Result<Vec<LogLine>>;
}
impl Later for Engine {
    async fn plan(&self, _stack: Arc<Stack>, _options: &PlanOptions) -> Result<Plan> {
        panic!()
    }
    async fn plan_rollback(
        &self,
        _revision: Revision,
        _current: Arc<Stack>,
        _options: &PlanOptions,
    ) -> Result<Plan> {
        panic!()
    }
    fn apply(&self, _plan: Plan, _options: ApplyOptions) -> Run<RunReport> {
        panic!()
    }
    fn recover(&self, _stack: Option<Arc<Stack>>, _resume: bool) -> Run<Recovered> {
        panic!()
    }
    async fn import(&self, _stack: Arc<Stack>, _address: &Address, _id: &str) -> Result<Row> {
        panic!()
    }
    async fn move_state(&self, _from: &str, _to: &str) -> Result<usize> {
        panic!()
    }
    async fn remove_state(&self, _globs: &[String]) -> Result<Vec<Address>> {
        panic!()
    }
    async fn set_secret(&self, _name: &str, _value: Value) -> Result<()> {
        panic!()
    }
    async fn rotate_secret(&self, _name: &str) -> Result<()> {
        panic!()
    }
    async fn logs(
        &self,
        _stack: Arc<Stack>,
        _address: &Address,
        _options: &LogOptions,
    ) -> Result<Vec<LogLine>> {
        panic!()
    }
}
pub(crate) fn replay(_: &[(Position, Entry)]) -> Vec<fabrik_core::event::Event> {
    panic!()
}
pub(crate) fn schema(_: &Registry) -> serde_json::Value {
    panic!()
}
