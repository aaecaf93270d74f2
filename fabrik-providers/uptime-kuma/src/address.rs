//! Where a server is.

use fabrik_core::error::{Error, ErrorKind, Result};
use fabrik_core::value::Path;
use url::Url;

/// The parts of the configured URL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Address {
    /// Host, without brackets around an IPv6 address.
    pub(crate) host: String,
    /// Port.
    pub(crate) port: u16,
    /// Whether the connection is encrypted.
    pub(crate) tls: bool,
    /// The folder it is installed in, without a `/` at the end; usually empty.
    pub(crate) folder: String,
}

impl Address {
    /// Reads `http(s)://` and `ws(s)://` URLs; a host alone stands for `https://HOST`.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`] with the field `url`.
    pub(crate) fn parse(text: &str) -> Result<Address> {
        let invalid = |why: &str| {
            Error::new(ErrorKind::Invalid, format!("`url` {why}"))
                .field(Path::key("url"))
                .hint("write the address at which the browser shows Uptime Kuma, such as `https://status.example.com`")
        };
        let text = text.trim();
        let whole = if text.contains("://") {
            text.to_owned()
        } else {
            format!("https://{text}")
        };
        let url = Url::parse(&whole).map_err(|error| invalid(&format!("is no URL: {error}")))?;
        let tls = match url.scheme() {
            "https" | "wss" => true,
            "http" | "ws" => false,
            _ => return Err(invalid("must begin with `https://` or `http://`")),
        };
        if !url.username().is_empty() || url.password().is_some() {
            return Err(invalid(
                "has a password in it: set `username` and `password` instead",
            ));
        }
        let host = url.host_str().ok_or_else(|| invalid("has no host"))?;
        // The web interface's own pages are no part of where it is installed.
        let folder = url.path().trim_end_matches('/');
        let folder = folder.strip_suffix("/dashboard").unwrap_or(folder);
        let usual = if tls { 443 } else { 80 };
        Ok(Address {
            host: host.trim_matches(['[', ']']).to_owned(),
            port: url.port().unwrap_or(usual),
            tls,
            folder: folder.to_owned(),
        })
    }

    /// Host and port as in a `Host` header.
    pub(crate) fn authority(&self) -> String {
        let host = if self.host.contains(':') {
            format!("[{}]", self.host)
        } else {
            self.host.clone()
        };
        match (self.tls, self.port) {
            (true, 443) | (false, 80) => host,
            (_, port) => format!("{host}:{port}"),
        }
    }

    /// The address of the web interface, without a `/` at the end.
    pub(crate) fn base(&self) -> String {
        let scheme = if self.tls { "https" } else { "http" };
        format!("{scheme}://{}{}", self.authority(), self.folder)
    }

    /// The address of the websocket.
    pub(crate) fn socket(&self) -> String {
        let scheme = if self.tls { "wss" } else { "ws" };
        format!(
            "{scheme}://{}{}/socket.io/?EIO=4&transport=websocket",
            self.authority(),
            self.folder
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_taken_apart() {
        let address = Address::parse("https://status.example.com/").unwrap();
        assert_eq!(
            address.socket(),
            "wss://status.example.com/socket.io/?EIO=4&transport=websocket"
        );
        let address = Address::parse("http://[::1]:3001/kuma/dashboard").unwrap();
        assert_eq!(
            address.socket(),
            "ws://[::1]:3001/kuma/socket.io/?EIO=4&transport=websocket"
        );
        assert_eq!(address.host, "::1");
        assert_eq!(
            Address::parse("status.example.com:3001").unwrap().base(),
            "https://status.example.com:3001"
        );
    }

    #[test]
    fn other_urls_are_refused() {
        for (text, why) in [
            ("ftp://x", "must begin with"),
            ("https://", "is no URL"),
            ("https://me:pass@x", "password in it"),
        ] {
            let error = Address::parse(text).unwrap_err();
            assert!(error.message().contains(why), "{text}: {error}");
            assert!(!error.message().contains("pass@"), "{error}");
            assert_eq!(error.field_path(), Some(&Path::key("url")));
        }
    }
}
