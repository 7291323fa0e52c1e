//! How clients reach Sluice, directly or through a reverse proxy, and the address that browsers use.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::IpNet;
use toml::de::{DeTable, DeValue};

use super::{
    reader::{Located, Mistakes, kind},
    url::{PublicUrl, PublicUrlError},
};

/// The keys of the whole file that are read here.
pub(super) const KEYS: [&str; 3] = ["behind_proxy", "trusted_proxies", "url"];

/// Proxies as somebody would write them.
const PROXIES_EXAMPLE: &str = "trusted_proxies = [\"127.0.0.1\", \"10.0.0.0/8\"]";

/// How clients reach Sluice.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ListenerConfig {
    /// The reverse proxies that are trusted to say the client's address and scheme. Nothing where no proxy is in front;
    /// otherwise not empty.
    pub proxies: Option<Vec<IpNet>>,
    /// The address that browsers use, where it is configured.
    pub url: Option<PublicUrl>,
}

impl ListenerConfig {
    /// Whether this address is a trusted reverse proxy.
    #[must_use]
    pub fn trusts(&self, address: IpAddr) -> bool {
        self.proxies.iter().flatten().any(|net| net.contains(&address.to_canonical()))
    }
}

/// Reads the keys.
pub(super) fn read(table: &DeTable<'_>, mistakes: &mut Mistakes<'_>) -> ListenerConfig {
    let behind_proxy = mistakes.flag(table, "behind_proxy").is_some_and(|at| at.value);
    let trusted = trusted(table, mistakes);
    if let Some(value) = table.get("trusted_proxies")
        && !behind_proxy
    {
        mistakes.add(
            &value.span(),
            "`trusted_proxies` has no effect without a reverse proxy in front: write behind_proxy = true, or leave it out",
        );
    }
    let url = url(table, mistakes);
    ListenerConfig { proxies: behind_proxy.then(|| trusted.unwrap_or_else(loopback)), url }
}

/// The address that browsers use.
pub(super) fn url(table: &DeTable<'_>, mistakes: &mut Mistakes<'_>) -> Option<PublicUrl> {
    let Located { value, span } = mistakes.text(table, "url", "https://sluice.example.org")?;
    value.parse().map_err(|error: PublicUrlError| mistakes.add(&span, error.to_string())).ok()
}

/// The proxies on this machine, which are trusted by default: no other machine reaches those addresses.
fn loopback() -> Vec<IpNet> {
    let v4 = IpNet::new_assert(Ipv4Addr::new(127, 0, 0, 0).into(), 8);
    vec![v4, IpNet::from(IpAddr::V6(Ipv6Addr::LOCALHOST))]
}

fn trusted(table: &DeTable<'_>, mistakes: &mut Mistakes<'_>) -> Option<Vec<IpNet>> {
    let value = table.get("trusted_proxies")?;
    let list = match value.get_ref() {
        DeValue::Array(list) if !list.is_empty() => list,
        other => {
            let found = if other.is_array() { "an empty list" } else { kind(other) };
            mistakes.add(&value.span(), format!("`trusted_proxies` is {found}: write {PROXIES_EXAMPLE}"));
            return None;
        }
    };
    let mut nets = Vec::new();
    for item in list {
        let read = item.get_ref().as_str().and_then(net);
        match read {
            Some(net) if net.prefix_len() == 0 => {
                mistakes.add(&item.span(), "this would take anybody's word: name the reverse proxy's own address");
            }
            Some(net) => nets.push(net),
            None => mistakes.add(&item.span(), format!("this is no IP address or network: write {PROXIES_EXAMPLE}")),
        }
    }
    Some(nets)
}

/// `10.0.0.1`, `10.0.0.0/8`, `fd00::/8`.
fn net(text: &str) -> Option<IpNet> {
    let net = text.parse::<IpNet>().ok().or_else(|| text.parse::<IpAddr>().ok().map(IpNet::from))?;
    Some(net.trunc())
}
