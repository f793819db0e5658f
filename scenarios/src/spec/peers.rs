//! Who takes part.

use fedsim_protocols::PeerId;

/// What a peer is there for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Runs the protocol.
    Member,
    /// Puts requests to members and judges their answers.
    Client,
}

/// One party, in slot order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PeerSpec {
    /// Display name, unique in the file: `acme-1`.
    pub nickname: String,
    /// The organisation's name; empty where the scenario has none.
    pub organisation: String,
    /// The region's name; empty where the scenario has none.
    pub region: String,
    /// Member or client.
    pub role: Role,
    /// When it starts, from the beginning of the run; zero for most.
    pub starts_at: fedsim_protocols::SimDuration,
}

/// The slots whose nickname matches a glob in which `*` stands for any text.
pub fn slots_matching(peers: &[PeerSpec], glob: &str) -> Vec<PeerId> {
    (0..)
        .zip(peers)
        .filter(|(_, peer)| matches(glob.as_bytes(), peer.nickname.as_bytes()))
        .map(|(slot, _)| PeerId(slot))
        .collect()
}

fn matches(glob: &[u8], text: &[u8]) -> bool {
    let Some(star) = glob.iter().position(|&byte| byte == b'*') else {
        return glob == text;
    };
    let (head, tail) = (&glob[..star], &glob[star + 1..]);
    text.starts_with(head) && (head.len()..=text.len()).any(|from| matches(tail, &text[from..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_any_text_and_nothing_else_is_special() {
        // Faults aim by glob: one name too many or too few hits the wrong peer.
        let cases = [
            ("acme-*", "acme-12", true),
            ("acme-*", "globex-1", false),
            ("*-1", "acme-11", false),
            ("*-1", "acme-1", true),
            ("a*c*", "abcd", true),
            ("a?c", "abc", false),
            ("", "", true),
        ];
        for (glob, text, expected) in cases {
            assert_eq!(
                matches(glob.as_bytes(), text.as_bytes()),
                expected,
                "{glob} {text}"
            );
        }
    }
}
