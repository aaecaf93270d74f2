//! A connected site.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use fabrik_core::error::{Effect, Error, ErrorKind, Result};
use fabrik_core::provider::{Cx, OpId, StopSignal};
use fabrik_core::secrets::Secret;
use fabrik_core::value::{Value, from_json};
use fabrik_exec::BaseEnv;
use jiff::Timestamp;
use serde_json::Value as Json;
use tokio::sync::Mutex;

use crate::channel::{Channel, Cli, RestApi};
use crate::config::Config;
use crate::error;
use crate::request::{Facts, Reply, Request, Survey};

/// How long finding out about a lost reply may take.
const SETTLE: Duration = Duration::from_secs(60);
/// For how long one survey serves the looks that follow it at once, after something was lost.
const FRESH: Duration = Duration::from_millis(500);

/// A connected site. Nothing is sent before the first read, and that tells what the site is, too: a
/// plan without changes is one call.
pub struct Site {
    channel: Box<dyn Channel>,
    user: Option<String>,
    url: Option<String>,
    base: PathBuf,
    known: Mutex<Known>,
    /// Held by who asks what the site is: others wait for the answer.
    asking: Mutex<()>,
}

#[derive(Default)]
struct Known {
    facts: Option<Arc<Facts>>,
    survey: Option<(Timestamp, Arc<Survey>)>,
    sent: BTreeSet<OpId>,
}

/// A write that failed: the operation at fault and why.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) at: Option<usize>,
    pub(crate) error: Error,
    /// Something was changed since it was read: look again.
    pub(crate) changed: bool,
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Failure {
            at: None,
            error,
            changed: false,
        }
    }
}

impl std::fmt::Debug for Site {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Site")
            .field("channel", &self.channel.name())
            .finish_non_exhaustive()
    }
}

impl Site {
    /// A site as configured. Programs on this machine find `env`.
    pub(crate) fn open(env: BaseEnv, config: &Config) -> Result<Site> {
        config.check()?;
        if let Some(rest) = &config.rest {
            let channel = RestApi::new(rest)?;
            return Ok(Site::over(Box::new(channel), None, Some(rest.url.clone())));
        }
        Ok(Site::over(
            Box::new(Cli::new(env, config)),
            config.user.clone(),
            config.url.clone(),
        ))
    }

    /// A site behind a channel; `user` acts there, `url` is where visitors reach it.
    pub fn over(channel: Box<dyn Channel>, user: Option<String>, url: Option<String>) -> Site {
        Site {
            channel,
            user,
            url,
            base: PathBuf::new(),
            known: Mutex::new(Known::default()),
            asking: Mutex::new(()),
        }
    }

    /// Sets the folder that paths of files on this machine are relative to.
    #[must_use]
    pub fn based_at(self, base: impl Into<PathBuf>) -> Site {
        Site {
            base: base.into(),
            ..self
        }
    }

    /// A path of a file on this machine.
    pub(crate) fn resolve(&self, path: &str) -> PathBuf {
        self.base.join(path)
    }

    /// The way to the site.
    pub fn channel(&self) -> &dyn Channel {
        &*self.channel
    }

    /// The shell of the site.
    ///
    /// # Errors
    /// [`ErrorKind::Unsupported`] for a channel without one.
    pub fn cli(&self) -> Result<&Cli> {
        self.channel.cli().ok_or_else(|| {
            Error::new(
                ErrorKind::Unsupported,
                format!("{} cannot do this: it needs WP-CLI", self.channel.name()),
            )
            .hint("reach the site by `path`, `ssh` or `container`")
        })
    }

    /// Where visitors reach the site, with a slash at its end.
    pub async fn url(&self, cx: &Cx) -> Result<String> {
        match &self.url {
            Some(url) => Ok(format!("{}/", url.trim_end_matches('/'))),
            None => Ok(self.facts(cx).await?.url.clone()),
        }
    }

    /// What the site is, as far as it was asked.
    pub(crate) fn facts_so_far(&self) -> Value {
        let facts = self
            .known
            .try_lock()
            .ok()
            .and_then(|known| known.facts.clone());
        facts.map_or(Value::Null, |facts| {
            let json = serde_json::json!({
                "wordpress": facts.wordpress, "php": facts.php, "database": facts.database,
                "theme": facts.theme, "atomic": facts.atomic, "lacks": facts.lacks,
            });
            from_json(&json)
        })
    }

    /// What the site is.
    ///
    /// # Errors
    /// Those of the channel.
    pub async fn facts(&self, cx: &Cx) -> Result<Arc<Facts>> {
        let _asking = self.asking.lock().await;
        if let Some(facts) = &self.known.lock().await.facts {
            return Ok(facts.clone());
        }
        self.read(cx, Vec::new()).await?;
        let facts = self.known.lock().await.facts.clone();
        facts.ok_or_else(|| Error::new(ErrorKind::Misbehaved, "the site does not say what it is"))
    }

    /// Forgets what the site is: a plugin or theme was changed.
    pub async fn forget_facts(&self) {
        let mut known = self.known.lock().await;
        known.facts = None;
        known.survey = None;
    }

    /// What is on the site, as of this run's first read; of now when `op` was sent before, because
    /// then its reply was lost.
    pub(crate) async fn survey(&self, cx: &Cx, op: OpId) -> Result<Arc<Survey>> {
        let _asking = self.asking.lock().await;
        let now = cx.clock().now();
        {
            let mut known = self.known.lock().await;
            let lost = known.sent.contains(&op);
            let fresh = known.survey.as_ref().is_some_and(|(at, _)| {
                Duration::try_from(now.duration_since(*at)).unwrap_or(Duration::ZERO) <= FRESH
            });
            match &known.survey {
                Some((_, survey)) if !lost || fresh => return Ok(survey.clone()),
                _ => known.survey = None,
            }
        }
        self.read(cx, Vec::new()).await?;
        let known = self.known.lock().await;
        let survey = known.survey.as_ref().map(|(_, survey)| survey.clone());
        survey
            .ok_or_else(|| Error::new(ErrorKind::Misbehaved, "the site does not say what is on it"))
    }

    /// Reads; one answer for each operation. The first read of a run asks what the site is as well.
    pub(crate) async fn read(&self, cx: &Cx, ops: Vec<Json>) -> Result<Vec<Json>> {
        // What is known not to be there is not asked for.
        let asked: Vec<bool> = ops.iter().map(|op| !op.is_null()).collect();
        if asked.contains(&false) {
            let ops: Vec<Json> = ops.into_iter().filter(|op| !op.is_null()).collect();
            let found = if ops.is_empty() {
                Vec::new()
            } else {
                Box::pin(self.read(cx, ops)).await?
            };
            let mut found = found.into_iter();
            let row = |asked: &bool| asked.then(|| found.next()).flatten();
            let rows = asked.iter().map(row).map(Option::unwrap_or_default);
            return Ok(rows.collect());
        }
        let wanted = ops.len();
        let mut request = Request::read(ops)?;
        {
            let known = self.known.lock().await;
            request.facts = known.facts.is_none();
            request.survey = known.survey.is_none();
        }
        request.user.clone_from(&self.user);
        let reply = self.channel.call(cx, &request).await?;
        let reply = self.answered(reply)?;
        let mut known = self.known.lock().await;
        if let Some(facts) = reply.facts {
            known.facts = Some(Arc::new(facts));
        }
        if let Some(survey) = reply.survey {
            known.survey = Some((cx.clock().now(), Arc::new(survey)));
        }
        if reply.results.len() != wanted {
            return Err(Error::new(
                ErrorKind::Misbehaved,
                "the site answered a read with the wrong length",
            )
            .effect(Effect::None));
        }
        Ok(reply.results)
    }

    fn answered(&self, reply: Reply) -> Result<Reply> {
        if reply.ok {
            return Ok(reply);
        }
        Err(error::of(&reply.error.unwrap_or_default()))
    }

    /// Writes: all of it, or nothing. A reply that is lost is found out about, so that the effect of
    /// an error is nearly always known.
    pub(crate) async fn write(
        &self,
        cx: &Cx,
        request: Request,
        ops: &[OpId],
        secrets: Vec<Secret>,
    ) -> Result<Vec<Json>, Failure> {
        let request = Request {
            user: self.user.clone(),
            secrets,
            ..request
        };
        {
            let mut known = self.known.lock().await;
            known.sent.extend(ops);
            known.survey = None;
        }
        let wanted = request.ops.len();
        let sent = self.channel.call(cx, &request).await;
        let failure = match sent {
            Ok(reply) if reply.ok && reply.results.len() == wanted => return Ok(reply.results),
            Ok(reply) => {
                let refusal = reply.error.unwrap_or_default();
                Failure {
                    at: refusal.at,
                    error: error::of(&refusal),
                    changed: refusal.why == "changed",
                }
            }
            Err(error) => error.into(),
        };
        if failure.error.effect_of() != Effect::Unknown {
            return Err(failure);
        }
        match self.landed(cx, &request.call).await {
            // Sent again, each operation is known to have been carried out and is read.
            Ok(true) => {
                let again = Request {
                    call: crate::request::random()?,
                    ..request
                };
                let reply = self.channel.call(&patient(cx), &again).await?;
                Ok(self.answered(reply)?.results)
            }
            Ok(false) => Err(Failure {
                error: failure.error.effect(Effect::None),
                ..failure
            }),
            Err(_) => Err(failure),
        }
    }

    /// Whether a call was carried out; when it was not, it never will be.
    async fn landed(&self, cx: &Cx, call: &str) -> Result<bool> {
        let request = Request {
            void: Some(call.to_owned()),
            user: self.user.clone(),
            ..Request::write(Vec::new())?
        };
        let reply = self.channel.call(&patient(cx), &request).await?;
        Ok(self.answered(reply)?.landed)
    }
}

/// A context that outlives the operation's own time, which may be up.
fn patient(cx: &Cx) -> Cx {
    let clock = cx.clock().clone();
    let by = clock.now().checked_add(SETTLE);
    let cx = Cx::new(clock, StopSignal::never());
    match by {
        Ok(by) => cx.with_deadline(by),
        Err(_) => cx,
    }
}
