//! Which addresses calls may go to: the public internet, and what the tenant opens beside it.
//!
//! Who writes a Flow must not reach what is behind the firewall by it: the cloud's metadata, the API server, the
//! database. So what counts is the address that is really connected to, whatever the name, and it is looked at in
//! every form in which one address can hide in another.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use url::Host;

/// What a tenant opens beside the public internet.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Allow(Vec<Opened>);

/// A host's name, or all names below one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostPattern {
    name: String,
    below: bool,
}

/// An entry that does not read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadEntry {
    /// Of what is opened.
    #[error("{0:?} is no network, address or host: write 10.20.0.0/16, 10.20.0.7:8080 or crm.internal:8080")]
    Allow(String),
    /// Of the hosts to which a Secret may go.
    #[error("{0:?} is no host: write api.example.com or *.example.com, without scheme and port")]
    Host(String),
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Opened {
    place: Place,
    port: Option<u16>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Place {
    Net(IpNet),
    Host(HostPattern),
}

// === impl HostPattern ===

impl HostPattern {
    /// Reads `api.example.com`, `*.example.com` (any name below it, not itself), or an address.
    ///
    /// # Errors
    /// When it is none of them.
    pub fn parse(text: &str) -> Result<Self, BadEntry> {
        let (name, below) = text.strip_prefix("*.").map_or((text, false), |name| (name, true));
        match Host::parse(name) {
            Ok(Host::Domain(name)) if name.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c)) => {
                Ok(Self { name: plain(&name).to_owned(), below })
            }
            Ok(Host::Domain(_)) => Err(BadEntry::Host(text.to_owned())),
            Ok(address) if !below => Ok(Self { name: address.to_string(), below }),
            _ => Err(BadEntry::Host(text.to_owned())),
        }
    }

    /// Whether it means this host, as a parsed URL has it.
    #[must_use]
    pub fn matches(&self, host: &str) -> bool {
        let host = plain(host);
        if !self.below {
            return host == self.name;
        }
        host.strip_suffix(&self.name).and_then(|rest| rest.strip_suffix('.')).is_some_and(|rest| !rest.is_empty())
    }
}

/// The name without the dot that ends a full one.
fn plain(name: &str) -> &str {
    name.strip_suffix('.').unwrap_or(name)
}

// === impl Allow ===

impl Allow {
    /// Reads networks (`10.20.0.0/16`), addresses and hosts, each with a port where only that one is opened
    /// (`10.20.0.7:8080`, `[fd00::7]:8080`, `crm.internal:8080`).
    ///
    /// # Errors
    /// The first entry that does not read.
    pub fn parse<'a>(entries: impl IntoIterator<Item = &'a str>) -> Result<Self, BadEntry> {
        entries.into_iter().map(opened).collect::<Result<_, _>>().map(Self)
    }

    /// Whether this host is opened by its name, or by its address where the URL names one.
    #[must_use]
    pub fn names(&self, host: &Host<&str>, port: u16) -> bool {
        let address = match host {
            Host::Domain(_) => None,
            Host::Ipv4(ip) => Some(IpAddr::V4(*ip)),
            Host::Ipv6(ip) => Some(IpAddr::V6(*ip).to_canonical()),
        };
        let host = host.to_string();
        self.with_port(port).any(|place| match place {
            Place::Net(net) => address.is_some_and(|address| net.contains(&address)),
            Place::Host(pattern) => pattern.matches(&host),
        })
    }

    /// Whether a connection for this host may go to this address.
    #[must_use]
    pub fn permits(&self, host: &Host<&str>, address: SocketAddr) -> bool {
        let ip = address.ip().to_canonical();
        is_public(ip)
            || self.names(host, address.port())
            || self.with_port(address.port()).any(|place| matches!(place, Place::Net(net) if net.contains(&ip)))
    }

    fn with_port(&self, port: u16) -> impl Iterator<Item = &Place> {
        self.0.iter().filter(move |opened| opened.port.is_none_or(|only| only == port)).map(|opened| &opened.place)
    }
}

fn opened(text: &str) -> Result<Opened, BadEntry> {
    if let Some(place) = place(text) {
        return Ok(Opened { place, port: None });
    }
    let with_port = text.rsplit_once(':').and_then(|(rest, port)| {
        let rest = rest.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(rest);
        Some(Opened { place: place(rest)?, port: Some(port.parse().ok()?) })
    });
    with_port.ok_or_else(|| BadEntry::Allow(text.to_owned()))
}

fn place(text: &str) -> Option<Place> {
    if let Ok(net) = text.parse::<IpNet>() {
        return Some(Place::Net(net));
    }
    if let Ok(ip) = text.parse::<IpAddr>() {
        return Some(Place::Net(ip.to_canonical().into()));
    }
    HostPattern::parse(text).ok().map(Place::Host)
}

// === what is public ===

/// What is not the public internet: IANA's registry of special-purpose IPv4 addresses (RFC 6890 and later), multicast
/// and what is reserved.
const CLOSED_V4: [Ipv4Net; 15] = [
    v4([0, 0, 0, 0], 8),
    v4([10, 0, 0, 0], 8),
    v4([100, 64, 0, 0], 10),
    v4([127, 0, 0, 0], 8),
    v4([169, 254, 0, 0], 16),
    v4([172, 16, 0, 0], 12),
    v4([192, 0, 0, 0], 24),
    v4([192, 0, 2, 0], 24),
    v4([192, 88, 99, 0], 24),
    v4([192, 168, 0, 0], 16),
    v4([198, 18, 0, 0], 15),
    v4([198, 51, 100, 0], 24),
    v4([203, 0, 113, 0], 24),
    v4([224, 0, 0, 0], 4),
    v4([240, 0, 0, 0], 4),
];

/// IPv6 that is in use: all else is link-local, unique-local, multicast, mapped or not assigned.
const OPEN_V6: Ipv6Net = v6([0x2000, 0, 0, 0, 0, 0, 0, 0], 3);

/// What is not public of it: IETF's own (with Teredo, benchmarks and ORCHID), documentation, and 6to4, which nobody
/// routes any more and which can name any IPv4 address.
const CLOSED_V6: [Ipv6Net; 4] = [
    v6([0x2001, 0, 0, 0, 0, 0, 0, 0], 23),
    v6([0x2001, 0x0db8, 0, 0, 0, 0, 0, 0], 32),
    v6([0x2002, 0, 0, 0, 0, 0, 0, 0], 16),
    v6([0x3fff, 0, 0, 0, 0, 0, 0, 0], 20),
];

/// By which networks without IPv4 reach it (RFC 6052): it is as public as the address in its last 32 bits.
const NAT64: Ipv6Net = v6([0x64, 0xff9b, 0, 0, 0, 0, 0, 0], 96);

const fn v4([a, b, c, d]: [u8; 4], prefix: u8) -> Ipv4Net {
    Ipv4Net::new_assert(Ipv4Addr::new(a, b, c, d), prefix)
}

const fn v6([a, b, c, d, e, f, g, h]: [u16; 8], prefix: u8) -> Ipv6Net {
    Ipv6Net::new_assert(Ipv6Addr::new(a, b, c, d, e, f, g, h), prefix)
}

/// Whether an address is on the public internet, as far as its number tells.
#[must_use]
pub fn is_public(ip: IpAddr) -> bool {
    match ip.to_canonical() {
        IpAddr::V4(ip) => !CLOSED_V4.iter().any(|net| net.contains(&ip)),
        IpAddr::V6(ip) if NAT64.contains(&ip) => {
            let [.., a, b, c, d] = ip.octets();
            is_public(IpAddr::V4(Ipv4Addr::new(a, b, c, d)))
        }
        IpAddr::V6(ip) => OPEN_V6.contains(&ip) && !CLOSED_V6.iter().any(|net| net.contains(&ip)),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    const CLOSED: [&str; 49] = [
        "0.0.0.0",
        "0.1.2.3",
        "10.0.0.1",
        "10.255.255.255",
        "100.64.0.1",
        "100.127.255.255",
        "127.0.0.1",
        "127.255.255.254",
        "169.254.169.254",
        "169.254.0.1",
        "172.16.0.1",
        "172.31.255.255",
        "192.0.0.1",
        "192.0.2.1",
        "192.88.99.1",
        "192.168.0.1",
        "192.168.255.255",
        "198.18.0.1",
        "198.19.255.255",
        "198.51.100.1",
        "203.0.113.1",
        "224.0.0.1",
        "239.255.255.255",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::7f00:1",
        "::10.0.0.1",
        "::ffff:127.0.0.1",
        "::ffff:169.254.169.254",
        "::ffff:10.0.0.1",
        "64:ff9b::127.0.0.1",
        "64:ff9b::10.0.0.1",
        "64:ff9b::a9fe:a9fe",
        "64:ff9b:1::1",
        "100::1",
        "2001::1",
        "2001:0:7f00:1::",
        "2001:2::1",
        "2001:db8::1",
        "2002:7f00:1::",
        "2002:808:808::1",
        "3fff::1",
        "5f00::1",
        "fc00::1",
        "fd12:3456::1",
        "fe80::1",
        "ff02::1",
    ];

    const PUBLIC: [&str; 15] = [
        "1.1.1.1",
        "8.8.8.8",
        "9.255.255.255",
        "11.0.0.0",
        "100.63.255.255",
        "100.128.0.0",
        "126.255.255.255",
        "169.253.255.255",
        "172.15.255.255",
        "172.32.0.0",
        "223.255.255.255",
        "2606:4700::1111",
        "2a00:1450:4001::200e",
        "::ffff:8.8.8.8",
        "64:ff9b::8.8.8.8",
    ];

    fn host(text: &str) -> Host<String> {
        Host::parse(text).unwrap()
    }

    fn by_ref(host: &Host<String>) -> Host<&str> {
        match host {
            Host::Domain(name) => Host::Domain(name),
            Host::Ipv4(ip) => Host::Ipv4(*ip),
            Host::Ipv6(ip) => Host::Ipv6(*ip),
        }
    }

    fn permits(allow: &[&str], name: &str, address: &str) -> bool {
        let allow = Allow::parse(allow.iter().copied()).unwrap();
        allow.permits(&by_ref(&host(name)), address.parse().unwrap())
    }

    #[test]
    fn what_is_not_the_public_internet_is_closed_in_every_form_of_its_address() {
        let open: Vec<_> = CLOSED.into_iter().filter(|ip| is_public(ip.parse().unwrap())).collect();
        assert!(open.is_empty(), "open: {open:?}");
    }

    #[test]
    fn the_public_internet_is_open_up_to_its_edges() {
        let closed: Vec<_> = PUBLIC.into_iter().filter(|ip| !is_public(ip.parse().unwrap())).collect();
        assert!(closed.is_empty(), "closed: {closed:?}");
    }

    #[test]
    fn a_public_name_does_not_open_a_private_address() {
        assert!(!permits(&[], "api.example.com", "10.0.0.1:443"));
        assert!(permits(&[], "api.example.com", "8.8.8.8:443"));
        assert!(!permits(&["other.example.com"], "api.example.com", "10.0.0.1:443"));
    }

    #[test]
    fn a_tenant_opens_networks_addresses_and_names_with_or_without_a_port() {
        assert!(permits(&["10.20.0.0/16"], "crm.internal", "10.20.3.4:80"));
        assert!(!permits(&["10.20.0.0/16"], "crm.internal", "10.21.0.1:80"));
        assert!(permits(&["10.20.0.0/16:8080"], "crm.internal", "10.20.3.4:8080"));
        assert!(!permits(&["10.20.0.0/16:8080"], "crm.internal", "10.20.3.4:80"));
        assert!(permits(&["10.20.0.7"], "10.20.0.7", "10.20.0.7:80"));
        assert!(permits(&["10.20.0.7"], "x", "[::ffff:10.20.0.7]:80"), "a mapped address is the address");
        assert!(permits(&["fd00::/8"], "x", "[fd00::7]:80"));
        assert!(!permits(&["[fd00::7]:8080"], "x", "[fd00::7]:80"));
        assert!(permits(&["[fd00::7]:8080"], "x", "[fd00::7]:8080"));
        assert!(permits(&["CRM.internal:8080"], "crm.internal.", "10.0.0.1:8080"));
        assert!(!permits(&["crm.internal:8080"], "crm.internal", "10.0.0.1:80"));
        assert!(permits(&["*.svc.cluster.local"], "crm.shop.svc.cluster.local", "10.0.0.1:80"));
    }

    #[test]
    fn a_pattern_means_names_below_it_and_no_other_that_ends_alike() {
        let pattern = HostPattern::parse("*.example.com").unwrap();
        assert!(pattern.matches("api.example.com"));
        assert!(pattern.matches("a.b.example.com."));
        for other in ["example.com", ".example.com", "badexample.com", "api.example.com.evil.org", "example.org"] {
            assert!(!pattern.matches(other), "{other}");
        }
        assert!(HostPattern::parse("API.example.com").unwrap().matches("api.example.com"));
    }

    #[test]
    fn an_entry_that_does_not_read_is_named_with_what_to_write() {
        for bad in ["", "http://crm", "10.0.0.0/33", "crm:99999", "crm:", "a b", "300.1.1.1", "*.10.0.0.1"] {
            let error = Allow::parse([bad]).unwrap_err().to_string();
            assert!(error.starts_with(&format!("{bad:?} is no network")), "{error}");
        }
        for bad in ["https://api.example.com", "api.example.com:443", "api.example.com/v1", "*", "api.*.com", ""] {
            assert!(HostPattern::parse(bad).is_err(), "{bad}");
        }
    }
}
