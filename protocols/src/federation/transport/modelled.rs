//! The model of TLS: the same flights, sizes and checks, without records and key exchange.
//!
//! Certificates and proofs of possession are signed for real, by the run's scheme; so an impostor,
//! an expired certificate and a stranger's root end as they do in TLS. What is said inside is
//! protected by a keyed hash over the transcript of the handshake, in sequence.
//!
//! Departs from TLS: who reads the handshake could compute that key. In a simulation nobody reads
//! what is not sent to him, and nobody can write into a channel that is not his; use the real
//! transport where that is the question.

use borsh::{BorshDeserialize, BorshSerialize};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::federation::rules::Rules;
use crate::federation::terms::{Digest, Organisation};
use crate::fold_struct;
use crate::identity::{Identity, Keys, PublicKey};
use crate::signed::{Signable, Signed};
use crate::time::LocalTime;

use super::certificate::Validity;
use super::channel::{ChannelError, Mode, Segment};

/// Sizes of the real thing in bytes; a test measures them.
pub(super) mod sizes {
    /// The record of a ClientHello.
    pub(crate) const CLIENT_HELLO: usize = 174;
    /// A server's flight without its certificate, if it asks for the client's.
    pub(crate) const SERVER_MUTUAL: usize = 297;
    /// The same, if it does not ask.
    pub(crate) const SERVER_ONLY: usize = 282;
    /// A client's flight without its certificate, if it shows one.
    pub(crate) const CLIENT_MUTUAL: usize = 149;
    /// The same, if it is asked for one and shows none.
    pub(crate) const CLIENT_NONE: usize = 72;
    /// The same, if it is not asked.
    pub(crate) const CLIENT_ONLY: usize = 64;
    /// A member's certificate.
    pub(crate) const CERTIFICATE: usize = 294;
    /// An alert.
    pub(crate) const ALERT: usize = 24;
    /// The same before there are keys.
    pub(crate) const CLEAR_ALERT: usize = 7;
    /// What a client says before anything protected, for the sake of old middleboxes.
    pub(crate) const CHANGE_CIPHER_SPEC: usize = 6;
    /// What a record adds to its content: header, content type, tag.
    pub(crate) const RECORD: usize = 5 + 1 + 16;
    /// The most content of a record.
    pub(crate) const CONTENT_MAX: usize = 1 << 14;

    /// The bytes of so much content.
    pub(crate) const fn data(content: usize) -> usize {
        content + RECORD * content.div_ceil(CONTENT_MAX)
    }
}

/// What a root says of a member, as an X.509 certificate does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, BorshSerialize, BorshDeserialize)]
pub struct Credential {
    /// The organisation whose root signs.
    pub organisation: Organisation,
    /// The member.
    pub key: PublicKey,
    /// From when.
    pub from: LocalTime,
    /// Until when.
    pub until: LocalTime,
}

fold_struct!(Credential {
    organisation,
    key,
    from,
    until
});

impl Signable for Credential {
    const DOMAIN: &'static str = "fedsim/federation/v1/credential";
}

/// That the holder of a key takes part in this handshake, on this side.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, BorshSerialize, BorshDeserialize)]
struct Possession {
    transcript: Digest,
    is_client: bool,
}

fold_struct!(Possession {
    transcript,
    is_client
});

impl Signable for Possession {
    const DOMAIN: &'static str = "fedsim/federation/v1/possession";
}

/// Who one is, and the proof.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
struct Proof {
    credential: Signed<Credential>,
    possession: Signed<Possession>,
}

#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
enum Flight {
    ClientHello {
        random: [u8; 32],
    },
    ServerHello {
        random: [u8; 32],
        asks_client: bool,
        proof: Proof,
    },
    ClientFinished {
        proof: Option<Proof>,
    },
    Data {
        plain: Vec<u8>,
        tag: [u8; 8],
    },
    Alert,
}

/// What one peer needs to open and accept modelled connections.
#[derive(Clone, Debug)]
pub struct ModelledEndpoint {
    /// Its certificate.
    pub credential: Signed<Credential>,
    /// The root keys that it believes, by organisation.
    pub roots: std::collections::BTreeMap<Organisation, PublicKey>,
    /// Who proves himself.
    pub mode: Mode,
}

impl ModelledEndpoint {
    /// The credential that says what a certificate of this validity says.
    pub fn credential(
        root: &mut Keys,
        organisation: Organisation,
        key: PublicKey,
        validity: Validity,
    ) -> Signed<Credential> {
        root.sign(Credential {
            organisation,
            key,
            from: validity.from,
            until: validity.until,
        })
    }

    fn check<R: Rules>(
        &self,
        proof: &Proof,
        (transcript, is_client): (Digest, bool),
        expected: Option<Identity>,
        now: LocalTime,
        keys: &mut Keys,
    ) -> Result<PublicKey, ChannelError> {
        let credential = &proof.credential;
        let root = self.roots.get(&credential.organisation);
        let is_by_root = root == Some(&credential.signer()) && keys.verify(credential);
        let checked = if now < credential.from {
            Err(ChannelError::NotYetValid)
        } else if now > credential.until {
            Err(ChannelError::Expired)
        } else if !is_by_root {
            Err(ChannelError::UnknownIssuer)
        } else {
            Ok(())
        };
        if !R::certificate_holds(checked.is_ok()) {
            checked?;
        }
        let is_expected = expected.is_none_or(|expected| credential.key.identity() == expected);
        if !R::is_expected_peer(is_expected) {
            return Err(ChannelError::Impostor);
        }
        let possession = &proof.possession;
        let wanted = Possession {
            transcript,
            is_client,
        };
        let is_proven = possession.signer() == credential.key
            && *possession.content() == wanted
            && keys.verify(possession);
        match is_proven {
            true => Ok(credential.key),
            false => Err(ChannelError::Unproven),
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Phase {
    AwaitsServer {
        expected: Option<Identity>,
        random: [u8; 32],
    },
    AwaitsHello {
        random: [u8; 32],
    },
    AwaitsClient {
        transcript: Digest,
    },
    Open {
        secret: [u8; 32],
    },
    Dead,
}

/// One modelled connection.
#[derive(Clone, Debug)]
pub(super) struct ModelledChannel {
    endpoint: ModelledEndpoint,
    is_client: bool,
    phase: Phase,
    peer: Option<PublicKey>,
    /// What goes into the next segment, and what that would weigh.
    out: Vec<Flight>,
    weight: usize,
    plain: Vec<u8>,
    sent: u64,
    received: u64,
}

fn random(dice: [u8; 32]) -> [u8; 32] {
    let mut bytes = [0; 32];
    ChaCha8Rng::from_seed(dice).fill_bytes(&mut bytes);
    bytes
}

impl ModelledChannel {
    fn new(endpoint: &ModelledEndpoint, is_client: bool, phase: Phase) -> Self {
        Self {
            endpoint: endpoint.clone(),
            is_client,
            phase,
            peer: None,
            out: Vec::new(),
            weight: 0,
            plain: Vec::new(),
            sent: 0,
            received: 0,
        }
    }

    pub(super) fn connect(
        endpoint: &ModelledEndpoint,
        dice: [u8; 32],
        expected: Option<Identity>,
    ) -> Self {
        let random = random(dice);
        let mut channel = Self::new(endpoint, true, Phase::AwaitsServer { expected, random });
        channel.send(Flight::ClientHello { random }, sizes::CLIENT_HELLO);
        channel
    }

    pub(super) fn accept(endpoint: &ModelledEndpoint, dice: [u8; 32]) -> Self {
        let random = random(dice);
        Self::new(endpoint, false, Phase::AwaitsHello { random })
    }

    fn send(&mut self, flight: Flight, size: usize) {
        self.out.push(flight);
        self.weight += size;
    }

    pub(super) fn on_bytes<R: Rules>(
        &mut self,
        bytes: &[u8],
        now: LocalTime,
        keys: &mut Keys,
    ) -> Result<(), ChannelError> {
        let flights = borsh::from_slice(bytes).map_err(|_| ChannelError::Malformed);
        let result = flights.and_then(|flights: Vec<Flight>| {
            let mut flights = flights.into_iter();
            flights.try_for_each(|flight| self.on_flight::<R>(flight, now, keys))
        });
        if let Err(error) = result {
            let size = self.alert_size(error);
            self.phase = Phase::Dead;
            if error != ChannelError::Refused {
                self.send(Flight::Alert, size);
            }
        }
        result
    }

    /// The bytes of an alert: in the clear as long as there are no keys.
    fn alert_size(&self, error: ChannelError) -> usize {
        match self.phase {
            Phase::AwaitsHello { .. } => sizes::CLEAR_ALERT,
            Phase::AwaitsServer { .. } if error == ChannelError::Malformed => sizes::CLEAR_ALERT,
            Phase::AwaitsServer { .. } => sizes::CHANGE_CIPHER_SPEC + sizes::ALERT,
            Phase::AwaitsClient { .. } | Phase::Open { .. } | Phase::Dead => sizes::ALERT,
        }
    }

    fn on_flight<R: Rules>(
        &mut self,
        flight: Flight,
        now: LocalTime,
        keys: &mut Keys,
    ) -> Result<(), ChannelError> {
        match (self.phase.clone(), flight) {
            (_, Flight::Alert) => Err(ChannelError::Refused),
            (Phase::AwaitsHello { random }, Flight::ClientHello { random: theirs }) => {
                self.on_client_hello((theirs, random), keys);
                Ok(())
            }
            (
                Phase::AwaitsServer { expected, random },
                Flight::ServerHello {
                    random: theirs,
                    asks_client,
                    proof,
                },
            ) => {
                let transcript = Digest::of(&(random, theirs));
                let held = (transcript, false);
                let peer = self
                    .endpoint
                    .check::<R>(&proof, held, expected, now, keys)?;
                self.peer = Some(peer);
                self.on_server_hello(transcript, asks_client, keys);
                Ok(())
            }
            (Phase::AwaitsClient { transcript }, Flight::ClientFinished { proof }) => {
                self.on_client_finished::<R>(transcript, proof, now, keys)
            }
            (Phase::Open { secret }, Flight::Data { plain, tag }) => {
                let wanted = self.tag(&secret, !self.is_client, self.received, &plain);
                if tag != wanted {
                    return Err(ChannelError::Malformed);
                }
                self.received += 1;
                self.plain.extend_from_slice(&plain);
                Ok(())
            }
            (_, _) => Err(ChannelError::Malformed),
        }
    }

    fn on_client_hello(&mut self, (client, server): ([u8; 32], [u8; 32]), keys: &mut Keys) {
        let transcript = Digest::of(&(client, server));
        let asks_client = self.endpoint.mode == Mode::Mutual;
        let flight = Flight::ServerHello {
            random: server,
            asks_client,
            proof: self.proof(transcript, keys),
        };
        let size = match asks_client {
            true => sizes::SERVER_MUTUAL,
            false => sizes::SERVER_ONLY,
        };
        self.send(flight, size + sizes::CERTIFICATE);
        self.phase = Phase::AwaitsClient { transcript };
    }

    fn on_server_hello(&mut self, transcript: Digest, asks_client: bool, keys: &mut Keys) {
        let shows = asks_client && self.endpoint.mode == Mode::Mutual;
        let proof = shows.then(|| self.proof(transcript, keys));
        let size = match (asks_client, shows) {
            (_, true) => sizes::CLIENT_MUTUAL + sizes::CERTIFICATE,
            (true, false) => sizes::CLIENT_NONE,
            (false, false) => sizes::CLIENT_ONLY,
        };
        self.send(Flight::ClientFinished { proof }, size);
        self.open(transcript);
    }

    fn on_client_finished<R: Rules>(
        &mut self,
        transcript: Digest,
        proof: Option<Proof>,
        now: LocalTime,
        keys: &mut Keys,
    ) -> Result<(), ChannelError> {
        match (proof, self.endpoint.mode) {
            (Some(proof), Mode::Mutual) => {
                let held = (transcript, true);
                let peer = self.endpoint.check::<R>(&proof, held, None, now, keys)?;
                self.peer = Some(peer);
            }
            (None, Mode::Mutual) => return Err(ChannelError::NoCertificate),
            (_, Mode::ServerOnly | Mode::None) => {}
        }
        self.open(transcript);
        Ok(())
    }

    fn open(&mut self, transcript: Digest) {
        let secret = blake3::derive_key("fedsim modelled channel v1", &transcript.0);
        self.phase = Phase::Open { secret };
    }

    fn proof(&self, transcript: Digest, keys: &mut Keys) -> Proof {
        let is_client = self.is_client;
        Proof {
            credential: self.endpoint.credential.clone(),
            possession: keys.sign(Possession {
                transcript,
                is_client,
            }),
        }
    }

    fn tag(&self, secret: &[u8; 32], by_client: bool, number: u64, plain: &[u8]) -> [u8; 8] {
        let mut hasher = blake3::Hasher::new_keyed(secret);
        hasher.update(&[u8::from(by_client)]);
        hasher.update(&number.to_le_bytes());
        hasher.update(plain);
        let mut tag = [0; 8];
        hasher.finalize_xof().fill(&mut tag);
        tag
    }

    pub(super) fn write(&mut self, plain: &[u8]) {
        if let Phase::Open { secret } = self.phase {
            let flight = Flight::Data {
                plain: plain.to_vec(),
                tag: self.tag(&secret, self.is_client, self.sent, plain),
            };
            self.sent += 1;
            self.send(flight, sizes::data(plain.len()));
        }
    }

    pub(super) fn read(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.plain)
    }

    pub(super) fn take_segment(&mut self) -> Option<Segment> {
        let (out, weight) = (
            std::mem::take(&mut self.out),
            std::mem::take(&mut self.weight),
        );
        if out.is_empty() {
            return None;
        }
        let bytes = borsh::to_vec(&out).expect("writing to memory does not fail");
        let padding = weight.saturating_sub(bytes.len()) as u32;
        Some(Segment { bytes, padding })
    }

    pub(super) fn is_established(&self) -> bool {
        matches!(self.phase, Phase::Open { .. })
    }

    pub(super) fn peer(&self) -> Option<PublicKey> {
        self.peer
    }
}
