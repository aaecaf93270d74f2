//! How requests say who sends them.

use std::sync::Arc;

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use fabrik_core::error::Result;
use fabrik_core::provider::Cx;
use fabrik_core::secrets::Secret;

/// Credentials, put on each attempt.
#[derive(Clone, Default)]
pub struct Auth(pub(crate) Kind);

#[derive(Clone, Default)]
pub(crate) enum Kind {
    #[default]
    None,
    Headers(Vec<(String, Secret)>),
    Form(Vec<(String, Secret)>),
    With(Arc<dyn Authenticator>),
}

impl std::fmt::Debug for Auth {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let kind = match &self.0 {
            Kind::None => "none",
            Kind::Headers(_) => "headers",
            Kind::Form(_) => "form",
            Kind::With(_) => "with",
        };
        f.debug_tuple("Auth").field(&kind).finish()
    }
}

impl Auth {
    /// No credentials.
    pub fn none() -> Auth {
        Auth::default()
    }

    /// `Authorization: Bearer TOKEN`.
    pub fn bearer(token: &Secret) -> Auth {
        let value = format!("Bearer {}", token.expose());
        Auth(Kind::Headers(vec![(
            "authorization".to_owned(),
            value.into(),
        )]))
    }

    /// A header of the service's own.
    pub fn header(name: &str, value: &Secret) -> Auth {
        Auth(Kind::Headers(vec![(name.to_owned(), value.clone())]))
    }

    /// `Authorization: Basic …`.
    pub fn basic(user: &str, password: &Secret) -> Auth {
        let pair = format!("{user}:{}", password.expose());
        let value = format!("Basic {}", STANDARD.encode(pair));
        Auth(Kind::Headers(vec![(
            "authorization".to_owned(),
            value.into(),
        )]))
    }

    /// Fields added to every form body, for services that want them there.
    pub fn form(fields: impl IntoIterator<Item = (String, Secret)>) -> Auth {
        Auth(Kind::Form(fields.into_iter().collect()))
    }

    /// Credentials that have to be fetched, and may expire.
    pub fn with(authenticator: Arc<dyn Authenticator>) -> Auth {
        Auth(Kind::With(authenticator))
    }

    /// Adds a further header to credentials made of headers, such as one for a proxy before the
    /// service. On credentials of another kind, it does nothing.
    #[must_use]
    pub fn and_header(mut self, name: &str, value: &Secret) -> Auth {
        match &mut self.0 {
            Kind::Headers(headers) => headers.push((name.to_owned(), value.clone())),
            Kind::None => return Auth::header(name, value),
            Kind::Form(_) | Kind::With(_) => {}
        }
        self
    }

    /// The texts to keep out of errors and logs.
    pub(crate) fn secrets(&self) -> Vec<Secret> {
        match &self.0 {
            Kind::None | Kind::With(_) => Vec::new(),
            Kind::Headers(pairs) | Kind::Form(pairs) => pairs
                .iter()
                .flat_map(|(_, value)| {
                    let bare = value.expose().split_once(' ').map(|(_, bare)| bare.into());
                    [Some(value.clone()), bare]
                })
                .flatten()
                .collect(),
        }
    }
}

/// Fetches credentials, and fetches them anew when the service no longer takes them.
#[async_trait]
pub trait Authenticator: Send + Sync + 'static {
    /// The headers to send. With `renew`, the ones given before were refused (401): get others.
    ///
    /// # Errors
    /// [`fabrik_core::error::ErrorKind::Auth`] when there are no others.
    async fn headers(&self, cx: &Cx, renew: bool) -> Result<Vec<(String, Secret)>>;
}
