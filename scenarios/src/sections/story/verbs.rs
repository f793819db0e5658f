//! The verbs that every protocol has, and where the words of one protocol stand among them.

use super::Grammar;
use super::phrase::{Arguments, Line, Phrase};
use crate::spec::story::{Claim, Deed, Dialect, Fate, Links, Many, Turn, Which};

/// What a line says, if it is one that a story of this protocol can hold.
pub(super) fn deed<D: Grammar>(line: &mut Line<'_>) -> Option<Deed<D>> {
    let deed = if line.literal("given") {
        given(line)
    } else if line.literal("ask") {
        let peers = line.peers()?;
        let ask = line.literal("to").then(|| line.any(&D::asks()))??;
        Some(Deed::Ask { peers, ask })
    } else if line.literal("assert") {
        claim(line).map(Deed::Assert)
    } else {
        line.any(&verbs())
    };
    deed.filter(|_| line.is_over())
}

fn given<D: Grammar>(line: &mut Line<'_>) -> Option<Deed<D>> {
    let peers = line.peers()?;
    let mut facts = vec![line.any(&D::facts())?];
    while line.literal(",") {
        facts.push(line.any(&D::facts())?);
    }
    Some(Deed::Given { peers, facts })
}

fn claim<D: Grammar>(line: &mut Line<'_>) -> Option<Claim<D>> {
    if let Some(claim) = line.any(&general_claims()) {
        return Some(claim);
    }
    let peers = line.peers()?;
    let claim = line.any(&D::claims())?;
    Some(Claim::Of { peers, claim })
}

/// What can be claimed whatever the protocol.
pub(super) fn general_claims<D: Dialect>() -> Vec<Phrase<Claim<D>>> {
    vec![
        Phrase {
            pattern: "waiting [KIND] [from PEERS] [to PEERS] = NUMBER",
            about: "So many messages wait.",
            build: |a| Claim::Waiting {
                which: Which {
                    many: Many::All,
                    ..which(a)
                },
                count: a.number(),
            },
        },
        Phrase {
            pattern: "PEERS is|are up|down",
            about: "They run, or they do not.",
            build: |a| {
                let peers = a.peers();
                a.word();
                let up = a.text() == "up";
                Claim::Up { peers, up }
            },
        },
        Phrase {
            pattern: "INVARIANT holds|violated",
            about: "A checker says so of its invariant by now.",
            build: |a| Claim::Invariant {
                name: a.text(),
                holds: a.text() == "holds",
            },
        },
    ]
}

fn which(a: &mut Arguments) -> Which {
    Which {
        many: Many::Next,
        kind: a.kind(),
        from: a.some_peers(),
        to: a.some_peers(),
    }
}

/// What can be done whatever the protocol.
pub(super) fn verbs<D: Dialect>() -> Vec<Phrase<Deed<D>>> {
    let mut verbs = time();
    verbs.extend(messages());
    verbs.extend(lives());
    verbs
}

fn time<D: Dialect>() -> Vec<Phrase<Deed<D>>> {
    vec![
        Phrase {
            pattern: "start PEERS",
            about: "They start for the first time; `all` is everybody.",
            build: |a| Deed::Start(a.peers()),
        },
        Phrase {
            pattern: "tick PEERS by SPAN",
            about: "Their time passes, nobody else's: timers fire and writes reach the disk as they \
                    come due.",
            build: |a| Deed::Tick {
                peers: a.peers(),
                by: a.span(),
            },
        },
        Phrase {
            pattern: "expire PEERS [TIMER]",
            about: "Their time passes until this timer fires, or the first that does.",
            build: |a| {
                let (peers, name) = (a.peers(), a.word());
                let known = |known: &&&str| Some(**known) == name.as_deref();
                let timer = D::TIMERS.iter().find(known).copied();
                Deed::Expire { peers, timer }
            },
        },
        Phrase {
            pattern: "sync PEERS",
            about: "Their time passes until their oldest write under way is on disk.",
            build: |a| Deed::Sync(a.peers()),
        },
    ]
}

fn messages<D: Dialect>() -> Vec<Phrase<Deed<D>>> {
    vec![
        Phrase {
            pattern: "deliver|drop|duplicate|hold|release [all|next|last] [KIND] [from PEERS] \
                      [to PEERS]",
            about: "What becomes of messages that wait: the `next` one that fits, if nothing else is \
                    said; `all`, if there are any, and those too that this brings about. To duplicate delivers a copy \
                    and lets the message wait on. Messages like those that are held are passed over \
                    by every other step, now and later, until they are released.",
            build: |a| {
                let fate = match a.text().as_str() {
                    "deliver" => Fate::Deliver,
                    "drop" => Fate::Drop,
                    "duplicate" => Fate::Duplicate,
                    "hold" => Fate::Hold,
                    _ => Fate::Release,
                };
                let many = match a.word().as_deref() {
                    Some("all") => Many::All,
                    Some("last") => Many::Last,
                    _ => Many::Next,
                };
                let which = Which { many, ..which(a) };
                Deed::Carry { fate, which }
            },
        },
        Phrase {
            pattern: "disconnect PEERS [from PEERS]",
            about: "No message passes between them, or between them and everybody else. As with any \
                    cut, messages that wait are lost if they are delivered meanwhile.",
            build: |a| Deed::Cut(links(a, true)),
        },
        Phrase {
            pattern: "cut PEERS to PEERS",
            about: "No message passes from some to others; the way back stands.",
            build: |a| Deed::Cut(links(a, false)),
        },
        Phrase {
            pattern: "connect PEERS [with PEERS]",
            about: "Messages pass again, both ways.",
            build: |a| Deed::Connect(links(a, true)),
        },
    ]
}

fn links(a: &mut Arguments, both_ways: bool) -> Links {
    Links {
        from: a.peers(),
        to: a.some_peers(),
        both_ways,
    }
}

fn lives<D: Dialect>() -> Vec<Phrase<Deed<D>>> {
    vec![Phrase {
        pattern: "crash|wipe|restart|pause|resume PEERS",
        about: "They crash and keep their disks, crash and lose them, come back after either, stop \
                handling anything, or go on.",
        build: |a| {
            let turn = match a.text().as_str() {
                "crash" => Turn::Crash,
                "wipe" => Turn::Wipe,
                "restart" => Turn::Restart,
                "pause" => Turn::Pause,
                _ => Turn::Resume,
            };
            let peers = a.peers();
            Deed::Life { peers, turn }
        },
    }]
}
