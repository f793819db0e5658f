//! IPv6 addresses (RFC 4291); those of IPv4 are digits.
//!
//! Must not know what is reachable.

use core::net::Ipv6Addr;

use super::{Hit, begins_word, ends_word};
use crate::federation::kind::Kind;

/// Longest text of an address, an IPv4 tail included.
const LENGTH_MAX: usize = 45;

/// The address that the colon at `at` belongs to, and where the stretch around the colon ends.
pub(super) fn ipv6_around(text: &str, at: usize) -> (Option<Hit>, usize) {
    let bytes = text.as_bytes();
    let is_part = |byte: &&u8| byte.is_ascii_hexdigit() || matches!(byte, b':' | b'.');
    let start = at - bytes[..at].iter().rev().take_while(is_part).count();
    let end = at + bytes[at..].iter().take_while(is_part).count();
    let address = text[start..end].trim_end_matches('.');
    let address = match address.strip_suffix(':') {
        Some(shorter) if !shorter.ends_with(':') => shorter,
        _ => address,
    };
    let stop = start + address.len();
    let is_alone = begins_word(text, start) && ends_word(text, stop);
    let is_found = is_alone && address.len() <= LENGTH_MAX && is_somebodys(address);
    let hit = is_found.then_some(Hit {
        kind: Kind::Ipv6,
        start,
        end: stop,
    });
    (hit, end)
}

/// An address with a digit in it (a path of names such as `add::cafe` has none) that is neither
/// the loopback nor the unspecified one.
fn is_somebodys(text: &str) -> bool {
    let has_digit = text.bytes().any(|byte| byte.is_ascii_digit());
    let parsed = text.parse::<Ipv6Addr>();
    has_digit && parsed.is_ok_and(|one| !one.is_loopback() && !one.is_unspecified())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_found_and_times_and_paths_are_not() {
        // Short and long forms; what also has colons must parse as no address.
        let found = |text: &'static str| {
            let at = text.find(':').expect("a colon");
            ipv6_around(text, at).0.map(|hit| &text[hit.start..hit.end])
        };
        assert_eq!(found("at 2001:db8::1."), Some("2001:db8::1"));
        assert_eq!(
            found("[fe80::1ff:fe23:4567:890a]:80"),
            Some("fe80::1ff:fe23:4567:890a")
        );
        assert_eq!(
            found("2001:0db8:85a3:0:0:8a2e:0370:7334,"),
            Some("2001:0db8:85a3:0:0:8a2e:0370:7334")
        );
        for text in [
            "12:30:45",
            "a::b",
            "::1",
            "std::fmt",
            "key: value",
            "00:1a:2b:3c:4d:5e",
        ] {
            assert_eq!(found(text), None, "{text}");
        }
    }
}
