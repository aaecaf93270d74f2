//! Decoding many rows on several threads, in bounded memory.

use std::sync::mpsc::{Receiver, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};

use super::fail::Fault;
use crate::stack::Options;
use crate::state::{Row, Rows};
use crate::value::share;

/// Bytes of rows handed over at once.
const BATCH: usize = 1 << 20;
/// Fewer rows than this are not worth a thread.
const FEW: usize = 4_000;
/// Threads besides this one.
const MOST_HELPERS: usize = 3;

/// Rows as read, back to back.
#[derive(Default)]
pub(super) struct Batch {
    bytes: Vec<u8>,
    /// Where each row's key ends, where its content ends, and its sum.
    rows: Vec<(usize, usize, i64)>,
}

impl Batch {
    pub(super) fn is_full(&self) -> bool {
        self.bytes.len() >= BATCH
    }

    pub(super) fn push(&mut self, key: &[u8], body: &[u8], sum: i64) {
        self.bytes.extend_from_slice(key);
        let key_end = self.bytes.len();
        self.bytes.extend_from_slice(body);
        self.rows.push((key_end, self.bytes.len(), sum));
    }
}

/// Reads batches until `read` says there are no more, and decodes each row.
///
/// Rows come by address, then id. A failure of any of them is returned.
pub(super) fn in_parallel<R, D>(items: usize, mut read: R, decode: D) -> Result<Rows, Fault>
where
    R: FnMut(&mut Batch) -> Result<bool, Fault>,
    D: Fn(&[u8], &[u8], i64) -> Result<Row, Fault> + Sync,
{
    let helpers = match items {
        0..FEW => 0,
        _ => std::thread::available_parallelism()
            .map_or(0, |threads| threads.get() - 1)
            .min(MOST_HELPERS),
    };
    let done = Mutex::new(Vec::with_capacity(items.min(1 << 20)));
    let mut mine = Decoder::new(&decode, &done);
    let (sender, receiver) = sync_channel(helpers);
    let receiver = Mutex::new(receiver);
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..helpers)
            .map(|_| {
                scope.spawn(|| {
                    share::sharing(|| {
                        let mut theirs = Decoder::new(&decode, &done);
                        while let Some(batch) = next(&receiver) {
                            theirs.take(&batch)?;
                        }
                        Ok::<(), Fault>(())
                    })
                })
            })
            .collect();
        let mut more = true;
        while more {
            let mut batch = Batch::default();
            more = read(&mut batch)?;
            if helpers == 0 {
                mine.take(&batch)?;
                continue;
            }
            // When the others have enough to do, this one is decoded here.
            match sender.try_send(batch) {
                Ok(()) => {}
                Err(TrySendError::Full(batch) | TrySendError::Disconnected(batch)) => {
                    mine.take(&batch)?;
                }
            }
        }
        drop(sender);
        threads
            .into_iter()
            .try_for_each(|thread| match thread.join() {
                Ok(done) => done,
                Err(panic) => std::panic::resume_unwind(panic),
            })
    })?;
    let mut rows = done.into_inner().unwrap_or_else(PoisonError::into_inner);
    rows.sort_unstable_by(|a, b| (&a.address, a.oid).cmp(&(&b.address, b.oid)));
    let read = rows.len();
    let rows = Rows::from(rows);
    if rows.len() == read {
        Ok(rows)
    } else {
        Err(Fault::Damaged("an object is there twice".to_owned()))
    }
}

fn next(receiver: &Mutex<Receiver<Batch>>) -> Option<Batch> {
    let receiver = receiver.lock().unwrap_or_else(PoisonError::into_inner);
    receiver.recv().ok()
}

struct Decoder<'a, D> {
    decode: &'a D,
    done: &'a Mutex<Vec<Row>>,
    /// Options seen: nearly all rows have the same.
    options: Vec<Arc<Options>>,
}

impl<'a, D: Fn(&[u8], &[u8], i64) -> Result<Row, Fault>> Decoder<'a, D> {
    fn new(decode: &'a D, done: &'a Mutex<Vec<Row>>) -> Decoder<'a, D> {
        Decoder {
            decode,
            done,
            options: vec![Arc::default()],
        }
    }

    fn take(&mut self, batch: &Batch) -> Result<(), Fault> {
        let mut rows = Vec::with_capacity(batch.rows.len());
        let mut start = 0;
        for (key_end, end, sum) in &batch.rows {
            let (key, body) = (&batch.bytes[start..*key_end], &batch.bytes[*key_end..*end]);
            start = *end;
            let mut row = (self.decode)(key, body, *sum)?;
            match self.options.iter().find(|known| **known == row.options) {
                Some(known) => row.options = known.clone(),
                None if self.options.len() < 16 => self.options.push(row.options.clone()),
                None => {}
            }
            rows.push(row);
        }
        let mut done = self.done.lock().unwrap_or_else(PoisonError::into_inner);
        done.append(&mut rows);
        Ok(())
    }
}
