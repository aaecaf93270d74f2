//! How to reach a service.

use std::sync::Arc;
use std::time::Duration;

use fabrik_core::error::{Error, ErrorKind, Result};
use fabrik_core::secrets::{Redactor, Secret};
use fabrik_core::value::{Path, Value};
use url::Url;

use crate::auth::Auth;
use crate::reply::Reply;

/// A budget of requests in a span of time. The service's own headers narrow it further.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    pub(crate) requests: u32,
    pub(crate) per: Duration,
}

impl Rate {
    /// So many requests in any span of this length; at least one.
    pub fn per(requests: u32, per: Duration) -> Rate {
        Rate {
            requests: requests.max(1),
            per,
        }
    }
}

pub(crate) type ErrorMap = Arc<dyn Fn(&Reply) -> Option<Error> + Send + Sync>;

/// How to reach a service, and how it behaves. Give it to [`crate::Client::new`].
#[derive(Clone)]
pub struct HttpConfig {
    pub(crate) service: Arc<str>,
    pub(crate) user_agent: String,
    pub(crate) base: Url,
    pub(crate) auth: Auth,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) timeout: Duration,
    pub(crate) connect_timeout: Duration,
    pub(crate) patience: Duration,
    pub(crate) max_in_flight: usize,
    pub(crate) rate: Option<Rate>,
    pub(crate) refused: Vec<u16>,
    pub(crate) attempts: u32,
    pub(crate) first_wait: Duration,
    pub(crate) errors: Option<ErrorMap>,
    pub(crate) redactor: Redactor,
    pub(crate) roots: Vec<Vec<u8>>,
}

impl std::fmt::Debug for HttpConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("HttpConfig")
            .field("service", &self.service)
            .field("base", &self.base.as_str())
            .field("auth", &self.auth)
            .field("timeout", &self.timeout)
            .field("max_in_flight", &self.max_in_flight)
            .finish_non_exhaustive()
    }
}

impl HttpConfig {
    /// A service by its name (for messages), the provider's version, and the address its routes are
    /// below. Without further settings: no credentials, 30 s per attempt, 8 requests at once, 5
    /// attempts.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`] at the field `endpoint` unless the address is `http` or `https` with a
    /// host and without user, password, query and fragment.
    pub fn new(service: &str, version: &str, endpoint: &str) -> Result<HttpConfig> {
        let wrong = |problem: &str| {
            Error::new(
                ErrorKind::Invalid,
                format!("the address of {service} {problem}"),
            )
            .field(Path::key("endpoint"))
            .hint("write it as `https://host` or `https://host/path`")
        };
        let mut base = Url::parse(endpoint.trim())
            .map_err(|error| wrong(&format!("is not a URL: {error}")))?;
        if !matches!(base.scheme(), "http" | "https") || !base.has_host() {
            return Err(wrong("must begin with `https://` or `http://`"));
        }
        if !base.username().is_empty() || base.password().is_some() {
            return Err(wrong("must not hold a user or password"));
        }
        if base.query().is_some() || base.fragment().is_some() {
            return Err(wrong("must not have a query or fragment"));
        }
        let path = base.path().trim_end_matches('/').to_owned();
        base.set_path(&path);
        Ok(HttpConfig {
            service: service.into(),
            user_agent: format!(
                "fabrik/{} (provider {service}/{version})",
                env!("CARGO_PKG_VERSION")
            ),
            base,
            auth: Auth::none(),
            headers: Vec::new(),
            timeout: Duration::from_secs(30),
            connect_timeout: Duration::from_secs(10),
            patience: Duration::from_secs(120),
            max_in_flight: 8,
            rate: None,
            refused: Vec::new(),
            attempts: 5,
            first_wait: Duration::from_millis(500),
            errors: None,
            redactor: Redactor::default(),
            roots: Vec::new(),
        })
    }

    /// Sets the credentials; their texts are kept out of errors and logs.
    #[must_use]
    pub fn auth(mut self, auth: Auth) -> HttpConfig {
        for secret in auth.secrets() {
            self = self.secret(&secret);
        }
        self.auth = auth;
        self
    }

    /// A further text to keep out of errors and logs.
    #[must_use]
    pub fn secret(self, secret: &Secret) -> HttpConfig {
        self.redactor.learn(&Value::secret(secret.expose()));
        self
    }

    /// A header for every request.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> HttpConfig {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// How long one attempt may take; 30 s unless set.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> HttpConfig {
        self.timeout = timeout;
        self
    }

    /// How long connecting may take; 10 s unless set.
    #[must_use]
    pub fn connect_timeout(mut self, timeout: Duration) -> HttpConfig {
        self.connect_timeout = timeout;
        self
    }

    /// How long to go on trying where the caller has no deadline, such as in a refresh; 120 s unless
    /// set.
    #[must_use]
    pub fn patience(mut self, patience: Duration) -> HttpConfig {
        self.patience = patience;
        self
    }

    /// How many requests go at once; 8 unless set.
    #[must_use]
    pub fn max_in_flight(mut self, requests: usize) -> HttpConfig {
        self.max_in_flight = requests.max(1);
        self
    }

    /// The budget of requests that the service documents.
    #[must_use]
    pub fn rate(mut self, rate: Rate) -> HttpConfig {
        self.rate = Some(rate);
        self
    }

    /// Statuses besides 429 by which the service says "not executed, slow down".
    #[must_use]
    pub fn retry_status(mut self, statuses: &[u16]) -> HttpConfig {
        self.refused = statuses.to_vec();
        self
    }

    /// How often a request is sent at most; 5 unless set.
    #[must_use]
    pub fn attempts(mut self, attempts: u32) -> HttpConfig {
        self.attempts = attempts.max(1);
        self
    }

    /// How long to wait before the second attempt; doubled before each further one, up to 20 s, and
    /// spread by half of it. 500 ms unless set.
    #[must_use]
    pub fn first_wait(mut self, wait: Duration) -> HttpConfig {
        self.first_wait = wait;
        self
    }

    /// Maps replies to errors: the one place in a provider that knows the service's error bodies.
    /// `None` for a reply that is fine, or that needs no words of its own: then a status from 300 is
    /// an error by its number.
    #[must_use]
    pub fn errors(
        mut self,
        map: impl Fn(&Reply) -> Option<Error> + Send + Sync + 'static,
    ) -> HttpConfig {
        self.errors = Some(Arc::new(map));
        self
    }

    /// Trusts a further certificate authority (PEM), for services with certificates of their own.
    #[must_use]
    pub fn root_certificate(mut self, pem: &[u8]) -> HttpConfig {
        self.roots.push(pem.to_vec());
        self
    }
}
