//! Every way in which a handshake can be wrong.

use super::*;

/// What it is, what client and server show, when, and what each of them must come to.
pub(super) type Case = (String, (Shown, Shown), LocalTime, [Option<ChannelError>; 2]);

/// What is wrong with a side, how it comes to be so, and what the other side calls it.
type Flaw = (&'static str, fn(&mut Shown), ChannelError);

const FLAWS: [Flaw; 4] = [
    ("expired", let_expire, ChannelError::Expired),
    ("early", come_early, ChannelError::NotYetValid),
    (
        "of an unknown root",
        |shown| shown.issuer = 99,
        ChannelError::UnknownIssuer,
    ),
    (
        "without its key",
        |shown| shown.holds = 77,
        ChannelError::Unproven,
    ),
];

fn let_expire(shown: &mut Shown) {
    shown.validity = Validity {
        until: at(3_600),
        ..VALID
    };
}

fn come_early(shown: &mut Shown) {
    shown.validity = Validity {
        from: at(7_200),
        ..VALID
    };
}

fn with(mut shown: Shown, change: fn(&mut Shown)) -> Shown {
    change(&mut shown);
    shown
}

/// Every way in which a handshake can be wrong, with what it must come to.
pub(super) fn cases() -> Vec<Case> {
    let (client, server) = (Shown::honest(1, ACME), Shown::honest(11, GLOBEX));
    let (noon, refused) = (at(5_000), Some(ChannelError::Refused));
    let one_sided = |shown| with(shown, |shown| shown.mode = Mode::ServerOnly);
    let case = |name: &str, shown, now, errors| (name.to_owned(), shown, now, errors);
    let none = [None, None];
    let mut cases = vec![
        case("honest", (client, server), noon, none),
        case(
            "client without certificate",
            (one_sided(client), server),
            noon,
            [refused, Some(ChannelError::NoCertificate)],
        ),
        case(
            "server only",
            (one_sided(client), one_sided(server)),
            noon,
            none,
        ),
        case(
            "not expired yet",
            (client, with(server, let_expire)),
            at(3_599),
            none,
        ),
    ];
    for (flaw, change, error) in FLAWS {
        let (bad_server, bad_client) = (with(server, change), with(client, change));
        let of_server = format!("server {flaw}");
        cases.push((
            of_server,
            (client, bad_server),
            noon,
            [Some(error), refused],
        ));
        let of_client = format!("client {flaw}");
        cases.push((
            of_client,
            (bad_client, server),
            noon,
            [refused, Some(error)],
        ));
    }
    cases
}
