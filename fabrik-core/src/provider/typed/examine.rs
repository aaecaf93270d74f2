//! How a typed provider looks at its service.

use std::future::Future;

use crate::clock::BoxFuture;
use crate::provider::{Cx, Health};

/// Looks at a service through a connected client. Implemented by
/// `async |cx: &Cx, client: &Client| -> Vec<Health> { … }`.
pub trait Examine<C>: Send + Sync + 'static {
    /// Looks.
    fn examine<'a>(&'a self, cx: &'a Cx, client: &'a C) -> BoxFuture<'a, Vec<Health>>;
}

impl<C, F> Examine<C> for F
where
    C: Sync + 'static,
    F: for<'a> ExamineFn<'a, C> + Send + Sync + 'static,
{
    fn examine<'a>(&'a self, cx: &'a Cx, client: &'a C) -> BoxFuture<'a, Vec<Health>> {
        Box::pin(self.call(cx, client))
    }
}

/// A helper for [`Examine`]: a function whose future may borrow context and client.
pub trait ExamineFn<'a, C: 'a> {
    /// The future.
    type Future: Future<Output = Vec<Health>> + Send + 'a;
    /// Calls the function.
    fn call(&'a self, cx: &'a Cx, client: &'a C) -> Self::Future;
}

impl<'a, C, F, T> ExamineFn<'a, C> for F
where
    C: 'a,
    F: Fn(&'a Cx, &'a C) -> T,
    T: Future<Output = Vec<Health>> + Send + 'a,
{
    type Future = T;
    fn call(&'a self, cx: &'a Cx, client: &'a C) -> T {
        self(cx, client)
    }
}

#[cfg(test)]
mod tests {
    use schemars::JsonSchema;
    use serde::Deserialize;

    use crate::error::Result;
    use crate::provider::typed::ProviderBuilder;
    use crate::provider::{Cx, Health, Provider as _, Verdict};
    use crate::value::Value;

    #[derive(Deserialize, JsonSchema)]
    struct Config {}
    struct Client {
        scopes: Vec<&'static str>,
    }

    async fn connect(_: &Cx, _: Config) -> Result<Client> {
        Ok(Client {
            scopes: vec!["read"],
        })
    }

    #[tokio::test]
    async fn a_closure_over_context_and_client_examines() {
        let provider = ProviderBuilder::new("acme", "1.0.0", connect)
            .doctor(async |cx: &Cx, client: &Client| {
                _ = cx.sleep(std::time::Duration::ZERO).await;
                let missing: Vec<&str> = ["read", "write"]
                    .into_iter()
                    .filter(|scope| !client.scopes.contains(scope))
                    .collect();
                vec![Health::permissions(&["read", "write"], &missing)]
            })
            .build();
        let cx = Cx::detached();
        let nothing = Value::map::<&str>([]);
        let opened = provider.open(&cx, &nothing).await.unwrap();
        let found = opened.examine(&cx).await;
        assert_eq!(found[0].verdict, Verdict::Fail);
        assert_eq!(found[0].text, "lacks write");

        let plain = ProviderBuilder::new("acme", "1.0.0", connect).build();
        let opened = plain.open(&cx, &nothing).await.unwrap();
        assert!(opened.examine(&cx).await.is_empty());
    }
}
