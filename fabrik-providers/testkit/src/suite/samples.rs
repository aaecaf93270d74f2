//! What an author declares of one type.

use std::any::Any;
use std::collections::BTreeMap;
use std::marker::PhantomData;
use std::sync::Arc;

use serde_json::Value as Json;

use crate::target::Target;

/// Something a human does in the service, to the object of an id.
pub(crate) type Hand = Arc<dyn Fn(&dyn Any, &str) + Send + Sync>;
/// Something a human does in the service.
pub(crate) type Deed = Arc<dyn Fn(&dyn Any) + Send + Sync>;

/// A resource besides the tested one.
#[derive(Clone, Debug)]
pub(crate) struct Also {
    pub(crate) id: String,
    pub(crate) type_name: String,
    pub(crate) inputs: Json,
}

/// What was declared of one type.
#[derive(Clone, Default)]
pub(crate) struct Samples {
    pub(crate) type_name: String,
    pub(crate) also: Vec<Also>,
    pub(crate) minimal: Option<Json>,
    pub(crate) maximal: Option<Json>,
    pub(crate) variants: Vec<(String, Json)>,
    pub(crate) update: Option<Json>,
    pub(crate) replace: Vec<(String, Json)>,
    pub(crate) invalid: Vec<(String, Json, String)>,
    pub(crate) refused: Vec<(String, Json, String)>,
    pub(crate) same: Vec<(String, Json)>,
    pub(crate) unset: Option<Vec<String>>,
    pub(crate) text: Option<Vec<String>>,
    pub(crate) drift: Vec<(String, Hand)>,
    pub(crate) gone: Option<Hand>,
    pub(crate) foreign: Option<Deed>,
    pub(crate) unmanaged: Option<Hand>,
    pub(crate) bad_id: Option<(String, String)>,
    pub(crate) opaque_ids: bool,
    pub(crate) many: Option<(usize, Arc<dyn Fn(usize) -> Json + Send + Sync>)>,
    pub(crate) reads_at_most: Option<usize>,
    pub(crate) slow: Option<Deed>,
    pub(crate) older: Vec<(u32, Arc<dyn Fn(Json) -> Json + Send + Sync>)>,
    pub(crate) not_found: Option<Json>,
    pub(crate) waived: BTreeMap<String, String>,
}

impl Samples {
    /// The fullest sample there is.
    pub(crate) fn fullest(&self) -> Json {
        let sample = self.maximal.as_ref().or(self.minimal.as_ref());
        sample.cloned().unwrap_or_else(|| serde_json::json!({}))
    }

    /// The least sample there is.
    pub(crate) fn least(&self) -> Json {
        let sample = self.minimal.as_ref().or(self.maximal.as_ref());
        sample.cloned().unwrap_or_else(|| serde_json::json!({}))
    }

    /// Every sample, with its name.
    pub(crate) fn every(&self) -> Vec<(&str, &Json)> {
        let named = [
            ("minimal", self.minimal.as_ref()),
            ("maximal", self.maximal.as_ref()),
        ];
        let named = named
            .into_iter()
            .filter_map(|(name, one)| Some((name, one?)));
        let variants = self.variants.iter().map(|(name, one)| (name.as_str(), one));
        named.chain(variants).collect()
    }
}

/// What the suite needs to know of one resource type; see [`crate::Suite::resource`].
///
/// Inputs are written as in a spec. `${…}` refers to what [`Resource::also`] adds:
/// `${resources.folder.id}`. The text `{fbt}` becomes a prefix that is unique where the suite runs
/// against a service others use. Where samples are merged, `null` takes a field out.
pub struct Resource<T> {
    pub(crate) samples: Samples,
    target: PhantomData<fn(&T)>,
}

impl<T> std::fmt::Debug for Resource<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Resource")
            .field("type", &self.samples.type_name)
            .finish_non_exhaustive()
    }
}

fn target<T: Target>(any: &dyn Any) -> &T {
    any.downcast_ref()
        .expect("the suite gives closures its own target")
}

impl<T: Target> Resource<T> {
    pub(crate) fn new(type_name: &str) -> Resource<T> {
        Resource {
            samples: Samples {
                type_name: type_name.to_owned(),
                ..Samples::default()
            },
            target: PhantomData,
        }
    }

    /// A further resource that the case needs, as `resources.ID`.
    #[must_use]
    pub fn also(mut self, id: &str, type_name: &str, inputs: Json) -> Self {
        self.samples.also.push(Also {
            id: id.to_owned(),
            type_name: type_name.to_owned(),
            inputs,
        });
        self
    }

    /// The least that can be set.
    #[must_use]
    pub fn minimal(mut self, inputs: Json) -> Self {
        self.samples.minimal = Some(inputs);
        self
    }

    /// Every field set (fields that exclude each other go into a [`Resource::variant`]).
    #[must_use]
    pub fn maximal(mut self, inputs: Json) -> Self {
        self.samples.maximal = Some(inputs);
        self
    }

    /// Another way to fill in the fields, run through the life cycle too.
    #[must_use]
    pub fn variant(mut self, name: &str, inputs: Json) -> Self {
        self.samples.variants.push((name.to_owned(), inputs));
        self
    }

    /// Merged over the maximal sample, it changes the object in place.
    #[must_use]
    pub fn update(mut self, changes: Json) -> Self {
        self.samples.update = Some(changes);
        self
    }

    /// Another value of a field that cannot change in place. It is tried on the maximal sample, or
    /// on the first [`Resource::variant`] that has the field.
    #[must_use]
    pub fn replace(mut self, field: &str, value: Json) -> Self {
        self.samples.replace.push((field.to_owned(), value));
        self
    }

    /// A value that is refused before anything is written; the error names the field and contains
    /// the text.
    #[must_use]
    pub fn invalid(mut self, field: &str, value: Json, text: &str) -> Self {
        let row = (field.to_owned(), value, text.to_owned());
        self.samples.invalid.push(row);
        self
    }

    /// A value that only the service refuses; the error names the field and contains the text (R12).
    #[must_use]
    pub fn refused(mut self, field: &str, value: Json, text: &str) -> Self {
        let row = (field.to_owned(), value, text.to_owned());
        self.samples.refused.push(row);
        self
    }

    /// Another spelling of the maximal sample's value that means the same (L15). Spellings that
    /// follow from `same` in the schema are tried anyway.
    #[must_use]
    pub fn same(mut self, field: &str, value: Json) -> Self {
        self.samples.same.push((field.to_owned(), value));
        self
    }

    /// The fields that are taken out for L13, where they are not all that `maximal` has and
    /// `minimal` has not.
    #[must_use]
    pub fn unset(mut self, fields: &[&str]) -> Self {
        self.samples.unset = Some(fields.iter().map(|field| (*field).to_owned()).collect());
        self
    }

    /// The fields that hold free text (L16), where they are not all texts without pattern.
    #[must_use]
    pub fn text(mut self, fields: &[&str]) -> Self {
        self.samples.text = Some(fields.iter().map(|field| (*field).to_owned()).collect());
        self
    }

    /// A human changes that field in the service to another value (D1, D2).
    #[must_use]
    pub fn drift<R>(
        mut self,
        field: &str,
        hand: impl Fn(&T, &str) -> R + Send + Sync + 'static,
    ) -> Self {
        let hand: Hand = Arc::new(move |any, id| drop(hand(target::<T>(any), id)));
        self.samples.drift.push((field.to_owned(), hand));
        self
    }

    /// A human deletes the object (D3, L11).
    #[must_use]
    pub fn gone<R>(mut self, hand: impl Fn(&T, &str) -> R + Send + Sync + 'static) -> Self {
        self.samples.gone = Some(Arc::new(move |any, id| drop(hand(target::<T>(any), id))));
        self
    }

    /// A human has made an object of the maximal sample's name, with other values (L17).
    #[must_use]
    pub fn foreign<R>(mut self, deed: impl Fn(&T) -> R + Send + Sync + 'static) -> Self {
        self.samples.foreign = Some(Arc::new(move |any| drop(deed(target::<T>(any)))));
        self
    }

    /// A human changes something of the object that Fabrik does not manage (L6, D4).
    #[must_use]
    pub fn unmanaged<R>(mut self, hand: impl Fn(&T, &str) -> R + Send + Sync + 'static) -> Self {
        self.samples.unmanaged = Some(Arc::new(move |any, id| drop(hand(target::<T>(any), id))));
        self
    }

    /// An id of the wrong shape, and a text in the message that shows the right one (I2).
    #[must_use]
    pub fn bad_id(mut self, id: &str, text: &str) -> Self {
        self.samples.bad_id = Some((id.to_owned(), text.to_owned()));
        self
    }

    /// Ids have no shape that could be wrong (I2 does not apply).
    #[must_use]
    pub fn opaque_ids(mut self) -> Self {
        self.samples.opaque_ids = true;
        self
    }

    /// So many different objects (numbered from 0), more than one page of the service's lists
    /// holds (I4, R10, R11, reads of a group). At least ten.
    #[must_use]
    pub fn many(
        mut self,
        count: usize,
        inputs: impl Fn(usize) -> Json + Send + Sync + 'static,
    ) -> Self {
        self.samples.many = Some((count.max(10), Arc::new(inputs)));
        self
    }

    /// The most requests that reading all of [`Resource::many`] takes, besides connecting.
    #[must_use]
    pub fn reads_at_most(mut self, requests: usize) -> Self {
        self.samples.reads_at_most = Some(requests);
        self
    }

    /// Makes the service take longer than ten seconds (of polling) for a create (O3).
    #[must_use]
    pub fn slow<R>(mut self, deed: impl Fn(&T) -> R + Send + Sync + 'static) -> Self {
        self.samples.slow = Some(Arc::new(move |any| drop(deed(target::<T>(any)))));
        self
    }

    /// Turns a stored object (`id`, `inputs`, `outputs`, …) of today into one as that older version
    /// of the type stored it (U1).
    #[must_use]
    pub fn older(
        mut self,
        version: u32,
        stored: impl Fn(Json) -> Json + Send + Sync + 'static,
    ) -> Self {
        self.samples.older.push((version, Arc::new(stored)));
        self
    }

    /// A case that does not hold, and why. It is listed in the provider's documents.
    #[must_use]
    pub fn waive(mut self, case: &str, why: &str) -> Self {
        self.samples.waived.insert(case.to_owned(), why.to_owned());
        self
    }
}

/// What the suite needs to know of a lookup or an action.
pub struct Call<T> {
    pub(crate) samples: Samples,
    target: PhantomData<fn(&T)>,
}

impl<T> std::fmt::Debug for Call<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Call")
            .field("type", &self.samples.type_name)
            .finish_non_exhaustive()
    }
}

impl<T: Target> Call<T> {
    pub(crate) fn new(type_name: &str) -> Call<T> {
        Call {
            samples: Samples {
                type_name: type_name.to_owned(),
                ..Samples::default()
            },
            target: PhantomData,
        }
    }

    /// A further resource that the case needs, as `resources.ID`.
    #[must_use]
    pub fn also(mut self, id: &str, type_name: &str, inputs: Json) -> Self {
        self.samples.also.push(Also {
            id: id.to_owned(),
            type_name: type_name.to_owned(),
            inputs,
        });
        self
    }

    /// What it is asked, or done with.
    #[must_use]
    pub fn inputs(mut self, inputs: Json) -> Self {
        self.samples.maximal = Some(inputs.clone());
        self.samples.minimal = Some(inputs);
        self
    }

    /// Another way to ask or do it, where fields exclude each other (S5).
    #[must_use]
    pub fn variant(mut self, name: &str, inputs: Json) -> Self {
        self.samples.variants.push((name.to_owned(), inputs));
        self
    }

    /// For a lookup: inputs for which there is nothing.
    #[must_use]
    pub fn not_found(mut self, inputs: Json) -> Self {
        self.samples.not_found = Some(inputs);
        self
    }

    /// A case that does not hold, and why.
    #[must_use]
    pub fn waive(mut self, case: &str, why: &str) -> Self {
        self.samples.waived.insert(case.to_owned(), why.to_owned());
        self
    }
}
