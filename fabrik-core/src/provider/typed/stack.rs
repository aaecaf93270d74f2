//! Building a stack in code from typed resources.

use std::marker::PhantomData;

use super::{Resource, encode};
use crate::address::Address;
use crate::diagnostic::did_you_mean;
use crate::error::{Error, ErrorKind, Result};
use crate::expr::{Expr, Reference};
use crate::provider::Fields;
use crate::stack::{Declared, Stack};
use crate::value::{Path, Value};

/// A typed resource of a stack: what others refer to.
#[derive(Debug)]
pub struct Handle<R> {
    address: Address,
    resource: PhantomData<fn() -> R>,
}

impl<R> Clone for Handle<R> {
    fn clone(&self) -> Self {
        Handle {
            address: self.address.clone(),
            resource: PhantomData,
        }
    }
}

impl<R: Resource> Handle<R> {
    /// Its address.
    pub fn address(&self) -> &Address {
        &self.address
    }

    /// A reference to one of its outputs or inputs, known once it is made.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] for a name that neither its outputs nor its inputs have.
    pub fn get(&self, path: &str) -> Result<Value> {
        let wanted = Path::parse(path);
        let first = path.split(['.', '[']).next().unwrap_or_default();
        let outputs = schemars::schema_for!(R::Outputs);
        let inputs = schemars::schema_for!(R::Spec);
        let names: Vec<&str> = [&outputs, &inputs]
            .into_iter()
            .filter_map(|schema| schema.get("properties")?.as_object())
            .flat_map(|properties| properties.keys().map(String::as_str))
            .chain(["id"])
            .collect();
        if names.contains(&first) {
            return Ok(Value::from(Expr::from(Reference::output(
                self.address.clone(),
                wanted,
            ))));
        }
        let error = Error::new(
            ErrorKind::NotFound,
            format!("`{}` has neither an output nor an input `{first}`", R::TYPE),
        );
        Err(match did_you_mean(first, names.iter().copied()) {
            Some(near) => error.hint(format!("did you mean `{near}`?")),
            None => error,
        })
    }
}

impl Stack {
    /// Adds a typed resource under `resources.ID`.
    ///
    /// ```
    /// # use fabrik_core::provider::typed::{Change, Created, Observed, Resource};
    /// # use fabrik_core::provider::Cx;
    /// # use fabrik_core::error::Result;
    /// # use schemars::JsonSchema;
    /// # use serde::{Deserialize, Serialize};
    /// # #[derive(Clone, Serialize, Deserialize, JsonSchema)]
    /// # struct NoteSpec { folder: String, text: String }
    /// # #[derive(Clone, Serialize, Deserialize, JsonSchema)]
    /// # struct NoteOut { url: String }
    /// # fn out(id: &str) -> NoteOut {
    /// #     NoteOut { url: format!("https://acme.test/{id}") }
    /// # }
    /// # struct Note;
    /// # impl Resource for Note {
    /// #     const TYPE: &'static str = "acme.note";
    /// #     type Client = ();
    /// #     type Spec = NoteSpec;
    /// #     type Outputs = NoteOut;
    /// #     async fn create(&self, _: &Cx, _: &(), _: &NoteSpec) -> Result<Created<NoteOut>> {
    /// #         Ok(Created::new("1", out("1")))
    /// #     }
    /// #     async fn read(&self, _: &Cx, _: &(), _: &str) -> Result<Option<Observed<NoteSpec, NoteOut>>> {
    /// #         Ok(None)
    /// #     }
    /// #     async fn update(&self, _: &Cx, _: &(), id: &str, _: &Change<'_, NoteSpec>) -> Result<NoteOut> {
    /// #         Ok(out(id))
    /// #     }
    /// #     async fn delete(&self, _: &Cx, _: &(), _: &str) -> Result<()> {
    /// #         Ok(())
    /// #     }
    /// # }
    /// use fabrik_core::stack::Stack;
    ///
    /// let mut stack = Stack::new("notes");
    /// let first = stack.add::<Note>("first", &NoteSpec { folder: "a".into(), text: "one".into() })?;
    /// let url = first.get("url")?;
    /// let second = NoteSpec { folder: "a".into(), text: String::new() };
    /// // Its text is the first one's URL, which is known once that is made.
    /// stack.add_with::<Note>("second", &second, [("text", url)])?;
    /// assert!(first.get("urk").is_err());
    /// assert_eq!(stack.resources.len(), 2);
    /// # Ok::<(), fabrik_core::error::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`] for an id that is none, [`ErrorKind::Conflict`] for one that is taken.
    pub fn add<R: Resource>(&mut self, id: &str, spec: &R::Spec) -> Result<Handle<R>> {
        self.add_with(id, spec, [])
    }

    /// As [`Stack::add`], with the fields named set to references, secrets or other values instead
    /// of what `spec` says.
    ///
    /// # Errors
    /// As [`Stack::add`].
    pub fn add_with<'a, R: Resource>(
        &mut self,
        id: &str,
        spec: &R::Spec,
        fields: impl IntoIterator<Item = (&'a str, Value)>,
    ) -> Result<Handle<R>> {
        let facts = Fields::of_schema(schemars::schema_for!(R::Spec).as_value());
        let mut inputs = encode(spec, Some(&facts))?;
        for (field, value) in fields {
            inputs = inputs.with(&Path::parse(field), value);
        }
        let address = Address::resource(id)?;
        self.declare(Declared::new(address.clone(), R::TYPE, inputs))?;
        Ok(Handle {
            address,
            resource: PhantomData,
        })
    }
}
