//! Replies as they come.

use serde::Deserialize;

/// What every reply has.
#[derive(Debug, Deserialize)]
pub(crate) struct Envelope {
    #[serde(rename = "@Status", default)]
    pub(crate) status: String,
    #[serde(rename = "Errors", default)]
    pub(crate) errors: Errors,
}

#[derive(Debug, Default, Deserialize)]
pub(crate) struct Errors {
    #[serde(rename = "Error", default)]
    pub(crate) list: Vec<ApiError>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct ApiError {
    #[serde(rename = "@Number", default)]
    pub(crate) number: String,
    #[serde(rename = "$text", default)]
    pub(crate) text: String,
}

/// A reply with its result.
#[derive(Debug, Deserialize)]
pub(crate) struct Response {
    #[serde(rename = "CommandResponse")]
    pub(crate) command: Command,
}

/// The results of all commands used; each reply has one.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Command {
    #[serde(rename = "DomainDNSGetHostsResult")]
    pub(crate) hosts: Option<Hosts>,
    #[serde(rename = "DomainDNSSetHostsResult")]
    pub(crate) set_hosts: Option<SetHosts>,
    #[serde(rename = "DomainDNSGetListResult")]
    pub(crate) nameservers: Option<NameServers>,
    #[serde(rename = "DomainDNSSetCustomResult")]
    pub(crate) set_custom: Option<Updated>,
    #[serde(rename = "DomainDNSSetDefaultResult")]
    pub(crate) set_default: Option<Updated>,
    #[serde(rename = "DomainGetInfoResult")]
    pub(crate) info: Option<Info>,
    #[serde(rename = "DomainGetListResult")]
    pub(crate) domains: Option<Domains>,
    #[serde(rename = "Paging")]
    pub(crate) paging: Option<Paging>,
}

#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Hosts {
    #[serde(rename = "@EmailType", default)]
    pub(crate) email_type: String,
    #[serde(rename = "@IsUsingOurDNS")]
    pub(crate) own_dns: bool,
    #[serde(rename = "host", default)]
    pub(crate) hosts: Vec<Host>,
}

#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Host {
    #[serde(rename = "@Name")]
    pub(crate) name: String,
    #[serde(rename = "@Type")]
    pub(crate) kind: String,
    #[serde(rename = "@Address")]
    pub(crate) address: String,
    #[serde(rename = "@MXPref", default)]
    pub(crate) mx_pref: String,
    #[serde(rename = "@TTL", default)]
    pub(crate) ttl: String,
    #[serde(rename = "@IsDDNSEnabled", default)]
    pub(crate) dynamic: String,
}

#[derive(Debug, Deserialize)]
pub(crate) struct SetHosts {
    #[serde(rename = "@IsSuccess")]
    pub(crate) success: bool,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Updated {
    #[serde(rename = "@Updated", alias = "@Update")]
    pub(crate) updated: bool,
}

#[derive(Clone, Debug, Deserialize)]
pub(crate) struct NameServers {
    #[serde(rename = "@IsUsingOurDNS")]
    pub(crate) own_dns: bool,
    #[serde(rename = "Nameserver", default)]
    pub(crate) list: Vec<String>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Info {
    #[serde(rename = "@DomainName")]
    pub(crate) name: String,
    #[serde(rename = "@Status", default)]
    pub(crate) status: String,
    #[serde(rename = "@IsOwner", default)]
    pub(crate) owner: bool,
    #[serde(rename = "DomainDetails", default)]
    pub(crate) details: Details,
    #[serde(rename = "DnsDetails", default)]
    pub(crate) dns: Dns,
}

#[derive(Debug, Default, Deserialize)]
pub(crate) struct Details {
    #[serde(rename = "CreatedDate", default)]
    pub(crate) created: String,
    #[serde(rename = "ExpiredDate", default)]
    pub(crate) expires: String,
}

#[derive(Debug, Default, Deserialize)]
pub(crate) struct Dns {
    #[serde(rename = "@ProviderType", default)]
    pub(crate) provider: String,
    #[serde(rename = "@IsUsingOurDNS", default)]
    pub(crate) own_dns: bool,
    #[serde(rename = "@EmailType", default)]
    pub(crate) email_type: String,
    #[serde(rename = "Nameserver", default)]
    pub(crate) list: Vec<String>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Domains {
    #[serde(rename = "Domain", default)]
    pub(crate) list: Vec<Listed>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Listed {
    #[serde(rename = "@Name")]
    pub(crate) name: String,
    #[serde(rename = "@IsOurDNS", default)]
    pub(crate) own_dns: bool,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Paging {
    #[serde(rename = "TotalItems", default)]
    pub(crate) total: usize,
    #[serde(rename = "CurrentPage", default)]
    pub(crate) page: usize,
    #[serde(rename = "PageSize", default)]
    pub(crate) size: usize,
}
