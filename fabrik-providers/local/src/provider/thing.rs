//! What all types have in common whose objects the agent keeps by name.

use fabrik_core::error::{Error, ErrorKind, Result};
use fabrik_core::provider::typed::{Change, Created, Found, Observed, ReadAnswer};
use fabrik_core::provider::{Cx, Finding, Keys, LogLine, LogOptions};
use fabrik_core::value::{Path, Value};

use super::group;
use super::link::{Local, Picture};
use super::written::{self, Of};
use crate::client::Client;
use crate::protocol::Kind;

/// What was found of an object of a type.
pub(super) type Seen<T> = Observed<<T as Thing>::Spec, <T as Thing>::Outputs>;

/// A type whose objects the agent keeps by name, each made by one request that may be repeated.
///
/// [`kept_by_agent!`](super::kept_by_agent) makes a resource of it; only what differs from type to
/// type is said here.
pub(super) trait Thing: Sized + Send + Sync + 'static {
    /// What the agent calls such an object.
    const KIND: Kind;
    type Spec: Send + Sync + 'static;
    type Outputs: Send + Sync + 'static;

    /// The object's name in the agent, which is its id.
    fn id(spec: &Self::Spec) -> Result<String>;

    /// The name under which it is noted who made it.
    fn claimed_as(id: &str) -> String {
        id.to_owned()
    }

    /// The names of all objects.
    fn ids(picture: &Picture) -> Vec<&str>;

    /// One object, by its name.
    fn observe(picture: &Picture, local: &Local, id: &str) -> Option<Seen<Self>>;

    /// Makes the object, or changes it to this.
    fn put(
        cx: &Cx,
        local: &Local,
        agent: &Client,
        id: &str,
        spec: &Self::Spec,
    ) -> impl Future<Output = Result<Self::Outputs>> + Send;

    /// Removes the object.
    fn remove(agent: &Client, id: &str) -> impl Future<Output = Result<()>> + Send;

    /// Whose log is the object's, where it has one.
    fn log_of(_: &str) -> Option<Of> {
        None
    }

    /// What no two calls may meet on, and what is read together.
    fn keys(type_name: &str, inputs: &Value) -> Keys {
        group(type_name, "name", inputs)
    }
}

/// Makes an object, unless somebody else made one of its name.
pub(super) async fn create<T: Thing>(
    cx: &Cx,
    local: &Local,
    spec: &T::Spec,
) -> Result<Created<T::Outputs>> {
    let id = T::id(spec)?;
    let agent = local.claimed(cx, T::KIND, &T::claimed_as(&id)).await?;
    let outputs = T::put(cx, local, agent, &id, spec).await?;
    Ok(Created::new(id, outputs))
}

/// Changes an object.
pub(super) async fn update<T: Thing>(
    cx: &Cx,
    local: &Local,
    id: &str,
    change: &Change<'_, T::Spec>,
) -> Result<T::Outputs> {
    T::put(cx, local, local.agent().await?, id, change.spec).await
}

/// Reads one object.
pub(super) async fn read<T: Thing>(local: &Local, id: &str) -> Result<Option<Seen<T>>> {
    Ok(T::observe(&local.picture().await?, local, id))
}

/// Reads several objects from one picture.
pub(super) async fn read_many<T: Thing>(
    local: &Local,
    ids: &[String],
) -> Vec<ReadAnswer<T::Spec, T::Outputs>> {
    match local.picture().await {
        Ok(picture) => {
            let ids = ids.iter();
            ids.map(|id| Ok(T::observe(&picture, local, id))).collect()
        }
        Err(error) => ids.iter().map(|_| Err(error.clone())).collect(),
    }
}

/// Removes an object; for what is gone no agent is launched.
pub(super) async fn delete<T: Thing>(local: &Local, id: &str) -> Result<()> {
    if !T::ids(&local.picture().await?).contains(&id) {
        return Ok(());
    }
    T::remove(local.agent().await?, id).await
}

/// All objects.
pub(super) async fn list<T: Thing>(local: &Local) -> Result<Vec<Found<T::Spec, T::Outputs>>> {
    let picture = local.picture().await?;
    let found = T::ids(&picture).into_iter().filter_map(|id| {
        Some(Found {
            id: id.to_owned(),
            observed: T::observe(&picture, local, id)?,
            marked: false,
        })
    });
    Ok(found.collect())
}

/// The log of an object.
pub(super) async fn logs<T: Thing>(
    type_name: &str,
    local: &Local,
    id: &str,
    options: &LogOptions,
) -> Result<Vec<LogLine>> {
    match T::log_of(id) {
        Some(of) => written::read(local, of, options).await,
        None => Err(Error::new(
            ErrorKind::Unsupported,
            format!("`{type_name}` has no logs"),
        )),
    }
}

/// What to say when something of the wanted name is there and this stack did not make it.
pub(super) async fn exists<T: Thing>(
    local: &Local,
    what: &str,
    desired: &Value,
) -> Result<Option<Finding>> {
    let picture = local.picture().await?;
    let Some(name) = desired.get("name").and_then(Value::as_str) else {
        return Ok(None);
    };
    Ok(T::ids(&picture).contains(&name).then(|| Finding {
        blocking: false,
        message: format!("a {what} `{name}` exists already, and this stack did not make it"),
        hint: Some("choose another name, unless it is yours".to_owned()),
        field: Some(Path::key("name")),
        adopt: Some(name.to_owned()),
    }))
}

/// Makes a resource of a [`Thing`]: `kept_by_agent!(Bucket, "local.bucket", BucketInputs,
/// BucketOutputs; …)`. Methods of [`Resource`](fabrik_core::provider::typed::Resource) that the type
/// has beside the usual ones come last.
macro_rules! kept_by_agent {
    ($thing:ty, $name:literal, $spec:ty, $outputs:ty; $($more:tt)*) => {
        impl fabrik_core::provider::typed::Resource for $thing {
            const TYPE: &'static str = $name;
            type Client = $crate::provider::link::Local;
            type Spec = $spec;
            type Outputs = $outputs;

            async fn create(
                &self,
                cx: &fabrik_core::provider::Cx,
                local: &Self::Client,
                spec: &$spec,
            ) -> fabrik_core::error::Result<fabrik_core::provider::typed::Created<$outputs>> {
                $crate::provider::thing::create::<Self>(cx, local, spec).await
            }

            async fn read(
                &self,
                _: &fabrik_core::provider::Cx,
                local: &Self::Client,
                id: &str,
            ) -> fabrik_core::error::Result<
                Option<fabrik_core::provider::typed::Observed<$spec, $outputs>>,
            > {
                $crate::provider::thing::read::<Self>(local, id).await
            }

            async fn read_many(
                &self,
                _: &fabrik_core::provider::Cx,
                local: &Self::Client,
                ids: &[String],
            ) -> Vec<fabrik_core::provider::typed::ReadAnswer<$spec, $outputs>> {
                $crate::provider::thing::read_many::<Self>(local, ids).await
            }

            async fn update(
                &self,
                cx: &fabrik_core::provider::Cx,
                local: &Self::Client,
                id: &str,
                change: &fabrik_core::provider::typed::Change<'_, $spec>,
            ) -> fabrik_core::error::Result<$outputs> {
                $crate::provider::thing::update::<Self>(cx, local, id, change).await
            }

            async fn delete(
                &self,
                _: &fabrik_core::provider::Cx,
                local: &Self::Client,
                id: &str,
            ) -> fabrik_core::error::Result<()> {
                $crate::provider::thing::delete::<Self>(local, id).await
            }

            fn keys(
                &self,
                _: &Self::Client,
                inputs: &fabrik_core::value::Value,
            ) -> fabrik_core::provider::Keys {
                <Self as $crate::provider::thing::Thing>::keys($name, inputs)
            }

            async fn list(
                &self,
                _: &fabrik_core::provider::Cx,
                local: &Self::Client,
            ) -> fabrik_core::error::Result<
                Vec<fabrik_core::provider::typed::Found<$spec, $outputs>>,
            > {
                $crate::provider::thing::list::<Self>(local).await
            }

            async fn logs(
                &self,
                _: &fabrik_core::provider::Cx,
                local: &Self::Client,
                id: &str,
                options: &fabrik_core::provider::LogOptions,
            ) -> fabrik_core::error::Result<Vec<fabrik_core::provider::LogLine>> {
                $crate::provider::thing::logs::<Self>($name, local, id, options).await
            }

            $($more)*
        }
    };
}
pub(super) use kept_by_agent;
