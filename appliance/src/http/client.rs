//! From which address a request comes: the peer's, or what a trusted proxy says of it.
//!
//! Nobody else's word is taken: whoever is not named under `[http] trusted_proxies` cannot pass for another client.

use std::net::{IpAddr, SocketAddr};

use actix_web::HttpRequest;

use super::doors::Doors;

/// The most addresses of one header that are looked at, from its end.
const MOST_HOPS: usize = 16;

/// The client's address; `None` where the connection has none (a test).
pub(super) fn address(doors: &Doors, request: &HttpRequest) -> Option<IpAddr> {
    let peer = request.peer_addr()?.ip().to_canonical();
    let trusted = |address: &IpAddr| doors.trusted_proxies.iter().any(|proxy| proxy.to_canonical() == *address);
    if !trusted(&peer) {
        return Some(peer);
    }
    // The last that no trusted proxy stands behind: what comes before it, the client may have written itself.
    let mut nearest = peer;
    for hop in forwarded(request).into_iter().rev().take(MOST_HOPS) {
        let Some(address) = hop else { break };
        nearest = address;
        if !trusted(&address) {
            break;
        }
    }
    Some(nearest)
}

/// The chain of addresses, the client's first: `X-Forwarded-For`, or where that is missing `Forwarded` (RFC 7239). What
/// cannot be read as an address is `None`.
fn forwarded(request: &HttpRequest) -> Vec<Option<IpAddr>> {
    let of = |name: &str| {
        let values = request.headers().get_all(name).filter_map(|value| value.to_str().ok());
        values.flat_map(|value| value.split(',')).map(|part| part.trim().to_owned()).collect::<Vec<String>>()
    };
    let plain = of("X-Forwarded-For");
    if !plain.is_empty() {
        return plain.iter().map(|part| read(part)).collect();
    }
    of("Forwarded").iter().map(|element| element.split(';').find_map(named_for).and_then(|node| read(&node))).collect()
}

/// The node of `for=`, without its quotes.
fn named_for(pair: &str) -> Option<String> {
    let (name, node) = pair.trim().split_once('=')?;
    name.eq_ignore_ascii_case("for").then(|| node.trim_matches('"').to_owned())
}

/// An address, with or without port and brackets.
fn read(node: &str) -> Option<IpAddr> {
    let bare = node.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(node);
    let address = bare.parse().ok().or_else(|| node.parse::<SocketAddr>().ok().map(|with_port| with_port.ip()));
    address.map(|address: IpAddr| address.to_canonical())
}
