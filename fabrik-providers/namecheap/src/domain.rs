//! `namecheap.domain`.

use fabrik_core::error::{Error, ErrorKind, Result};
use fabrik_core::provider::Cx;
use fabrik_core::provider::typed::Lookup;
use fabrik_core::value::Path;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::client::Namecheap;
use crate::name;

/// A domain of the account: what Namecheap tells of it. Fabrik neither registers nor renews domains.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DomainSpec {
    /// The registered domain: `example.com`.
    #[schemars(length(min = 1))]
    pub domain: String,
}

/// What Namecheap tells of a domain.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct DomainOutputs {
    /// The domain, without a final dot.
    pub domain: String,
    /// Its state: `Ok`, `Locked`, `Expired`.
    pub status: String,
    /// Whether the account owns it, rather than having it shared.
    pub owner: bool,
    /// When it was registered, as `YYYY-MM-DD`.
    pub created: String,
    /// When it expires, as `YYYY-MM-DD`.
    pub expires: String,
    /// Whether it uses Namecheap's own name servers.
    pub own_dns: bool,
    /// Who answers for it: `FREE`, `CUSTOM`, `PREMIUM`.
    pub dns: String,
    /// Its name servers.
    pub nameservers: Vec<String>,
    /// How its mail is routed: `NONE`, `MX`, `MXE`, `FWD`, `OX`, `GMAIL`.
    pub email_type: String,
}

/// `namecheap.domain`: what Namecheap tells of a domain.
#[derive(Clone, Copy, Debug)]
pub struct Domain;

impl Lookup for Domain {
    const TYPE: &'static str = "namecheap.domain";
    type Client = Namecheap;
    type Spec = DomainSpec;
    type Outputs = DomainOutputs;

    async fn find(
        &self,
        cx: &Cx,
        namecheap: &Namecheap,
        spec: &DomainSpec,
    ) -> Result<(String, DomainOutputs)> {
        let domain = name::registered(&spec.domain).map_err(|why| {
            Error::new(ErrorKind::Invalid, format!("`{}` {why}", spec.domain))
                .field(Path::key("domain"))
        })?;
        let info = namecheap.info(cx, &domain).await?;
        let nameservers = info.dns.list.iter();
        let nameservers = nameservers
            .map(|host| name::canonical(host).unwrap_or_else(|_| host.clone()))
            .collect();
        let outputs = DomainOutputs {
            domain: name::canonical(&info.name).unwrap_or_else(|_| domain.clone()),
            status: info.status,
            owner: info.owner,
            created: date(&info.details.created),
            expires: date(&info.details.expires),
            own_dns: info.dns.own_dns,
            dns: info.dns.provider,
            nameservers,
            email_type: info.dns.email_type,
        };
        Ok((domain, outputs))
    }
}

/// `11/04/2027` as `2027-11-04`; anything else as it is.
fn date(text: &str) -> String {
    let parts: Vec<&str> = text.split('/').collect();
    match parts.as_slice() {
        [month, day, year] => format!("{year}-{month:0>2}-{day:0>2}"),
        _ => text.to_owned(),
    }
}
