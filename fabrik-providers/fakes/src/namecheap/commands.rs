//! The commands.

use super::xml::escape;
use super::{Host, Refusal, State};

/// What `setHosts` takes.
const WRITABLE: [&str; 12] = [
    "A", "AAAA", "ALIAS", "CAA", "CNAME", "FRAME", "MX", "MXE", "NS", "TXT", "URL", "URL301",
];

/// Namecheap's own name servers.
const OWN: [&str; 2] = ["dns1.registrar-servers.com", "dns2.registrar-servers.com"];

/// The domain that `SLD` and `TLD` name.
pub(super) fn domain_of<'a>(param: &impl Fn(&str) -> Option<&'a str>) -> String {
    let part = |name: &str| param(name).unwrap_or_default().to_lowercase();
    format!("{}.{}", part("SLD"), part("TLD"))
}

pub(super) fn run<'a>(
    state: &mut State,
    command: &str,
    param: &impl Fn(&str) -> Option<&'a str>,
) -> Result<String, Refusal> {
    match command {
        "getList" => Ok(list(state, param)),
        "getInfo" => info(
            state,
            &param("DomainName").unwrap_or_default().to_lowercase(),
        ),
        "dns.getList" => get_nameservers(state, &domain_of(param)),
        "dns.setCustom" => {
            let list = param("Nameservers").unwrap_or_default();
            let list: Vec<String> = list
                .split(',')
                .map(|host| host.trim().to_lowercase())
                .filter(|host| !host.is_empty())
                .collect();
            if list.len() < 2 {
                return Err(Refusal::new(
                    "2050900",
                    "At least two nameservers are required",
                ));
            }
            set_nameservers(
                state,
                &domain_of(param),
                Some(list),
                "DomainDNSSetCustomResult",
            )
        }
        "dns.setDefault" => {
            set_nameservers(state, &domain_of(param), None, "DomainDNSSetDefaultResult")
        }
        "dns.getHosts" => get_hosts(state, &domain_of(param)),
        "dns.setHosts" => set_hosts(state, &domain_of(param), param),
        _ => Err(Refusal::new("1010104", "Parameter Command is missing")),
    }
}

fn not_found() -> Refusal {
    Refusal::new("2019166", "Domain not found")
}

fn get_hosts(state: &State, name: &str) -> Result<String, Refusal> {
    let domain = state.domains.get(name).ok_or_else(not_found)?;
    let own = domain.nameservers.is_none();
    let mut hosts = domain.hosts.clone();
    let brought: &[&str] = match domain.email_type.as_str() {
        "OX" => &["mx1.privateemail.com.", "mx2.privateemail.com."],
        "GMAIL" => &["aspmx.l.google.com."],
        _ => &[],
    };
    hosts.extend(brought.iter().map(|mx| Host::new("@", "MX", mx)));
    let hosts: Vec<String> = hosts
        .iter()
        .filter(|_| own)
        .map(|host| {
            format!(
                r#"<host HostId="{}" Name="{}" Type="{}" Address="{}" MXPref="{}" TTL="{}" AssociatedAppTitle="" FriendlyName="" IsActive="true" IsDDNSEnabled="{}" />"#,
                host.id,
                escape(&host.name),
                host.kind,
                escape(&host.address),
                host.mx_pref,
                host.ttl,
                host.dynamic
            )
        })
        .collect();
    Ok(format!(
        r#"<DomainDNSGetHostsResult Domain="{name}" EmailType="{}" IsUsingOurDNS="{own}">{}</DomainDNSGetHostsResult>"#,
        domain.email_type,
        hosts.join("\n      ")
    ))
}

fn set_hosts<'a>(
    state: &mut State,
    name: &str,
    param: &impl Fn(&str) -> Option<&'a str>,
) -> Result<String, Refusal> {
    let next = state.next_id;
    let domain = state.domains.get_mut(name).ok_or_else(not_found)?;
    if domain.nameservers.is_some() {
        return Err(Refusal::new(
            "2030166",
            "Edit permission for domain is not supported",
        ));
    }
    let email = param("EmailType").unwrap_or("NONE").to_uppercase();
    let mut hosts = Vec::new();
    for at in 1.. {
        let field = |field: &str| param(&format!("{field}{at}"));
        let Some(host) = field("HostName") else {
            break;
        };
        let kind = field("RecordType").unwrap_or_default().to_uppercase();
        let address = field("Address").unwrap_or_default();
        hosts.push(Host {
            id: next + at,
            name: host.to_lowercase(),
            address: accepted(&kind, address)?,
            mx_pref: match kind.as_str() {
                "MX" => field("MXPref")
                    .and_then(|text| text.parse().ok())
                    .unwrap_or(10),
                _ => 10,
            },
            ttl: ttl(field("TTL"))?,
            kind,
            dynamic: false,
        });
    }
    check_mail(&email, &hosts)?;
    // Records of another way of routing mail are dropped.
    hosts.retain(|host| match host.kind.as_str() {
        "MX" => email == "MX",
        "MXE" => email == "MXE",
        _ => true,
    });
    domain.hosts = hosts;
    domain.email_type = email;
    domain.writes += 1;
    state.next_id = next + 10_000;
    Ok(format!(
        r#"<DomainDNSSetHostsResult Domain="{name}" IsSuccess="true"><Warnings /></DomainDNSSetHostsResult>"#
    ))
}

/// The address as it will be shown.
fn accepted(kind: &str, address: &str) -> Result<String, Refusal> {
    if !WRITABLE.contains(&kind) {
        let text = format!("INVALID_RECORDTYPE : '{kind}' is not a valid record type");
        return Err(Refusal::new("2050900", &text));
    }
    let wrong = || {
        let text = format!("INVALID_ADDRESS : '{address}' is not valid for {kind}");
        Err(Refusal::new("2050900", &text))
    };
    let has_scheme = address.contains("://");
    match kind {
        _ if address.is_empty() => wrong(),
        "A" | "MXE" if address.parse::<std::net::Ipv4Addr>().is_err() => wrong(),
        "AAAA" if address.parse::<std::net::Ipv6Addr>().is_err() => wrong(),
        "URL" | "URL301" | "FRAME" if !has_scheme => wrong(),
        "TXT" if address.contains('"') => wrong(),
        "CNAME" | "MX" | "NS" | "ALIAS" if address.parse::<std::net::IpAddr>().is_ok() => wrong(),
        "CNAME" | "MX" | "NS" | "ALIAS" => {
            Ok(format!("{}.", address.trim_end_matches('.').to_lowercase()))
        }
        _ => Ok(address.to_owned()),
    }
}

fn ttl(given: Option<&str>) -> Result<u32, Refusal> {
    match given.and_then(|text| text.parse().ok()) {
        None | Some(1799 | 1800) => Ok(1799),
        Some(ttl) if (60..=60_000).contains(&ttl) => Ok(ttl),
        Some(ttl) => {
            let text = format!("INVALID_TTL : '{ttl}' is not between 60 and 60000");
            Err(Refusal::new("2050900", &text))
        }
    }
}

fn check_mail(email: &str, hosts: &[Host]) -> Result<(), Refusal> {
    let of = |kind: &str| hosts.iter().filter(|host| host.kind == kind).count();
    let wrong = |text: &str| Err(Refusal::new("2050900", text));
    match email {
        "MX" if of("MX") == 0 => wrong("EmailType MX needs at least one MX record"),
        "MXE" if of("MXE") != 1 => wrong("EmailType MXE needs exactly one MXE record"),
        "NONE" | "MX" | "MXE" | "FWD" | "OX" | "GMAIL" => Ok(()),
        _ => wrong("EmailType is invalid"),
    }
}

fn get_nameservers(state: &State, name: &str) -> Result<String, Refusal> {
    let domain = state.domains.get(name).ok_or_else(not_found)?;
    let own = domain.nameservers.is_none();
    Ok(format!(
        r#"<DomainDNSGetListResult Domain="{name}" IsUsingOurDNS="{own}" IsPremiumDNS="false" IsUsingFreeDNS="false">{}</DomainDNSGetListResult>"#,
        servers(domain.nameservers.as_deref())
    ))
}

fn servers(custom: Option<&[String]>) -> String {
    let own: Vec<String> = OWN.iter().map(|host| (*host).to_owned()).collect();
    let list = custom.unwrap_or(&own).iter();
    let list = list.map(|host| format!("<Nameserver>{}</Nameserver>", escape(host)));
    list.collect()
}

fn set_nameservers(
    state: &mut State,
    name: &str,
    list: Option<Vec<String>>,
    result: &str,
) -> Result<String, Refusal> {
    let domain = state.domains.get_mut(name).ok_or_else(not_found)?;
    domain.nameservers = list;
    Ok(format!(r#"<{result} Domain="{name}" Updated="true" />"#))
}

fn info(state: &State, name: &str) -> Result<String, Refusal> {
    let domain = state.domains.get(name).ok_or_else(not_found)?;
    let own = domain.nameservers.is_none();
    Ok(format!(
        r#"<DomainGetInfoResult Status="Ok" ID="57579" DomainName="{name}" OwnerName="fabrik-tester" IsOwner="true" IsPremium="false">
      <DomainDetails><CreatedDate>11/04/2024</CreatedDate><ExpiredDate>11/04/2027</ExpiredDate><NumYears>0</NumYears></DomainDetails>
      <LockDetails />
      <Whoisguard Enabled="True"><ID>53536</ID><ExpiredDate>11/04/2027</ExpiredDate></Whoisguard>
      <PremiumDnsSubscription><UseAutoRenew>false</UseAutoRenew><SubscriptionId>-1</SubscriptionId><CreatedDate>0001-01-01T00:00:00</CreatedDate><ExpirationDate>0001-01-01T00:00:00</ExpirationDate><IsActive>false</IsActive></PremiumDnsSubscription>
      <DnsDetails ProviderType="{}" IsUsingOurDNS="{own}" HostCount="{}" EmailType="{}" DynamicDNSStatus="false" IsFailover="false">{}</DnsDetails>
      <Modificationrights All="true" />
    </DomainGetInfoResult>"#,
        if own { "FREE" } else { "CUSTOM" },
        domain.hosts.len(),
        domain.email_type,
        servers(domain.nameservers.as_deref())
    ))
}

fn list<'a>(state: &State, param: &impl Fn(&str) -> Option<&'a str>) -> String {
    let number = |name: &str, usual: usize| {
        let given = param(name).and_then(|text| text.parse().ok());
        given.unwrap_or(usual)
    };
    let (page, size) = (
        number("Page", 1).max(1),
        number("PageSize", 20).clamp(10, 100),
    );
    let domains = state.domains.iter().skip((page - 1) * size).take(size);
    let domains: Vec<String> = domains
        .map(|(name, domain)| {
            format!(
                r#"<Domain ID="127" Name="{name}" User="fabrik-tester" Created="11/04/2024" Expires="11/04/2027" IsExpired="false" IsLocked="false" AutoRenew="false" WhoisGuard="ENABLED" IsPremium="false" IsOurDNS="{}" />"#,
                domain.nameservers.is_none()
            )
        })
        .collect();
    format!(
        "<DomainGetListResult>{}</DomainGetListResult><Paging><TotalItems>{}</TotalItems><CurrentPage>{page}</CurrentPage><PageSize>{size}</PageSize></Paging>",
        domains.join(""),
        state.domains.len()
    )
}
