//! Reading what is there, by as few requests as the provider allows.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use tokio::task::JoinSet;

use crate::error::{Error, ErrorKind, Result};
use crate::event::EventBody;
use crate::provider::{Object, OpId, ReadRequest};
use crate::session::{Session, catch, panicked};
use crate::state::Row;

/// What reading an object found.
#[derive(Clone, Debug)]
pub(crate) enum Observation {
    /// It is gone.
    Gone,
    /// It is so.
    There(Object),
}

/// Reads rows in groups, concurrently up to each provider's limit. Rows whose provider is not open
/// yet are left out. The first error ends the refresh.
pub(crate) async fn refresh(
    session: &Session,
    rows: &[&Row],
    progress: &(dyn Fn(EventBody) + Send + Sync),
) -> Result<HashMap<OpId, Observation>> {
    // Group by instance and read group; rows without a group stand alone.
    let mut groups: BTreeMap<(Arc<str>, Arc<str>), Vec<usize>> = BTreeMap::new();
    let mut calls: Vec<(Arc<str>, Vec<usize>)> = Vec::new();
    for (at, row) in rows.iter().enumerate() {
        if !session.opened.contains_key(&row.instance) {
            continue;
        }
        match session
            .keys(&row.instance, &row.type_name, &row.object.inputs)
            .read_group
        {
            Some(key) => groups
                .entry((row.instance.clone(), key))
                .or_default()
                .push(at),
            None => calls.push((row.instance.clone(), vec![at])),
        }
    }
    calls.extend(
        groups
            .into_iter()
            .map(|((instance, _), members)| (instance, members)),
    );

    let total: usize = calls.iter().map(|(_, members)| members.len()).sum();
    let mut found = HashMap::with_capacity(total);
    let mut queues: BTreeMap<Arc<str>, Vec<Vec<usize>>> = BTreeMap::new();
    for (instance, members) in calls.into_iter().rev() {
        queues.entry(instance).or_default().push(members);
    }
    let mut tasks = JoinSet::new();
    let mut running: BTreeMap<Arc<str>, usize> = BTreeMap::new();
    let mut done = 0;
    loop {
        for (name, queue) in &mut queues {
            let opened = session.instance(name)?;
            let limit = limit(session, opened.provider.info().max_in_flight);
            let in_flight = running.entry(name.clone()).or_default();
            while *in_flight < limit {
                let Some(members) = queue.pop() else { break };
                *in_flight += 1;
                let requests: Vec<ReadRequest> = members
                    .iter()
                    .map(|at| ReadRequest {
                        address: rows[*at].address.clone(),
                        type_name: rows[*at].type_name.clone(),
                        prior: rows[*at].object.clone(),
                    })
                    .collect();
                let (instance, cx, name) =
                    (opened.instance.clone(), session.cx.clone(), name.clone());
                tasks.spawn(async move {
                    let answers = catch(instance.read(&cx, &requests)).await;
                    (name, members, answers)
                });
            }
        }
        let Some(joined) = tasks.join_next().await else {
            break;
        };
        let (name, members, answers) =
            joined.map_err(|error| Error::new(ErrorKind::Unexpected, error.to_string()))?;
        if let Some(in_flight) = running.get_mut(&name) {
            *in_flight -= 1;
        }
        let answers =
            answers.ok_or_else(|| panicked().operation(format!("reading from `{name}`")))?;
        if answers.len() != members.len() {
            return Err(Error::new(
                ErrorKind::Misbehaved,
                format!("`{name}` answered a read with the wrong length"),
            ));
        }
        for (at, answer) in members.into_iter().zip(answers) {
            let row = rows[at];
            done += 1;
            let answer = answer.map_err(|error| {
                session
                    .clean(error)
                    .operation(format!("reading {}", row.address))
            })?;
            let observation = match answer {
                None => Observation::Gone,
                Some(object) => {
                    let info = session.type_info(&row.type_name)?;
                    Observation::There(session.mark(info, object, &row.object.inputs))
                }
            };
            found.insert(row.oid, observation);
        }
        if done % 500 == 0 || done == total {
            progress(EventBody::Refresh { done, total });
        }
    }
    Ok(found)
}

/// How many calls to a provider may be in flight.
pub(crate) fn limit(session: &Session, provider: usize) -> usize {
    match session.engine.parallelism {
        0 => provider,
        cap => provider.min(cap),
    }
    .max(1)
}
