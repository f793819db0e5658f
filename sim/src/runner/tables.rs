//! Rows and metrics that follow from the engine's own counts: messages, load, faults, peers.
//!
//! Must not know protocols beyond the names of their kinds of message.

use std::collections::BTreeMap;

use fedsim_protocols::{KeyScheme, Keys, PeerId, RunKey};
use fedsim_record::{FaultRow, LoadRow, MessageRow, MessageTotals, PeerRow, TraceRow};
use fedsim_scenarios::Scenario;

use super::recorder::{Ups, seconds};
use crate::engine::{Counters, KindCount, MessageFate, MessageTrace, Outcome, identity_seed};
use crate::nemesis::FaultBand;
use crate::network::DropReason;
use crate::time::SimTime;

/// Names written out at most where peers are listed.
const NAMES_SHOWN: usize = 8;

pub(super) fn peers(scenario: &Scenario, identity: Option<&KeyScheme>) -> Vec<PeerRow> {
    let key = RunKey::from_seed(scenario.seed);
    let name = |slot: u32| {
        identity.map_or_else(String::new, |scheme| {
            let keys = Keys::new(scheme.clone(), identity_seed(key, PeerId(slot)));
            hex(&keys.identity().0)
        })
    };
    (0..)
        .zip(&scenario.peers)
        .map(|(slot, peer)| PeerRow {
            peer: slot,
            nickname: peer.nickname.clone(),
            organisation: peer.organisation.clone(),
            region: peer.region.clone(),
            identity: name(slot),
        })
        .collect()
}

/// Bytes in hexadecimal digits.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Who, in words.
pub(super) fn names(scenario: &Scenario, peers: &[PeerId]) -> String {
    let name = |peer: &PeerId| scenario.peers[peer.index()].nickname.as_str();
    let shown: Vec<&str> = peers.iter().take(NAMES_SHOWN).map(name).collect();
    match peers.len().saturating_sub(NAMES_SHOWN) {
        0 => shown.join(" "),
        more => format!("{} and {more} more", shown.join(" ")),
    }
}

pub(super) fn faults(scenario: &Scenario, outcome: &Outcome) -> Vec<FaultRow> {
    let effect = |band: &FaultBand| match outcome.tallies.get(band.fault as usize - 1) {
        Some(tally) => tally.messages + tally.peers,
        None => {
            let mut theirs = 0;
            let of_band = outcome
                .behaviours
                .iter()
                .filter(|it| it.adversary == band.label);
            of_band.for_each(|it| theirs += it.deeds);
            theirs
        }
    };
    let kind_of = |band: &FaultBand| match scenario.faults.get(band.fault as usize - 1) {
        Some(spec) => spec.fault.kind(),
        None => "adversary",
    };
    (1..)
        .zip(&outcome.bands)
        .map(|(number, band)| FaultRow {
            number,
            label: band.label.clone(),
            kind: kind_of(band).to_owned(),
            from_s: seconds(band.from),
            to_s: band.to.filter(|to| *to <= outcome.ended_at).map(seconds),
            peers: names(scenario, &band.peers),
            took_effect: effect(band),
        })
        .collect()
}

/// The span of each interval that began before the end.
fn spans(counters: &Counters, end: SimTime) -> impl Iterator<Item = (SimTime, SimTime)> {
    let width = counters.interval().as_nanos();
    (0..)
        .map(move |index: u64| SimTime::from_nanos(index.saturating_mul(width)))
        .take_while(move |from| *from < end)
        .map(move |from| (from, (from + counters.interval()).min(end)))
}

pub(super) fn messages(counters: &Counters, kinds: &[String], end: SimTime) -> Vec<MessageRow> {
    let mut rows = Vec::new();
    for ((counts, _), (from, to)) in counters.intervals().zip(spans(counters, end)) {
        for (kind, count) in kinds.iter().zip(counts) {
            if *count != KindCount::default() {
                rows.push(message_row(kind, count, from, to));
            }
        }
    }
    rows
}

fn message_row(kind: &str, count: &KindCount, from: SimTime, to: SimTime) -> MessageRow {
    MessageRow {
        from_s: seconds(from),
        to_s: seconds(to),
        kind: kind.to_owned(),
        sent: count.sent,
        delivered: count.delivered,
        dropped_loss: count.lost,
        dropped_cut: count.cut,
        dropped_down: count.down,
        dropped_queue: count.queue,
        duplicated: count.duplicated,
        bytes: count.bytes,
    }
}

/// One row a message, in the order in which the engine tells of them.
pub(super) fn trace(
    scenario: &Scenario,
    messages: &[MessageTrace],
    kinds: &[String],
) -> Vec<TraceRow> {
    let name = |peer: PeerId| scenario.peers[peer.index()].nickname.clone();
    let row = |message: &MessageTrace| TraceRow {
        sent_s: seconds(message.sent),
        arrived_s: match message.fate {
            MessageFate::Delivered(at) => Some(seconds(at)),
            MessageFate::InFlight | MessageFate::Dropped(_) => None,
        },
        from: name(message.from),
        to: name(message.to),
        kind: kinds[message.kind].clone(),
        bytes: message.bytes,
        fate: fate(message.fate).to_owned(),
    };
    messages.iter().map(row).collect()
}

/// A message's fate as the trace names it.
fn fate(fate: MessageFate) -> &'static str {
    match fate {
        MessageFate::Delivered(_) => "delivered",
        MessageFate::InFlight => "in flight",
        MessageFate::Dropped(DropReason::Loss(_)) => "loss",
        MessageFate::Dropped(DropReason::Cut(_) | DropReason::NoRoute) => "cut",
        MessageFate::Dropped(DropReason::Queue) => "queue",
        MessageFate::Dropped(DropReason::Down) => "down",
    }
}

/// What peers sent in an interval, and for how long how many of them were up.
struct Sent {
    messages: u64,
    bytes: u64,
    peer_seconds: f64,
}

fn sent(counts: &[KindCount], ups: &Ups, (from, to): (SimTime, SimTime)) -> Sent {
    Sent {
        messages: counts.iter().map(|count| count.sent).sum(),
        bytes: counts.iter().map(|count| count.bytes).sum(),
        peer_seconds: ups.peer_seconds(from, to),
    }
}

pub(super) fn load(counters: &Counters, ups: &Ups, end: SimTime) -> Vec<LoadRow> {
    let intervals = counters.intervals().zip(spans(counters, end));
    intervals
        .map(|((counts, peak), (from, to))| {
            let sent = sent(counts, ups, (from, to));
            let peers = sent.peer_seconds / to.since(from).as_secs_f64();
            let each = |total: u64| match peers > 0.0 {
                true => total as f64 / peers,
                false => 0.0,
            };
            LoadRow {
                from_s: seconds(from),
                to_s: seconds(to),
                messages_mean: each(sent.messages),
                messages_max: peak.messages,
                bytes_mean: each(sent.bytes),
                bytes_max: peak.bytes,
            }
        })
        .collect()
}

pub(super) fn totals(counters: &Counters) -> MessageTotals {
    let total = counters.grand_total();
    MessageTotals {
        sent: total.sent,
        delivered: total.delivered,
        dropped: total.dropped(),
        bytes: total.bytes,
    }
}

/// Metrics of every protocol, but for one a kind of message.
pub(super) const METRICS: [&str; 8] = [
    "messages_sent",
    "messages_delivered",
    "messages_dropped",
    "bytes_sent",
    "messages_per_peer_per_s",
    "bytes_per_peer_per_s",
    "signatures_made",
    "verifications_asked",
];

/// Metrics of every run with adversaries.
pub(super) const ADVERSARY_METRICS: [&str; 2] = ["adversary_deeds", "garbage_messages"];

/// The metric that counts messages of a kind.
pub(super) fn kind_metric(kind: &str) -> String {
    format!("messages_{}", kind.replace('-', "_"))
}

/// Totals over the whole run, and load from the end of the warm-up on.
pub(super) fn metrics(
    counters: &Counters,
    kinds: &[&str],
    ups: &Ups,
    (warm, end): (SimTime, SimTime),
) -> BTreeMap<String, f64> {
    let total = counters.grand_total();
    let (mut messages, mut bytes, mut peer_seconds) = (0, 0, 0.0);
    for ((counts, _), span) in counters.intervals().zip(spans(counters, end)) {
        if span.0 >= warm {
            let sent = sent(counts, ups, span);
            messages += sent.messages;
            bytes += sent.bytes;
            peer_seconds += sent.peer_seconds;
        }
    }
    let numbers = [total.sent, total.delivered, total.dropped(), total.bytes];
    let mut metrics: BTreeMap<String, f64> = METRICS
        .iter()
        .zip(numbers)
        .map(|(name, number)| ((*name).to_owned(), number as f64))
        .collect();
    if peer_seconds > 0.0 {
        metrics.insert(METRICS[4].to_owned(), messages as f64 / peer_seconds);
        metrics.insert(METRICS[5].to_owned(), bytes as f64 / peer_seconds);
    }
    for (name, count) in METRICS[6..]
        .iter()
        .zip([counters.signatures, counters.verifications])
        .filter(|(_, count)| *count > 0)
    {
        metrics.insert((*name).to_owned(), count as f64);
    }
    for (index, kind) in kinds.iter().enumerate() {
        metrics.insert(kind_metric(kind), counters.total(index).sent as f64);
    }
    metrics
}
