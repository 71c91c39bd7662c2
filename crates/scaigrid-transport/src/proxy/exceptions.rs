//! Hosts that are reached without a proxy.

use std::net::IpAddr;

/// What `NO_PROXY` lists: addresses, networks such as `10.0.0.0/8`, domains with all below them, and `*` for everything.
#[derive(Clone, Default)]
pub(crate) struct Exceptions {
    networks: Vec<(IpAddr, u32)>,
    /// In small letters, without a leading dot.
    domains: Vec<String>,
    all: bool,
}

impl Exceptions {
    pub(crate) fn parse(list: &str) -> Self {
        let mut this = Self::default();
        for entry in list.split(',').map(str::trim).filter(|entry| !entry.is_empty()) {
            match network(entry) {
                Some(network) => this.networks.push(network),
                None if entry == "*" => this.all = true,
                None => this.domains.push(entry.strip_prefix('.').unwrap_or(entry).to_ascii_lowercase()),
            }
        }
        this
    }

    pub(crate) fn contains(&self, host: &str) -> bool {
        let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
        if let Ok(address) = host.parse::<IpAddr>() {
            return self.all || self.networks.iter().any(|network| is_in(address, *network));
        }
        let host = host.trim_end_matches('.').to_ascii_lowercase();
        let is_below = |domain: &String| {
            host.strip_suffix(domain.as_str()).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
        };
        self.all || self.domains.iter().any(is_below)
    }
}

/// An address, or an address with the length of its common part in bits.
fn network(entry: &str) -> Option<(IpAddr, u32)> {
    let (address, bits) = match entry.split_once('/') {
        Some((address, bits)) => (address.parse::<IpAddr>().ok()?, Some(bits.parse::<u32>().ok()?)),
        None => (entry.trim_matches(['[', ']']).parse().ok()?, None),
    };
    let longest = if address.is_ipv4() { 32 } else { 128 };
    let bits = bits.unwrap_or(longest);
    (bits <= longest).then_some((address, bits))
}

fn is_in(address: IpAddr, (network, bits): (IpAddr, u32)) -> bool {
    match (address, network) {
        (IpAddr::V4(one), IpAddr::V4(other)) => {
            (u32::from(one) ^ u32::from(other)).checked_shr(32 - bits).unwrap_or(0) == 0
        }
        (IpAddr::V6(one), IpAddr::V6(other)) => {
            (u128::from(one) ^ u128::from(other)).checked_shr(128 - bits).unwrap_or(0) == 0
        }
        _ => false,
    }
}
