//! Writing record sets: many in one transaction, and finding the bad one when it is refused.

use std::sync::Arc;

use fabrik_core::error::{Effect, Error, ErrorKind, Result};
use fabrik_core::provider::typed::Member;
use fabrik_core::provider::{Cx, Operation, Outcome, Verb};
use serde_json::{Map, Value as Json, json};

use super::set::{Kept, Private, RecordId};
use super::{DnsRecord, DnsRecordInputs, set, zone_of};
use crate::api::{Batch, BatchResult, Envelope, RecordObject};
use crate::client::Cloudflare;
use crate::refs::ZoneRef;
use crate::values;

/// Carries out operations, zone by zone.
pub(super) async fn carry_out(cx: &Cx, client: &Cloudflare, call: &[Operation]) -> Vec<Outcome> {
    let mut outcomes: Vec<Option<Outcome>> = call.iter().map(|_| None).collect();
    let members = Member::<DnsRecord>::of(call);
    let mut works: Vec<Work<'_>> = Vec::new();
    for (at, member) in members.into_iter().enumerate() {
        let work = match member {
            Ok(member) => Work::new(cx, client, at, member).await,
            Err(outcome) => Err(outcome),
        };
        match work {
            Ok(work) => works.push(work),
            Err(outcome) => outcomes[at] = Some(outcome),
        }
    }
    while let Some(zone) = works.first().map(|work| work.zone.clone()) {
        let (own, others): (Vec<Work<'_>>, Vec<Work<'_>>) =
            works.into_iter().partition(|work| work.zone.id == zone.id);
        works = others;
        for (at, outcome) in write(cx, client, &zone, own).await {
            outcomes[at] = Some(outcome);
        }
    }
    let lost = || Error::new(ErrorKind::Unexpected, "an operation without an outcome");
    outcomes
        .into_iter()
        .map(|outcome| outcome.unwrap_or_else(|| Outcome::Failed(lost())))
        .collect()
}

/// What one member does.
struct Work<'a> {
    at: usize,
    member: Member<'a, DnsRecord>,
    zone: Arc<ZoneRef>,
    id: RecordId,
    mark: Option<String>,
    deletes: Vec<Json>,
    patches: Vec<Json>,
    posts: Vec<Json>,
    /// Records as they will be, but for those that are made.
    after: Vec<Kept>,
    /// It was worked out anew from what is there.
    renewed: bool,
}

impl<'a> Work<'a> {
    async fn new(
        cx: &Cx,
        client: &Cloudflare,
        at: usize,
        member: Member<'a, DnsRecord>,
    ) -> Result<Work<'a>, Outcome> {
        let found = Self::place(cx, client, &member).await;
        let (zone, id) = match found {
            Ok(found) => found,
            // With its zone, the record is gone too.
            Err(error)
                if error.kind() == ErrorKind::NotFound && member.operation.verb == Verb::Delete =>
            {
                return Err(Outcome::Gone);
            }
            Err(error) => return Err(Outcome::Failed(error.effect(Effect::None))),
        };
        let mut work = Work {
            at,
            member,
            zone,
            id,
            mark: None,
            deletes: Vec::new(),
            patches: Vec::new(),
            posts: Vec::new(),
            after: Vec::new(),
            renewed: false,
        };
        let operation = work.member.operation;
        let known = operation
            .observed
            .as_ref()
            .and_then(Private::kept)
            .or_else(|| operation.prior.as_ref().and_then(Private::kept));
        let there = match (operation.verb, known) {
            (Verb::Create, _) => Private::default(),
            (_, Some(known)) => known,
            (_, None) => work.look(cx, client).await.map_err(Outcome::Failed)?,
        };
        work.fill(client, there).map_err(Outcome::Failed)?;
        Ok(work)
    }

    async fn place(
        cx: &Cx,
        client: &Cloudflare,
        member: &Member<'_, DnsRecord>,
    ) -> Result<(Arc<ZoneRef>, RecordId)> {
        if let (Some(spec), Verb::Create) = (&member.spec, member.operation.verb) {
            let zone = zone_of(cx, client, spec.zone.as_deref(), &spec.name).await?;
            let id = set::id_in(&zone, spec)?;
            return Ok((zone, id));
        }
        let id = RecordId::parse(member.operation.id()?)?;
        Ok((client.zone(cx, &id.zone).await?, id))
    }

    /// What is there now.
    async fn look(&self, cx: &Cx, client: &Cloudflare) -> Result<Private> {
        let (name, kind) = (&self.id.name, self.id.kind.name());
        let found = client.record_set(cx, &self.zone.id, name, kind).await;
        let records = found.map_err(|error| error.effect(Effect::None))?;
        Ok(Private::of(&set::changeable(&records)))
    }

    /// Works out the operations from what is there to what is wanted.
    fn fill(&mut self, client: &Cloudflare, there: Private) -> Result<()> {
        self.deletes.clear();
        self.patches.clear();
        self.posts.clear();
        self.after.clear();
        let Some(spec) = &self.member.spec else {
            self.deletes = there
                .records
                .iter()
                .map(|record| json!({"id": record.id}))
                .collect();
            return Ok(());
        };
        let own_mark = || client.marks.then(|| set::mark_of(self.member.operation.op));
        self.mark = there.mark.or_else(own_mark);
        let managed = spec.comment.is_some()
            || self
                .member
                .prior
                .as_ref()
                .is_some_and(|prior| prior.comment.is_some());
        let wanted = Wanted {
            spec,
            comment: set::join_comment(
                spec.comment.as_deref(),
                self.mark.as_deref(),
                self.zone.comment(),
            ),
            comment_managed: managed,
            tags: set::sorted(spec.tags.clone()),
            tags_managed: !spec.tags.is_empty()
                || self
                    .member
                    .prior
                    .as_ref()
                    .is_some_and(|prior| !prior.tags.is_empty()),
        };
        let mut values = spec.values.clone();
        values.sort();
        values.dedup();
        let (stay, mut leave): (Vec<Kept>, Vec<Kept>) =
            there.records.into_iter().partition(|record| {
                // The first record of a value stays; a second one would be the same again.
                let at = values
                    .iter()
                    .position(|value| set::digest(value) == record.value);
                at.map(|at| values.remove(at)).is_some()
            });
        for record in stay {
            let fields = wanted.changes(&record);
            if !fields.is_empty() {
                self.patches.push(with_id(&record.id, fields));
            }
            self.after.push(wanted.applied(record, None));
        }
        for value in values {
            // A record whose value is no longer wanted takes a new one, without a gap between.
            if let Some(record) = leave.pop() {
                let mut fields = wanted.changes(&record);
                fields.extend(wire(spec, &value)?);
                self.patches.push(with_id(&record.id, fields));
                self.after.push(wanted.applied(record, Some(value)));
            } else {
                self.posts.push(wanted.post(&self.id, &value)?);
            }
        }
        self.deletes = leave
            .iter()
            .map(|record| json!({"id": record.id}))
            .collect();
        Ok(())
    }

    fn count(&self) -> usize {
        self.deletes.len() + self.patches.len() + self.posts.len()
    }

    /// The outcome, with the records that were made.
    fn done(self, made: &[RecordObject]) -> (usize, Outcome) {
        if self.member.spec.is_none() {
            return (self.at, Outcome::Gone);
        }
        let mut records = self.after;
        records.extend(made.iter().map(Kept::of));
        let private = Private {
            mark: self.mark,
            records,
        };
        let outputs = set::outputs(&self.zone, &self.id);
        let outcome = self
            .member
            .done(self.id.to_string(), &outputs, private.bytes());
        (self.at, outcome)
    }
}

/// What every record of a set is to have.
struct Wanted<'a> {
    spec: &'a DnsRecordInputs,
    comment: Option<String>,
    comment_managed: bool,
    tags: Vec<String>,
    tags_managed: bool,
}

impl Wanted<'_> {
    fn ttl(&self) -> u32 {
        self.spec.ttl.unwrap_or(1)
    }

    fn proxied(&self) -> bool {
        self.spec.proxied.unwrap_or(false)
    }

    /// The fields of a record that differ, but for its value.
    fn changes(&self, record: &Kept) -> Map<String, Json> {
        let mut fields = Map::new();
        if record.ttl != self.ttl() {
            fields.insert("ttl".to_owned(), json!(self.ttl()));
        }
        if record.proxied != self.proxied() {
            fields.insert("proxied".to_owned(), json!(self.proxied()));
        }
        let words = set::split_comment(record.comment.as_deref()).0;
        if self.comment_managed && words != self.spec.comment {
            let comment = self.comment.clone().unwrap_or_default();
            fields.insert("comment".to_owned(), json!(comment));
        }
        if self.tags_managed && record.tags != self.tags {
            fields.insert("tags".to_owned(), json!(self.tags));
        }
        fields
    }

    /// The record after its changes.
    fn applied(&self, record: Kept, value: Option<String>) -> Kept {
        let comment = self.changes(&record).contains_key("comment");
        Kept {
            value: value.map_or(record.value, |value| set::digest(&value)),
            ttl: self.ttl(),
            proxied: self.proxied(),
            comment: if comment {
                self.comment.clone()
            } else {
                record.comment
            },
            tags: if self.tags_managed {
                self.tags.clone()
            } else {
                record.tags
            },
            id: record.id,
        }
    }

    fn post(&self, id: &RecordId, value: &str) -> Result<Json> {
        let mut fields = wire(self.spec, value)?;
        fields.insert("name".to_owned(), json!(id.name));
        fields.insert("type".to_owned(), json!(id.kind.name()));
        fields.insert("ttl".to_owned(), json!(self.ttl()));
        if self.spec.kind.can_be_proxied() {
            fields.insert("proxied".to_owned(), json!(self.proxied()));
        }
        if let Some(comment) = &self.comment {
            fields.insert("comment".to_owned(), json!(comment));
        }
        if !self.tags.is_empty() {
            fields.insert("tags".to_owned(), json!(self.tags));
        }
        Ok(Json::Object(fields))
    }
}

fn wire(spec: &DnsRecordInputs, value: &str) -> Result<Map<String, Json>> {
    values::to_wire(spec.kind.name(), value)
        .map_err(|why| Error::new(ErrorKind::Invalid, why).field(super::at("values")))
}

fn with_id(id: &str, mut fields: Map<String, Json>) -> Json {
    fields.insert("id".to_owned(), json!(id));
    Json::Object(fields)
}

/// Writes the sets of one zone, in as few batches as its plan allows.
async fn write<'a>(
    cx: &Cx,
    client: &Cloudflare,
    zone: &ZoneRef,
    works: Vec<Work<'a>>,
) -> Vec<(usize, Outcome)> {
    let mut done = Vec::with_capacity(works.len());
    let mut parts: Vec<Vec<Work<'a>>> = Vec::new();
    let mut count = 0;
    for work in works {
        if work.count() == 0 {
            done.push(work.done(&[]));
            continue;
        }
        let fits = count + work.count() <= zone.batch();
        match parts.last_mut() {
            Some(part) if fits => {
                count += work.count();
                part.push(work);
            }
            _ => {
                count = work.count();
                parts.push(vec![work]);
            }
        }
    }
    parts.reverse();
    while let Some(mut part) = parts.pop() {
        let sent = send(cx, client, zone, &part).await;
        client.changed(&zone.id).await;
        let error = match sent {
            Ok(made) => {
                let mut made = made.as_slice();
                for work in part {
                    let (own, rest) = made.split_at(work.posts.len().min(made.len()));
                    made = rest;
                    done.push(work.done(own));
                }
                continue;
            }
            Err(error) => error,
        };
        // Nothing of it was done. One member is bad: halve until it is found, the others go on.
        if is_about_a_member(&error) && part.len() > 1 {
            let half = part.split_off(part.len() / 2);
            parts.push(half);
            parts.push(part);
            continue;
        }
        if is_about_a_member(&error) && is_stale(&error) && !part[0].renewed {
            let work = part.remove(0);
            match renew(cx, client, work, &error).await {
                Ok(work) => parts.push(vec![work]),
                Err(outcome) => done.push(outcome),
            }
            continue;
        }
        for work in part {
            done.push((work.at, work.member.failed(error.clone())));
        }
    }
    done
}

/// Sends one batch; gives the records it made, in order.
async fn send(
    cx: &Cx,
    client: &Cloudflare,
    zone: &ZoneRef,
    works: &[Work<'_>],
) -> Result<Vec<RecordObject>> {
    let mut batch = Batch::default();
    for work in works {
        batch.deletes.extend(work.deletes.iter().cloned());
        batch.patches.extend(work.patches.iter().cloned());
        batch.posts.extend(work.posts.iter().cloned());
    }
    let wanted = batch.posts.len();
    let request = client
        .http
        .post(cx, "/zones/{zone}/dns_records/batch")
        .arg("zone", &zone.id)
        .body(&batch);
    let found: Envelope<BatchResult> = request.json().await?;
    let made = found.result.posts.unwrap_or_default();
    if made.len() != wanted {
        return Err(Error::new(
            ErrorKind::Misbehaved,
            format!(
                "Cloudflare told of {} new records instead of {wanted}",
                made.len()
            ),
        ));
    }
    Ok(made)
}

/// Whether the batch was refused for one of its members.
fn is_about_a_member(error: &Error) -> bool {
    error.effect_of() == Effect::None
        && matches!(
            error.kind(),
            ErrorKind::Invalid | ErrorKind::Conflict | ErrorKind::NotFound | ErrorKind::Unsupported
        )
}

/// Whether what is there is not what was thought to be.
fn is_stale(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::Conflict | ErrorKind::NotFound)
}

/// Works a member out anew from what is there now.
async fn renew<'a>(
    cx: &Cx,
    client: &Cloudflare,
    mut work: Work<'a>,
    error: &Error,
) -> Result<Work<'a>, (usize, Outcome)> {
    let at = work.at;
    let failed = |error: Error| (at, Outcome::Failed(error));
    let there = work.look(cx, client).await.map_err(failed)?;
    if work.member.operation.verb == Verb::Create && !there.records.is_empty() {
        // Somebody made it meanwhile. The same record is what is wanted; another one is in the way.
        let mut values: Vec<String> = there
            .records
            .iter()
            .map(|record| record.value.clone())
            .collect();
        values.sort_unstable();
        let wanted = work.member.spec.as_ref().map(|spec| {
            let mut wanted: Vec<String> =
                spec.values.iter().map(|value| set::digest(value)).collect();
            wanted.sort_unstable();
            wanted.dedup();
            wanted
        });
        if wanted.as_ref() != Some(&values) {
            return Err(failed(error.clone()));
        }
    } else if work.member.operation.verb == Verb::Create && error.kind() == ErrorKind::Conflict {
        return Err(failed(error.clone()));
    }
    if there.records.is_empty() && work.member.operation.verb == Verb::Delete {
        return Err((at, Outcome::Gone));
    }
    work.fill(client, there).map_err(failed)?;
    work.renewed = true;
    if work.count() == 0 {
        return Err(work.done(&[]));
    }
    Ok(work)
}
