//! Byzantine peers and a network that takes sides, under every way to run them.

use std::sync::Arc;

use fedsim_protocols::{PeerId, Probability, SimDuration};
use fedsim_scenarios::Scenario;
use fedsim_scenarios::spec::adversaries::BehaviourSettings;
use fedsim_scenarios::spec::{AdversarySpec, Behaviour, Fault, When, Who};

use super::chatter::{Chat, Diary};
use super::{fault, one, scenario};
use crate::engine::{MessageFate, MessageTrace, Options, Outcome, run};
use crate::time::SimTime;

fn adversary(label: &str, who: Who, cabal: &str, what: &[Behaviour]) -> AdversarySpec {
    AdversarySpec {
        label: label.to_owned(),
        who,
        when: When::At(SimDuration::ZERO),
        lasts: None,
        heal_by: None,
        cabal: cabal.to_owned(),
        what: what.to_vec(),
        settings: BehaviourSettings::default(),
    }
}

fn peers(slots: &[u32]) -> Who {
    Who::Peers(slots.iter().map(|slot| PeerId(*slot)).collect())
}

/// A cabal across shards that replays what it overhears, a peer with a twin that crashes and comes
/// back, somebody who wakes by an event, and a network that takes sides.
fn plot() -> Scenario {
    let mut plot = scenario(12, 3);
    plot.assume.delay = Some(SimDuration::from_millis(80));
    plot.assume.stable_after = Some(SimDuration::from_millis(500));
    plot.faults = vec![fault(1_000, 300, Fault::Crash(one(5)))];
    let half = Probability::from_f64(0.5);
    let mut cabal = adversary(
        "cabal",
        peers(&[1, 4, 7]),
        "plot",
        &[Behaviour::Replay, Behaviour::Duplicate, Behaviour::Delay],
    );
    cabal.settings.pace = Some(SimDuration::from_millis(37));
    cabal.settings.share = half;
    let twins = adversary(
        "twins",
        peers(&[5]),
        "",
        &[Behaviour::Twins, Behaviour::Flood],
    );
    let mut waker = adversary(
        "waker",
        Who::Drawn {
            count: 2,
            of: vec![PeerId(8), PeerId(9), PeerId(10)],
        },
        "",
        &[Behaviour::Corrupt, Behaviour::Drop, Behaviour::Omit],
    );
    waker.settings.share = half;
    waker.when = When::On {
        event: "kept".to_owned(),
        peers: Vec::new(),
        nth: 5,
        times: 3,
        delay: SimDuration::ZERO,
    };
    waker.lasts = Some(SimDuration::from_millis(400));
    let mut network = adversary("network", Who::Network, "", &[Behaviour::SplitDelays]);
    network.when = When::At(SimDuration::from_millis(1_200));
    network.lasts = Some(SimDuration::from_millis(900));
    plot.adversaries = vec![cabal, twins, waker, network];
    plot
}

fn outcome(scenario: &Scenario, options: &Options, diary: &mut Diary) -> Outcome {
    let cast = Arc::new(Chat {
        peers: scenario.peers.len() as u64,
        panics_at: None,
    });
    run(scenario, &cast, options, diary).expect("nobody panics")
}

#[test]
fn threads_and_windows_change_nothing_that_adversaries_do() {
    // Members of the cabal would live on three different threads, were they not kept in one actor;
    // what they overhear, and whatever wakes others, comes exactly a lookahead later.
    let plot = plot();
    let mut reference = Diary::default();
    let expected = outcome(&plot, &Options::default(), &mut reference);
    let idle = expected.behaviours.iter().find(|it| it.deeds == 0);
    assert_eq!(idle, None, "a behaviour that does nothing proves nothing");
    for (threads, window_divisor) in [(1, 3), (2, 1), (2, 3), (5, 1)] {
        let options = Options {
            threads,
            window_divisor,
            ..Options::default()
        };
        let mut diary = Diary::default();
        let got = outcome(&plot, &options, &mut diary);
        assert_eq!(got.digest, expected.digest, "{threads} {window_divisor}");
        assert_eq!(diary.lines, reference.lines);
        assert_eq!(got.behaviours, expected.behaviours);
        assert_eq!(got.bands, expected.bands);
    }
}

/// The messages of a run with one adversary, peer 0, and those of the same run without it.
fn with_and_without(spec: AdversarySpec) -> (Vec<MessageTrace>, Vec<MessageTrace>, Outcome) {
    let options = Options {
        messages: true,
        ..Options::default()
    };
    let mut honest = scenario(6, 2);
    let mut diary = Diary::default();
    outcome(&honest, &options, &mut diary);
    honest.adversaries = vec![spec];
    let mut other = Diary::default();
    let got = outcome(&honest, &options, &mut other);
    (other.messages, diary.messages, got)
}

fn from_first(messages: &[MessageTrace]) -> Vec<&MessageTrace> {
    messages.iter().filter(|it| it.from == PeerId(0)).collect()
}

#[test]
fn a_silent_peer_sends_nothing_and_a_late_one_keeps_silent_from_then_on() {
    // The same run up to the moment at which it begins, and nothing of it afterwards.
    let mut spec = adversary("silent", peers(&[0]), "", &[Behaviour::Silent]);
    spec.when = When::At(SimDuration::from_millis(900));
    let begins = SimTime::from_nanos(900_000_000);
    let (with, without, _) = with_and_without(spec);
    let before = |messages: &[MessageTrace]| {
        let before = from_first(messages)
            .into_iter()
            .filter(|it| it.sent < begins);
        before
            .map(|it| (it.sent, it.to, it.kind))
            .collect::<Vec<_>>()
    };
    assert_eq!(before(&with), before(&without));
    assert!(!before(&with).is_empty());
    assert!(from_first(&with).iter().all(|it| it.sent < begins));
    assert!(from_first(&without).iter().any(|it| it.sent > begins));
}

#[test]
fn drop_spares_all_but_its_target_and_one_kind_of_message() {
    let mut spec = adversary("drop", peers(&[0]), "", &[Behaviour::Drop]);
    spec.settings.target = Some(vec![PeerId(2), PeerId(3)]);
    spec.settings.kinds = Some(vec!["first".to_owned()]);
    let (with, without, got) = with_and_without(spec);
    let hits = |messages: &[MessageTrace]| {
        let from = from_first(messages).into_iter();
        from.filter(|it| [PeerId(2), PeerId(3)].contains(&it.to) && it.kind == 0)
            .count()
    };
    assert_eq!(hits(&with), 0);
    assert!(hits(&without) > 0 && got.behaviours[0].deeds > 0);
    assert!(from_first(&with).iter().any(|it| it.to == PeerId(4)));
}

#[test]
fn delay_holds_what_is_sent_by_as_much_as_it_says() {
    // Peer 0's first words are the same in both runs, 150 ms apart.
    let mut spec = adversary("delay", peers(&[0]), "", &[Behaviour::Delay]);
    spec.settings.by = Some(SimDuration::from_millis(150));
    let (with, without, _) = with_and_without(spec);
    let first = |messages: &[MessageTrace]| from_first(messages)[0].sent;
    assert_eq!(
        first(&with),
        first(&without) + SimDuration::from_millis(150)
    );
}

#[test]
fn duplicate_sends_as_many_more_as_it_says() {
    let mut spec = adversary("copies", peers(&[0]), "", &[Behaviour::Duplicate]);
    spec.settings.amount = Some(2);
    let (with, _, _) = with_and_without(spec);
    let sent = from_first(&with);
    let first = sent[0];
    let same = sent
        .iter()
        .filter(|it| it.sent == first.sent && it.to == first.to);
    assert_eq!(same.count(), 3);
}

#[test]
fn what_does_not_decode_is_garbage_and_goes_nowhere() {
    // A word is two fixed-width numbers, so every flip decodes but into another word; the request
    // that peer 0 passes on never arrives as it was.
    let spec = adversary("corrupt", peers(&[0]), "", &[Behaviour::Corrupt]);
    let (with, _, got) = with_and_without(spec);
    assert_eq!(got.garbage, 0);
    assert_eq!(got.behaviours[0].deeds, from_first(&with).len() as u64);
}

#[test]
fn each_side_hears_one_of_two_twins() {
    // Peers 1 and 2 hear the second instance only, the others the first only: a multicast that
    // spans both sides reaches each receiver once.
    let mut spec = adversary("twins", peers(&[0]), "", &[Behaviour::Twins]);
    spec.settings.target = Some(vec![PeerId(1), PeerId(2)]);
    let (with, without, got) = with_and_without(spec);
    let first = |messages: &[MessageTrace]| {
        let sent = from_first(messages);
        let all = sent.iter().filter(|it| it.sent == sent[0].sent);
        all.map(|it| it.to).collect::<Vec<_>>()
    };
    let mut heard = first(&with);
    heard.sort_unstable();
    let mut expected = first(&without);
    expected.sort_unstable();
    assert_eq!(heard, expected);
    assert!(got.behaviours[0].deeds > 0);
}

#[test]
fn delays_keep_to_partial_synchrony() {
    // Before stabilisation up to the bound after it, afterwards within the bound; never faster than
    // the lookahead, and nothing lost.
    let stable = SimTime::from_nanos(1_000_000_000);
    let bound = SimDuration::from_millis(90);
    for what in [
        Behaviour::LongestDelays,
        Behaviour::RandomDelays,
        Behaviour::SplitDelays,
        Behaviour::NewestFirst,
    ] {
        let mut scenario = scenario(6, 2);
        scenario.assume.delay = Some(bound);
        scenario.assume.stable_after = Some(SimDuration::from_secs(1));
        scenario.adversaries = vec![adversary("network", Who::Network, "", &[what])];
        let options = Options {
            messages: true,
            ..Options::default()
        };
        let mut diary = Diary::default();
        outcome(&scenario, &options, &mut diary);
        let mut longest = SimDuration::ZERO;
        for message in &diary.messages {
            let MessageFate::Delivered(at) = message.fate else {
                continue;
            };
            let latest = message.sent.max(stable) + bound;
            assert!(at <= latest, "{what:?}: {message:?}");
            longest = longest.max(at.since(message.sent));
        }
        assert!(
            longest > SimDuration::from_millis(60),
            "{what:?}: {longest}"
        );
    }
}
