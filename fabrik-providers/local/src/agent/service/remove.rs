//! Removing a service, and ending with the agent.

use std::sync::Arc;

use super::{Service, lock};
use crate::agent::book::blocking;
use crate::agent::instance::clear_away;
use crate::error::Error;
use crate::records::{self, Removing};

impl Service {
    /// Stops everything and removes every file. What is under way is interrupted.
    pub(crate) async fn remove(self: &Arc<Self>, keep_logs: bool) -> Result<(), Error> {
        self.hurry.send_replace(true);
        let mut turn = self.turn.lock().await;
        if turn.removed {
            return Ok(());
        }
        self.book
            .change(|record| record.removing = Some(Removing { keep_logs }))
            .await?;
        self.upstream.clear();
        self.stop_all().await;
        self.delete_files(keep_logs).await?;
        turn.removed = true;
        Ok(())
    }

    /// Whether a removal has begun, or the end of the agent.
    pub(crate) fn is_ending(&self) -> bool {
        *self.hurry.borrow()
    }

    /// Ends what is under way, and stops the processes if asked to. The record stays, so that the
    /// next agent goes on from here.
    pub(crate) async fn end(self: &Arc<Self>, stop: bool) {
        self.hurry.send_replace(true);
        let _turn = self.turn.lock().await;
        if stop {
            self.upstream.clear();
            self.stop_all().await;
        } else {
            self.retiring.closed().await;
            if let Some(live) = &lock(&self.running).live {
                live.abandon();
            }
        }
    }

    /// Stops every process of every generation.
    async fn stop_all(&self) {
        let live = lock(&self.running).live.take();
        if let Some(live) = live {
            self.drain(&live).await;
            live.stop().await;
        }
        self.retiring.closed().await;
        // What no supervisor was on.
        for generation in &self.book.get().await.generations {
            for run in &generation.runs {
                clear_away(&self.book, generation.number, run).await;
            }
        }
    }

    async fn delete_files(&self, keep_logs: bool) -> Result<(), Error> {
        if !keep_logs {
            let dir = self.logs.path().to_owned();
            blocking(move || records::remove_tree(&dir)).await?;
        }
        self.book.remove().await
    }
}
