//! Calls and reads whose members are of several types.

use async_trait::async_trait;

use crate::error::Result;
use crate::provider::{Cx, Object, Operation, Outcome, ReadRequest};

/// Carries out calls and reads of several types at once, for a service that takes all of them in
/// one request: a site whose pages, menus and settings are written in one transaction.
///
/// The types are added as resources as usual, with the same read group and write group in their
/// keys. For the types that [`Groups::takes`], reads and operations come here, also single ones, and
/// the type's own `create`, `read`, `update`, `delete`, `read_many` and `apply_group` are not called;
/// planning, locating and listing stay with the type.
///
/// *Behaviour*: that of [`crate::provider::Instance::read`] and
/// [`crate::provider::Instance::apply`]: one answer for each member, in order. Members of a linked
/// group may hold expressions that refer to earlier members ([`super::linked_inputs`]).
#[async_trait]
pub trait Groups<C: Send + Sync>: Send + Sync + 'static {
    /// Whether objects of this type are read and written here.
    fn takes(&self, type_name: &str) -> bool;

    /// Whether objects of this type are only read here, together with the others: what changes them
    /// is the type's own `create`, `update`, `delete`. As [`Groups::takes`] unless overridden.
    fn reads(&self, type_name: &str) -> bool {
        self.takes(type_name)
    }

    /// Reads objects of one read group. Each request has what is known of its object, so that what
    /// was last sent can be told from what is there.
    async fn read(&self, cx: &Cx, client: &C, group: &[ReadRequest])
    -> Vec<Result<Option<Object>>>;

    /// Carries out the operations of one call.
    async fn apply(&self, cx: &Cx, client: &C, call: &[Operation]) -> Vec<Outcome>;
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use async_trait::async_trait;
    use schemars::JsonSchema;
    use serde::{Deserialize, Serialize};

    use super::Groups;
    use crate::address::Address;
    use crate::error::Result;
    use crate::provider::typed::{Change, Created, Observed, ProviderBuilder, Resource};
    use crate::provider::{
        Cx, Instance, Object, OpId, Operation, Outcome, Provider as _, ReadRequest, Verb,
    };
    use crate::value::Value;
    use std::sync::Arc;

    #[derive(Deserialize, JsonSchema)]
    struct Config {}
    #[derive(Serialize, Deserialize, JsonSchema)]
    struct Nothing {}
    type Calls = Arc<Mutex<Vec<String>>>;

    macro_rules! thing {
        ($name:ident, $type_name:literal) => {
            struct $name;
            impl Resource for $name {
                const TYPE: &'static str = $type_name;
                type Client = Calls;
                type Spec = Nothing;
                type Outputs = Nothing;
                async fn create(
                    &self,
                    _: &Cx,
                    calls: &Calls,
                    _: &Nothing,
                ) -> Result<Created<Nothing>> {
                    calls.lock().unwrap().push(format!("create {}", Self::TYPE));
                    Ok(Created::new("alone", Nothing {}))
                }
                async fn read(
                    &self,
                    _: &Cx,
                    calls: &Calls,
                    _: &str,
                ) -> Result<Option<Observed<Nothing, Nothing>>> {
                    calls.lock().unwrap().push(format!("read {}", Self::TYPE));
                    Ok(None)
                }
                async fn update(
                    &self,
                    _: &Cx,
                    _: &Calls,
                    _: &str,
                    _: &Change<'_, Nothing>,
                ) -> Result<Nothing> {
                    Ok(Nothing {})
                }
                async fn delete(&self, _: &Cx, _: &Calls, _: &str) -> Result<()> {
                    Ok(())
                }
            }
        };
    }
    thing!(Page, "acme.page");
    thing!(Menu, "acme.menu");
    thing!(Key, "acme.key");

    struct Together;
    #[async_trait]
    impl Groups<Calls> for Together {
        fn takes(&self, type_name: &str) -> bool {
            type_name != "acme.key"
        }
        async fn read(
            &self,
            _: &Cx,
            calls: &Calls,
            group: &[ReadRequest],
        ) -> Vec<Result<Option<Object>>> {
            calls.lock().unwrap().push(format!("read {}", group.len()));
            group
                .iter()
                .map(|one| Ok(Some(one.prior.clone())))
                .collect()
        }
        async fn apply(&self, _: &Cx, calls: &Calls, call: &[Operation]) -> Vec<Outcome> {
            calls.lock().unwrap().push(format!("apply {}", call.len()));
            call.iter().map(|_| Outcome::Gone).collect()
        }
    }

    async fn open(calls: &Calls) -> Arc<dyn Instance> {
        let calls = calls.clone();
        let connect = move |_: &Cx, _: Config| {
            let calls = calls.clone();
            async move { Ok(calls) }
        };
        let provider = ProviderBuilder::new("acme", "1.0.0", connect)
            .resource(Page)
            .resource(Menu)
            .resource(Key)
            .groups(Together)
            .build();
        let nothing = Value::map::<&str>([]);
        provider.open(&Cx::detached(), &nothing).await.unwrap()
    }

    fn operation(type_name: &str) -> Operation {
        Operation {
            op: OpId(1),
            address: Address::resource("a").unwrap(),
            type_name: type_name.into(),
            verb: Verb::Create,
            prior: None,
            observed: None,
            inputs: Value::map::<&str>([]),
            checkpoint: None,
            undoes: None,
        }
    }

    #[tokio::test]
    async fn types_that_are_taken_go_together_and_others_alone() {
        let calls = Calls::default();
        let opened = open(&calls).await;
        let cx = Cx::detached();
        let request = |type_name: &str, id: &str| ReadRequest {
            address: Address::resource("a").unwrap(),
            type_name: type_name.into(),
            prior: Object {
                id: id.into(),
                ..Object::default()
            },
        };
        let group = [
            request("acme.page", "1"),
            request("acme.key", "2"),
            request("acme.menu", "3"),
        ];
        let ids: Vec<Option<String>> = opened
            .read(&cx, &group)
            .await
            .into_iter()
            .map(|answer| answer.unwrap().map(|object| object.id))
            .collect();
        assert_eq!(ids, [Some("1".into()), None, Some("3".into())]);

        let call = [operation("acme.page"), operation("acme.menu")];
        assert_eq!(opened.apply(&cx, &call).await.len(), 2);
        opened.apply(&cx, &call[..1]).await;
        let mixed = [operation("acme.page"), operation("acme.key")];
        let outcomes = opened.apply(&cx, &mixed).await;
        assert!(matches!(outcomes[..], [Outcome::Gone, Outcome::Done(_)]));
        assert_eq!(
            *calls.lock().unwrap(),
            [
                "read 2",
                "read acme.key",
                "apply 2",
                "apply 1",
                "apply 1",
                "create acme.key"
            ]
        );
    }
}
