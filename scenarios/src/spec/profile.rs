//! Profiles: which layers stand in what frameworks for agents offer today, and in ours.
//!
//! A profile is where the other keys of `[federation]` start. Each says what it is drawn from, and
//! what of that it cannot show. Must not know how a layer works.

use fedsim_protocols::federation::envelope::Stage;
use fedsim_protocols::federation::transport::Mode;
use fedsim_protocols::federation::trust::Model;
use fedsim_protocols::stack::{Across, PrivacyGate, Screening};

use super::federation::FederationSpec;
use super::transport::TransportSpec;

/// A published way to federate agents.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Profile {
    /// Do it yourself: agents that call each other over plain HTTP and go by the name that a caller
    /// gives. No check of an envelope stands but its size and its form, nothing is sanitised, and
    /// state that is shared is changed by telling the others.
    ///
    /// Source: ours; it is what is left when nothing is built.
    None,
    /// Tools behind HTTPS: the server shows a certificate, the client a bearer token, and the server
    /// offers named tools to whoever holds one. A token can be taken back. It says who calls, not
    /// who wrote the request, for whom it was meant or when; nothing is signed, decided or audited.
    ///
    /// Source: Model Context Protocol, revision 2025-06-18, "Authorization" and "Security Best
    /// Practices"; OAuth 2.1 bearer tokens (RFC 6750). A token is modelled as a list of who may use
    /// what, since a stolen one is as good as a name. The channel keeps others from sending again what
    /// they overhear.
    McpOverHttps,
    /// The federation of ruflo as its ADR-078 specifies it: signed envelopes with target, time and
    /// nonce, levels with capabilities that a score moves, circuit breakers, personal data taken out before sending, votes of two thirds
    /// among untrusted peers. That an action has its effect once is specified later, by ADR-325.
    ///
    /// Source: ruvnet/ruflo 3.38.16, ADR-078 and ADR-097. Votes are modelled by flat PBFT, whose
    /// quorum is that of ADR-078 where n = 3f + 1.
    RufloAdr078,
    /// The same as the release does it: envelopes are signed, and personal data is taken out; the
    /// receiver asks neither whether an envelope is for it, nor how old it is, nor whether it came
    /// before; authorisation stands at `legacy`, which allows all; a decision needs the votes of the
    /// sessions that the router knows, and it knows none; the log of what was done is a list in memory
    /// without chain or signature; no hop count and no budget
    /// travels; neither the score of trust nor the breaker has a caller.
    ///
    /// Source: ruvnet/ruflo 3.38.16, `inbound-dispatcher.ts`, `policy-engine` defaults and
    /// `routing-service.ts` of the federation plugin 1.0.0-alpha.17. Its pipeline against personal
    /// data misses more than ours, which stands in its place.
    RufloShipped,
    /// Every layer of this project, each at its default: every check, trust by the sound model,
    /// breakers, and screening of what others send.
    ///
    /// Source: ours; the order of checks is that of ruflo's ADR-325.
    #[default]
    Full,
}

impl Profile {
    /// All of them, from the barest to the fullest.
    pub const ALL: [Self; 5] = [
        Self::None,
        Self::McpOverHttps,
        Self::RufloShipped,
        Self::RufloAdr078,
        Self::Full,
    ];

    /// Its word in scenario files.
    pub const fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::McpOverHttps => "mcp-over-https",
            Self::RufloAdr078 => "ruflo-adr-078",
            Self::RufloShipped => "ruflo-shipped",
            Self::Full => "full",
        }
    }

    /// What it is, in a sentence.
    pub const fn about(self) -> &'static str {
        match self {
            Self::None => "Do it yourself: plain HTTP, and whoever calls is who he says he is.",
            Self::McpOverHttps => {
                "Tools behind HTTPS and a bearer token, as the Model Context Protocol has it."
            }
            Self::RufloAdr078 => "The federation of ruflo as its ADR-078 specifies it.",
            Self::RufloShipped => "The federation of ruflo as release 3.38.16 does it.",
            Self::Full => "Every layer there is.",
        }
    }

    /// The settings it starts from. Whom anybody trusts and what is exposed is for the scenario.
    pub fn preset(self) -> FederationSpec {
        let full = FederationSpec::default();
        match self {
            Self::None => FederationSpec {
                without: vec![
                    Stage::Signature,
                    Stage::Audience,
                    Stage::Freshness,
                    Stage::Replay,
                    Stage::Revocation,
                    Stage::Authorisation,
                    Stage::Budget,
                    Stage::Execution,
                    Stage::Audit,
                ],
                gate: PrivacyGate::Off,
                across: Across::Broadcast,
                ..full
            },
            Self::McpOverHttps => FederationSpec {
                without: vec![
                    Stage::Signature,
                    Stage::Audience,
                    Stage::Freshness,
                    Stage::Replay,
                    Stage::Budget,
                    Stage::Execution,
                    Stage::Audit,
                ],
                gate: PrivacyGate::Off,
                transport: TransportSpec::of_mode(Mode::ServerOnly),
                across: Across::Broadcast,
                ..full
            },
            Self::RufloAdr078 => FederationSpec {
                without: vec![Stage::Execution],
                trust_model: Some(Model::Reference),
                breaker: true,
                transport: TransportSpec::of_mode(Mode::Mutual),
                ..full
            },
            Self::RufloShipped => FederationSpec {
                without: vec![
                    Stage::Audience,
                    Stage::Freshness,
                    Stage::Replay,
                    Stage::Authorisation,
                    Stage::Budget,
                    Stage::Execution,
                    Stage::Audit,
                ],
                across: Across::Broadcast,
                ..full
            },
            Self::Full => FederationSpec {
                trust_model: Some(Model::Sound),
                breaker: true,
                screening: Screening::Inbound,
                transport: TransportSpec::of_mode(Mode::Mutual),
                ..full
            },
        }
    }
}
