//! Which exchanges go wrong, and how: plain data, the same for every wire.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

/// One request and what became of it, as the proxy saw it.
#[derive(Clone, PartialEq, Eq)]
pub struct Exchange {
    /// Its number, from 1, in the order of arrival.
    pub number: u64,
    /// The connection it came on, from 1.
    pub connection: u64,
    /// HTTP method, name of a socket message, or call to a provider.
    pub kind: String,
    /// HTTP path without query; what identifies a message on other wires.
    pub path: String,
    /// HTTP query without the question mark, as it came.
    pub query: String,
    /// HTTP headers of the request, in lower case.
    pub headers: Vec<(String, String)>,
    /// Body of the request, or the message.
    pub body: Bytes,
    /// Whether it may change something.
    pub write: bool,
    /// Status the client got; other wires have 200 for an answer. `None` while under way, and for
    /// one that was never answered.
    pub status: Option<u16>,
    /// The name of the fault it met.
    pub fault: Option<&'static str>,
}

impl Exchange {
    /// A header of the request.
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(key, _)| key == name)?;
        Some(&found.1)
    }

    /// The body as JSON, when it is.
    pub fn json(&self) -> Option<serde_json::Value> {
        serde_json::from_slice(&self.body).ok()
    }
}

impl fmt::Debug for Exchange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Neither headers nor body: they hold credentials.
        write!(f, "#{} {} {}", self.number, self.kind, self.path)?;
        if let Some(status) = self.status {
            write!(f, " {status}")?;
        }
        if let Some(fault) = self.fault {
            write!(f, " ({fault})")?;
        }
        Ok(())
    }
}

type Test = Arc<dyn Fn(&Exchange) -> bool + Send + Sync>;

/// Which exchanges: the first that fits, unless said otherwise. Counting begins when the rule is
/// set.
#[derive(Clone)]
pub struct Match {
    write: Option<bool>,
    kind: Option<String>,
    path: Option<String>,
    test: Option<Test>,
    after_write: bool,
    pub(super) from: usize,
    pub(super) times: usize,
}

impl fmt::Debug for Match {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Match")
            .field("write", &self.write)
            .field("kind", &self.kind)
            .field("path", &self.path)
            .field("from", &self.from)
            .field("times", &self.times)
            .finish_non_exhaustive()
    }
}

impl Match {
    /// Every exchange.
    pub fn any() -> Match {
        Match {
            write: None,
            kind: None,
            path: None,
            test: None,
            after_write: false,
            from: 1,
            times: 1,
        }
    }

    /// Exchanges that change nothing.
    pub fn read() -> Match {
        Match {
            write: Some(false),
            ..Match::any()
        }
    }

    /// Exchanges that may change something.
    pub fn write() -> Match {
        Match {
            write: Some(true),
            ..Match::any()
        }
    }

    /// Only of this HTTP method or message name.
    #[must_use]
    pub fn kind(mut self, kind: &str) -> Match {
        self.kind = Some(kind.to_owned());
        self
    }

    /// Only where the path contains this.
    #[must_use]
    pub fn path(mut self, part: &str) -> Match {
        self.path = Some(part.to_owned());
        self
    }

    /// Only where the function says so.
    #[must_use]
    pub fn when(mut self, test: impl Fn(&Exchange) -> bool + Send + Sync + 'static) -> Match {
        self.test = Some(Arc::new(test));
        self
    }

    /// Only after a write has been seen since the rule was set.
    #[must_use]
    pub fn after_write(mut self) -> Match {
        self.after_write = true;
        self
    }

    /// From the nth that fits on, counted from 1.
    #[must_use]
    pub fn nth(mut self, nth: usize) -> Match {
        self.from = nth.max(1);
        self
    }

    /// So many in a row instead of one.
    #[must_use]
    pub fn times(mut self, times: usize) -> Match {
        self.times = times;
        self
    }

    /// Without end.
    #[must_use]
    pub fn always(self) -> Match {
        self.times(usize::MAX)
    }

    fn fits(&self, exchange: &Exchange, written: bool) -> bool {
        self.write.is_none_or(|write| write == exchange.write)
            && self.kind.as_ref().is_none_or(|kind| *kind == exchange.kind)
            && self
                .path
                .as_ref()
                .is_none_or(|part| exchange.path.contains(part.as_str()))
            && (!self.after_write || written)
            && self.test.as_ref().is_none_or(|test| test(exchange))
    }
}

/// What goes wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// This answer instead of the service's. On wires without statuses the body is the answer.
    Status {
        /// HTTP status.
        status: u16,
        /// Headers.
        headers: Vec<(String, String)>,
        /// Body.
        body: String,
        /// The request lands all the same.
        forward: bool,
    },
    /// The connection is cut; the request never lands.
    CutBefore,
    /// The request lands; the connection is cut before the answer.
    CutAfter,
    /// The connection is cut at once; the request lands after this time of the proxy's clock.
    LandsLater(Duration),
    /// No answer; the request lands once the client has gone away.
    LandsAfterDeath,
    /// The answer comes so much later, in real time.
    Delay(Duration),
    /// Never an answer; the request never lands.
    Hang,
    /// The request lands; so many bytes of the answer's body come, then the connection is cut.
    Truncate(usize),
    /// A web page with status 200 instead of the answer, as a login page or a parked domain gives.
    Html,
    /// What was answered to the same read before (404 when it was never asked): a service that
    /// shows changes late.
    Stale,
}

impl Fault {
    /// An answer of this status; the request does not land.
    pub fn status(status: u16) -> Fault {
        Fault::Status {
            status,
            headers: vec![("content-type".to_owned(), "application/json".to_owned())],
            body: format!(r#"{{"message":"injected {status}"}}"#),
            forward: false,
        }
    }

    /// The same, and the request lands. Other faults stay as they are.
    #[must_use]
    pub fn forwarded(mut self) -> Fault {
        if let Fault::Status { forward, .. } = &mut self {
            *forward = true;
        }
        self
    }

    /// The same with a header. Other faults stay as they are.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Fault {
        if let Fault::Status { headers, .. } = &mut self {
            headers.retain(|(key, _)| key != name);
            headers.push((name.to_owned(), value.to_owned()));
        }
        self
    }

    /// The same with another body. Other faults stay as they are.
    #[must_use]
    pub fn body(mut self, text: impl Into<String>) -> Fault {
        if let Fault::Status { body, .. } = &mut self {
            *body = text.into();
        }
        self
    }

    pub(super) fn word(&self) -> &'static str {
        match self {
            Fault::Status { forward: false, .. } => "status",
            Fault::Status { forward: true, .. } => "status, landed",
            Fault::CutBefore => "cut before",
            Fault::CutAfter => "cut after",
            Fault::LandsLater(_) => "lands later",
            Fault::LandsAfterDeath => "lands after death",
            Fault::Delay(_) => "delayed",
            Fault::Hang => "hangs",
            Fault::Truncate(_) => "truncated",
            Fault::Html => "web page",
            Fault::Stale => "stale",
        }
    }
}

/// The page of [`Fault::Html`].
pub(super) const PAGE: &str = "<!doctype html><html><head><title>Log in</title></head>\
<body><form action=\"/login\">Please log in.</form></body></html>";

/// A rule with what it has seen.
#[derive(Debug)]
pub(super) struct Active {
    on: Match,
    fault: Fault,
    seen: usize,
    written: bool,
}

impl Active {
    pub(super) fn new(on: Match, fault: Fault) -> Active {
        Active {
            on,
            fault,
            seen: 0,
            written: false,
        }
    }

    /// The fault, when the exchange meets it.
    pub(super) fn meet(&mut self, exchange: &Exchange) -> Option<Fault> {
        let fits = self.on.fits(exchange, self.written);
        self.written |= exchange.write;
        if !fits {
            return None;
        }
        self.seen += 1;
        let first = self.on.from;
        let meets = self.seen >= first && self.seen.saturating_sub(first) < self.on.times;
        meets.then(|| self.fault.clone())
    }
}

/// Faults by chance, repeatable by their seed.
#[derive(Debug)]
pub(super) struct Chance {
    pub(super) state: u64,
    pub(super) share: f64,
    pub(super) faults: Vec<Fault>,
}

impl Chance {
    /// SplitMix64.
    fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    pub(super) fn draw(&mut self) -> Option<Fault> {
        #[expect(
            clippy::cast_precision_loss,
            reason = "a share needs no more than 52 bits"
        )]
        let drawn = (self.next() >> 12) as f64 / (1_u64 << 52) as f64;
        let pick = self.next();
        if drawn >= self.share || self.faults.is_empty() {
            return None;
        }
        let count = u64::try_from(self.faults.len()).unwrap_or(u64::MAX);
        let at = usize::try_from(pick % count).unwrap_or_default();
        self.faults.get(at).cloned()
    }
}
