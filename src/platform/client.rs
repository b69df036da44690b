//! Who asks: the client's address, told by proxies that are trusted and by no others.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::str::FromStr;

use axum::extract::ConnectInfo;
use axum::http::{Extensions, HeaderMap, HeaderName};
use ipnet::IpNet;

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// A client, to count its requests by: an IPv4 address, or the /64 of an IPv6 one, since a single line is given at least
/// that many addresses. It never shows itself, so that it cannot get into a log or a label.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Client(IpAddr);

impl Client {
    fn new(address: IpAddr) -> Self {
        Self(match address.to_canonical() {
            IpAddr::V6(address) => {
                let [a, b, c, d, ..] = address.segments();
                IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
            }
            address @ IpAddr::V4(_) => address,
        })
    }

    /// The client in sixteen bytes, for a key.
    #[must_use]
    pub fn octets(&self) -> [u8; 16] {
        match self.0 {
            IpAddr::V4(address) => address.to_ipv6_mapped().octets(),
            IpAddr::V6(address) => address.octets(),
        }
    }
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[client]")
    }
}

/// The networks whose word on `X-Forwarded-For` is taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrustedProxies(Vec<IpNet>);

impl Default for TrustedProxies {
    /// The loopback: a proxy on this host.
    fn default() -> Self {
        let ipv4 = ipnet::Ipv4Net::new_assert(std::net::Ipv4Addr::new(127, 0, 0, 0), 8);
        let ipv6 = ipnet::Ipv6Net::new_assert(Ipv6Addr::LOCALHOST, 128);
        Self(vec![ipv4.into(), ipv6.into()])
    }
}

impl FromStr for TrustedProxies {
    type Err = String;

    /// Networks or addresses between commas.
    fn from_str(text: &str) -> Result<Self, String> {
        let network = |text: &str| {
            let text = text.trim();
            text.parse::<IpNet>()
                .or_else(|_| text.parse::<IpAddr>().map(IpNet::from))
                .map_err(|_| format!("{text:?} is neither a network such as 10.0.0.0/8 nor an address"))
        };
        text.split(',').map(network).collect::<Result<_, _>>().map(Self)
    }
}

impl TrustedProxies {
    fn trusts(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.0.iter().any(|network| network.contains(&address))
    }

    /// The client behind a peer: each trusted proxy appended the address that asked it, so the client is the rightmost
    /// address that is no trusted proxy. What stands left of it is the client's own invention. An entry that is no
    /// address ends the chain: the last proxy that was understood counts as the client then.
    #[must_use]
    pub fn client(&self, peer: IpAddr, headers: &HeaderMap) -> Client {
        let mut nearest = peer;
        let lines = headers.get_all(FORWARDED_FOR).iter().rev();
        let mut entries = lines.flat_map(|line| line.to_str().unwrap_or_default().rsplit(','));
        while self.trusts(nearest)
            && let Some(entry) = entries.next()
            && let Some(address) = address(entry.trim())
        {
            nearest = address;
        }
        Client::new(nearest)
    }

    /// The client of a request that [`crate::shutdown::serve`] took.
    #[must_use]
    pub fn client_of(&self, extensions: &Extensions, headers: &HeaderMap) -> Client {
        let peer = extensions.get::<ConnectInfo<SocketAddr>>();
        self.client(peer.map_or(Ipv6Addr::UNSPECIFIED.into(), |peer| peer.0.ip()), headers)
    }
}

/// An address as proxies write it, with a port or without.
fn address(text: &str) -> Option<IpAddr> {
    text.parse()
        .ok()
        .or_else(|| text.parse::<SocketAddr>().ok().map(|address| address.ip()))
        .or_else(|| text.strip_prefix('[')?.strip_suffix(']')?.parse::<Ipv6Addr>().ok().map(IpAddr::V6))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(trusted: &str, peer: &str, lines: &[&str]) -> Client {
        let trusted: TrustedProxies = trusted.parse().expect("networks");
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(FORWARDED_FOR, line.parse().expect("a header"));
        }
        trusted.client(peer.parse().expect("an address"), &headers)
    }

    fn is(address: &str) -> Client {
        Client::new(address.parse().expect("an address"))
    }

    #[test]
    fn who_is_no_proxy_is_the_client_whatever_it_says() {
        assert_eq!(client("10.0.0.0/8", "203.0.113.9", &["198.51.100.1"]), is("203.0.113.9"));
        assert_eq!(client("10.0.0.0/8", "203.0.113.9", &["10.0.0.1"]), is("203.0.113.9"));
    }

    #[test]
    fn what_a_client_wrote_itself_is_left_of_what_proxies_saw() {
        let seen = is("203.0.113.9");
        for lines in [
            &["203.0.113.9"][..],
            &["198.51.100.1, 203.0.113.9"],
            &["198.51.100.1,203.0.113.9, 10.0.0.7"],
            // Lines are one list, in their order.
            &["198.51.100.1", "203.0.113.9", "10.0.0.7"],
            &["10.0.0.9, 203.0.113.9, 10.0.0.7"],
            &["<script>, 203.0.113.9"],
            &["203.0.113.9:5123"],
            &["::ffff:203.0.113.9"],
        ] {
            assert_eq!(client("10.0.0.0/8", "10.0.0.2", lines), seen, "{lines:?}");
        }
    }

    #[test]
    fn a_chain_that_breaks_ends_at_the_last_proxy() {
        let proxy = is("10.0.0.2");
        for lines in [&[][..], &[""], &["unknown"], &["198.51.100.1, unknown"], &["198.51.100.1, "]] {
            assert_eq!(client("10.0.0.0/8", "10.0.0.2", lines), proxy, "{lines:?}");
        }
        // All are trusted: the farthest one asks for itself.
        assert_eq!(client("10.0.0.0/8", "10.0.0.2", &["10.1.1.1, 10.0.0.7"]), is("10.1.1.1"));
    }

    #[test]
    fn an_ipv6_client_is_its_network() {
        let network = is("2001:db8:1:2::");
        assert_eq!(client("::1", "2001:db8:1:2:aaaa::1", &[]), network);
        assert_eq!(client("::1", "::1", &["[2001:db8:1:2:bbbb::2]:443"]), network);
        assert_eq!(client("::1", "::1", &["[2001:db8:1:2:bbbb::2]"]), network);
        assert_ne!(client("::1", "2001:db8:1:3::1", &[]), network);
        assert_eq!(client("127.0.0.1", "::ffff:127.0.0.1", &["2001:db8:1:2::5"]), network);
    }

    #[test]
    fn the_loopback_is_trusted_unless_told_otherwise_and_mistakes_are_named() {
        let default = TrustedProxies::default();
        assert!(default.trusts(is("127.0.0.1").0) && default.trusts(Ipv6Addr::LOCALHOST.into()));
        assert!(!default.trusts(is("10.0.0.1").0));
        assert!("10.0.0.0/33".parse::<TrustedProxies>().expect_err("no network").contains("10.0.0.0/33"));
        assert!("10.0.0.0/8,".parse::<TrustedProxies>().is_err());
    }

    #[test]
    fn a_client_never_shows_itself() {
        assert_eq!(format!("{:?}", is("203.0.113.9")), "[client]");
    }
}
