//! What handshakes prove, that the model is as strict and as heavy as the real thing, and how
//! sessions live.

use std::collections::{BTreeMap, VecDeque};

use super::modelled::sizes;
use super::*;
use crate::federation::rules::{Rules, Strict};
use crate::federation::terms::{Organisation, SessionId};
use crate::federation::testing::{ACME, GLOBEX, needed};
use crate::identity::{Identity, KeyScheme, Keys, SecretSeed};
use crate::random::{Probability, RunKey, Stream, StreamLabel};
use crate::time::{LocalTime, SimDuration};

mod cases;

use cases::cases;

needed!(certificates_are_checked: refuses_bad_certificates, CertificatesUnchecked);
needed!(the_peer_is_the_one_looked_for: refuses_another_member, AnyoneAnswers);
needed!(sessions_end: ends_after_its_lifetime, SessionsEternal);
needed!(renewal_ends: ends_after_its_longest_life, RenewedForEver);

const YEAR: i64 = 365 * 86_400;

fn at(secs: i64) -> LocalTime {
    LocalTime::from_nanos(secs * 1_000_000_000)
}

fn secret(number: u8) -> SecretSeed {
    SecretSeed([number; 32])
}

fn keys(number: u8) -> Keys {
    Keys::new(KeyScheme::ed25519(), secret(number))
}

fn id(number: u8) -> Identity {
    keys(number).identity()
}

fn root_number(organisation: Organisation) -> u8 {
    200 + organisation.0 as u8
}

/// A year from the beginning of the run.
const VALID: Validity = Validity {
    from: LocalTime::from_nanos(0),
    until: LocalTime::from_nanos(YEAR * 1_000_000_000),
};

/// What a peer shows: whose certificate, issued by whom, valid when, and which key it holds.
#[derive(Clone, Copy, Debug)]
struct Shown {
    number: u8,
    issuer: u8,
    validity: Validity,
    holds: u8,
    mode: Mode,
}

impl Shown {
    fn honest(number: u8, organisation: Organisation) -> Self {
        Self {
            number,
            issuer: root_number(organisation),
            validity: VALID,
            holds: number,
            mode: Mode::Mutual,
        }
    }

    /// Whose name the issuer bears, rightly or not.
    fn claimed_organisation(self) -> Organisation {
        Organisation(u16::from(self.issuer.saturating_sub(200)))
    }

    fn tls<R: Rules>(self) -> Endpoint<R> {
        let member = keys(self.number).public();
        let issuer = secret(self.issuer);
        let certificate =
            member_certificate(&issuer, self.claimed_organisation(), member, self.validity);
        let roots = [ACME, GLOBEX].map(|organisation| {
            root_certificate(&secret(root_number(organisation)), organisation, VALID)
        });
        let endpoint = TlsEndpoint::new(&secret(self.holds), &certificate, &roots, self.mode);
        Endpoint::Tls(Box::new(endpoint))
    }

    fn modelled<R: Rules>(self) -> Endpoint<R> {
        let member = keys(self.number).public();
        let organisation = self.claimed_organisation();
        let credential = ModelledEndpoint::credential(
            &mut keys(self.issuer),
            organisation,
            member,
            self.validity,
        );
        let roots = [ACME, GLOBEX].map(|of| (of, keys(root_number(of)).public()));
        Endpoint::Modelled(Box::new(ModelledEndpoint {
            credential,
            roots: BTreeMap::from(roots),
            mode: self.mode,
        }))
    }

    fn endpoint<R: Rules>(self, is_real: bool) -> Endpoint<R> {
        if is_real { self.tls() } else { self.modelled() }
    }
}

/// How a handshake went, in what both kinds of transport must agree on.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Outcome {
    client: Option<ChannelError>,
    server: Option<ChannelError>,
    client_sees: Option<Identity>,
    server_sees: Option<Identity>,
    heard: Vec<Vec<u8>>,
    /// Bytes of each flight, the client's first.
    flights: Vec<usize>,
}

/// Lets a client, who sends `says`, and a server talk until both are silent.
fn talk<R: Rules>(
    (client, server): (Shown, Shown),
    expected: Option<Identity>,
    now: LocalTime,
    is_real: bool,
    says: &[u8],
) -> Outcome {
    let mut ends = [
        client.endpoint::<R>(is_real).connect([1; 32], expected),
        server.endpoint::<R>(is_real).accept([2; 32]),
    ];
    let mut holders = [keys(client.holds), keys(server.holds)];
    ends[0].send(says);
    let mut flights = Vec::new();
    let mut from = 0;
    for _ in 0..12 {
        let segment = ends[from].take_segment();
        let other = 1 - from;
        if let Some(segment) = segment {
            flights.push(segment.wire_len());
            let _ = ends[other].on_segment(&segment.bytes, now, &mut holders[other]);
        }
        from = other;
    }
    let sees = |end: &Channel<R>| {
        let peer = end.peer().filter(|_| end.error().is_none());
        peer.map(|key| key.identity())
    };
    Outcome {
        client: ends[0].error(),
        server: ends[1].error(),
        client_sees: sees(&ends[0]),
        server_sees: sees(&ends[1]),
        heard: ends[1].take_messages(),
        flights,
    }
}

#[test]
fn the_model_and_the_real_thing_come_to_the_same_outcomes_with_the_same_sizes() {
    // Case by case: errors on both sides, who sees whom, what is heard, and every flight's bytes.
    for (name, shown, now, errors) in cases() {
        let real = talk::<Strict>(shown, None, now, true, b"hello");
        let model = talk::<Strict>(shown, None, now, false, b"hello");
        assert_eq!([real.client, real.server], errors, "{name}: {real:?}");
        assert_eq!(real, model, "{name}");
        let is_heard = errors == [None, None];
        assert_eq!(is_heard, real.heard == [b"hello".to_vec()], "{name}");
    }
}

#[test]
fn both_sides_know_whom_they_talk_to_in_mutual_mode_only() {
    // One-way authentication leaves the server blind: that is what it lets in.
    for is_real in [true, false] {
        let (client, server) = (Shown::honest(1, ACME), Shown::honest(11, GLOBEX));
        let both = talk::<Strict>((client, server), Some(id(11)), at(1), is_real, b"");
        assert_eq!(
            (both.client_sees, both.server_sees),
            (Some(id(11)), Some(id(1)))
        );
        let one_sided = |shown| Shown {
            mode: Mode::ServerOnly,
            ..shown
        };
        let pair = (one_sided(client), one_sided(server));
        let one = talk::<Strict>(pair, Some(id(11)), at(1), is_real, b"");
        assert_eq!((one.client_sees, one.server_sees), (Some(id(11)), None));
    }
}

fn refuses_bad_certificates<R: Rules>() -> bool {
    let (client, server) = (Shown::honest(1, ACME), Shown::honest(11, GLOBEX));
    let strange = Shown {
        issuer: 99,
        ..server
    };
    [true, false].into_iter().all(|is_real| {
        let late = talk::<R>((client, server), None, at(2 * YEAR), is_real, b"");
        let unknown = talk::<R>((client, strange), None, at(1), is_real, b"");
        late.client == Some(ChannelError::Expired)
            && unknown.client == Some(ChannelError::UnknownIssuer)
    })
}

fn refuses_another_member<R: Rules>() -> bool {
    // Another member of the same organisation answers at the address of the one looked for.
    let (client, server) = (Shown::honest(1, ACME), Shown::honest(12, GLOBEX));
    [true, false].into_iter().all(|is_real| {
        let outcome = talk::<R>((client, server), Some(id(11)), at(1), is_real, b"secret");
        outcome.client == Some(ChannelError::Impostor) && outcome.heard.is_empty()
    })
}

#[test]
fn a_handshake_is_the_same_bytes_for_the_same_dice_and_others_for_others() {
    // Randomness comes from the seeds given and from nowhere else.
    let bytes = |dice: u8| {
        let mut ends = [
            Shown::honest(1, ACME)
                .tls::<Strict>()
                .connect([dice; 32], None),
            Shown::honest(11, GLOBEX).tls::<Strict>().accept([2; 32]),
        ];
        let mut mine = keys(1);
        let mut all = Vec::new();
        for turn in 0..4 {
            let (from, to) = (turn % 2, 1 - turn % 2);
            if let Some(segment) = ends[from].take_segment() {
                ends[to]
                    .on_segment(&segment.bytes, at(1), &mut mine)
                    .unwrap();
                all.push(segment.bytes);
            }
        }
        assert!(ends.iter().all(Channel::is_established));
        all
    };
    assert_eq!(bytes(1), bytes(1));
    assert_ne!(bytes(1), bytes(3));
}

#[test]
fn content_weighs_what_records_add() {
    // The model's arithmetic against the real records, across the borders of a record.
    let (client, server) = (Shown::honest(1, ACME), Shown::honest(11, GLOBEX));
    let flights = |length: usize, is_real| {
        let says = vec![b'x'; length];
        talk::<Strict>((client, server), None, at(1), is_real, &says).flights
    };
    for length in [1, 512, 16_379, 16_380, 16_381, 100_000] {
        assert_eq!(
            flights(length, true),
            flights(length, false),
            "{length} bytes"
        );
    }
}

#[test]
fn nothing_is_heard_that_was_not_said() {
    // One byte of a record is changed, each in turn. What is protected dies; a record's header is
    // not (rustls takes the type from inside), and changing it changes nothing that is heard.
    for is_real in [true, false] {
        for place in 0..100 {
            let (client, server) = (Shown::honest(1, ACME), Shown::honest(11, GLOBEX));
            let mut ends = [
                client.endpoint::<Strict>(is_real).connect([1; 32], None),
                server.endpoint::<Strict>(is_real).accept([2; 32]),
            ];
            let mut holders = [keys(1), keys(11)];
            for turn in 0..3 {
                let (from, to) = (turn % 2, 1 - turn % 2);
                let segment = ends[from].take_segment().unwrap();
                ends[to]
                    .on_segment(&segment.bytes, at(1), &mut holders[to])
                    .unwrap();
            }
            ends[0].send(&[b'x'; 100]);
            let mut bytes = ends[0].take_segment().unwrap().bytes;
            bytes[place] ^= 1;
            let _ = ends[1].on_segment(&bytes, at(1), &mut holders[1]);
            let heard = ends[1].take_messages();
            let is_header = is_real && place < 5;
            assert!(
                heard.is_empty() || (is_header && heard == [[b'x'; 100]]),
                "{place}"
            );
        }
    }
}

#[test]
fn certificates_are_all_of_one_size() {
    // The model knows one number for them.
    for number in 1..60 {
        let validity = Validity {
            from: at(i64::from(number) * 777),
            until: at(YEAR + i64::from(number)),
        };
        let organisation = Organisation(u16::from(number) * 1_000);
        let member = keys(number).public();
        let certificate = member_certificate(&secret(number + 100), organisation, member, validity);
        assert_eq!(certificate.der().len(), sizes::CERTIFICATE);
    }
}

/// Two ends of a session over a network that loses, repeats and reorders as told.
struct Wire<R: Rules = Strict> {
    ends: [Session<R>; 2],
    holders: [Keys; 2],
    dice: Stream,
    loss: Probability,
    flying: VecDeque<(usize, Packet)>,
    events: [Vec<SessionEvent>; 2],
    now: LocalTime,
}

impl<R: Rules> Wire<R> {
    fn new(is_real: bool, loss: f64, config: SessionConfig) -> Self {
        let (client, server) = (Shown::honest(1, ACME), Shown::honest(11, GLOBEX));
        let (id, until) = (SessionId([5; 16]), VALID.until);
        let (first, packets) = Session::connect(
            &client.endpoint(is_real),
            (id, [1; 32]),
            Some(keys(11).identity()),
            (config, until),
            at(0),
        );
        let second = Session::accept(
            &server.endpoint(is_real),
            (id, [2; 32]),
            (config, until),
            at(0),
        );
        let mut wire = Self {
            ends: [first, second],
            holders: [keys(1), keys(11)],
            dice: Stream::new(RunKey::from_seed(9), StreamLabel::global("test")),
            loss: Probability::from_f64(loss).unwrap(),
            flying: VecDeque::new(),
            events: [Vec::new(), Vec::new()],
            now: at(0),
        };
        wire.launch(1, packets);
        wire
    }

    fn launch(&mut self, to: usize, packets: Vec<Packet>) {
        for packet in packets {
            for _ in 0..2 {
                if !self.dice.chance(self.loss) {
                    let place = self.dice.below(self.flying.len() as u64 + 1) as usize;
                    self.flying.insert(place, (to, packet.clone()));
                }
                // Without loss nothing is repeated either.
                if self.loss.is_zero() {
                    break;
                }
            }
        }
    }

    fn second(&mut self) {
        self.now = self.now + SimDuration::from_secs(1);
        for end in [0, 1] {
            let (event, packets) = self.ends[end].on_tick(self.now);
            self.events[end].extend(event);
            self.launch(1 - end, packets);
        }
        let flying = std::mem::take(&mut self.flying);
        for (to, packet) in flying {
            let (events, packets) =
                self.ends[to].on_packet(&packet, self.now, &mut self.holders[to]);
            self.events[to].extend(events);
            self.launch(1 - to, packets);
        }
    }

    fn run(&mut self, secs: usize) {
        (0..secs).for_each(|_| self.second());
    }

    fn send(&mut self, from: usize, message: &[u8]) {
        let packets = self.ends[from].send(message, self.now);
        self.launch(1 - from, packets);
    }

    fn heard(&self, end: usize) -> Vec<Vec<u8>> {
        let events = self.events[end].iter();
        let messages = events.filter_map(|event| match event {
            SessionEvent::Message(message) => Some(message.clone()),
            SessionEvent::Established { .. } | SessionEvent::Ended(_) => None,
        });
        messages.collect()
    }

    fn end_of(&self, end: usize) -> Option<End> {
        self.events[end].iter().find_map(|event| match event {
            SessionEvent::Ended(end) => Some(*end),
            SessionEvent::Established { .. } | SessionEvent::Message(_) => None,
        })
    }
}

#[test]
fn messages_arrive_once_and_in_order_over_a_bad_network() {
    // A third of all copies lost, the rest repeated and shuffled: 200 messages each way.
    for is_real in [true, false] {
        let mut wire = Wire::<Strict>::new(is_real, 0.3, SessionConfig::default());
        let messages: Vec<Vec<u8>> = (0..200_u8).map(|number| vec![number; 40]).collect();
        for message in &messages {
            wire.send(0, message);
            wire.send(1, message);
            wire.second();
        }
        wire.run(60);
        assert_eq!(wire.heard(1), messages, "{is_real}");
        assert_eq!(wire.heard(0), messages, "{is_real}");
        assert_eq!(wire.ends[1].peer().map(|key| key.identity()), Some(id(1)));
    }
}

fn ends_after_its_lifetime<R: Rules>() -> bool {
    // Heartbeats keep it from being silent; nothing keeps it from lapsing after the hour.
    let mut wire = Wire::<R>::new(false, 0.0, SessionConfig::default());
    wire.run(3_600);
    let lives = wire.ends.iter().all(Session::is_open);
    wire.run(2);
    lives && wire.end_of(0) == Some(End::Lapsed) && wire.end_of(1) == Some(End::Lapsed)
}

fn ends_after_its_longest_life<R: Rules>() -> bool {
    // Renewed every half an hour, by one side alone: both live on, and a day is all.
    let config = SessionConfig {
        heartbeat: SimDuration::from_secs(600),
        ..SessionConfig::default()
    };
    let mut wire = Wire::<R>::new(false, 0.0, config);
    for _ in 0..47 {
        wire.run(1_800);
        let packets = wire.ends[0].renew(wire.now);
        wire.launch(1, packets);
    }
    let lives = wire.ends.iter().all(Session::is_open);
    wire.run(1_800);
    let packets = wire.ends[0].renew(wire.now);
    wire.launch(1, packets);
    wire.run(10);
    lives && wire.ends.iter().all(|end| !end.is_open())
}

#[test]
fn silence_ends_a_session_after_three_heartbeats() {
    // Last heard at 90 s, the network goes away at 100: both notice 90 s and a tick after the former.
    let mut wire = Wire::<Strict>::new(false, 0.0, SessionConfig::default());
    wire.run(100);
    wire.loss = Probability::ONE;
    wire.run(80);
    assert!(wire.ends.iter().all(Session::is_open));
    wire.run(2);
    assert_eq!([wire.end_of(0), wire.end_of(1)], [Some(End::Silent); 2]);
}

#[test]
fn a_session_ends_with_the_certificate_or_when_told_so() {
    // A certificate of 10 minutes ends a session of an hour; termination reaches the other side.
    let mut wire = Wire::<Strict>::new(false, 0.0, SessionConfig::default());
    wire.run(5);
    let packets = wire.ends[0].terminate(wire.now);
    wire.launch(1, packets);
    wire.run(2);
    assert_eq!(wire.end_of(1), Some(End::Terminated));
    assert!(!wire.ends[0].is_open());
    let mut wire = Wire::<Strict>::new(false, 0.0, SessionConfig::default());
    let endpoint = Shown::honest(1, ACME).modelled::<Strict>();
    let (session, packets) = Session::connect(
        &endpoint,
        (SessionId([5; 16]), [1; 32]),
        None,
        (SessionConfig::default(), at(600)),
        at(0),
    );
    wire.ends[0] = session;
    wire.flying.clear();
    wire.launch(1, packets);
    wire.run(602);
    assert_eq!(wire.end_of(0), Some(End::CertificateOver));
}

#[test]
fn a_handshake_nobody_answers_is_given_up() {
    // Ten seconds, not for ever.
    let mut wire = Wire::<Strict>::new(true, 1.0, SessionConfig::default());
    wire.run(10);
    assert_eq!(wire.end_of(0), None);
    wire.run(2);
    assert_eq!(wire.end_of(0), Some(End::Unanswered));
}
