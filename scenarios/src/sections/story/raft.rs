//! Phrases about Raft.

use fedsim_protocols::raft::{Configuration, Operation, Role, Value};

use super::Grammar;
use super::phrase::{Arguments, Phrase};
use crate::spec::story::{RaftAsk, RaftClaim, RaftFact, RaftTold, RaftWords};

impl Grammar for RaftWords {
    const TABLE: &'static str = "raft";

    fn facts() -> Vec<Phrase<RaftFact>> {
        vec![
            Phrase {
                pattern: "term NUMBER",
                about: "It is in this term; else in that of its last entry.",
                build: |a| RaftFact::Term(a.number()),
            },
            Phrase {
                pattern: "vote PEER",
                about: "It voted for this peer in that term.",
                build: |a| RaftFact::Vote(a.peer()),
            },
            Phrase {
                pattern: "log NUMBERS",
                about: "The terms of its log's entries, `[1, 1, 2]`, all on disk.",
                build: |a| RaftFact::Log(a.numbers()),
            },
            Phrase {
                pattern: "commit NUMBER",
                about: "It knows entries up to here to be committed.",
                build: |a| RaftFact::Commit(a.number()),
            },
            Phrase {
                pattern: "voters nobody",
                about: "It waits to be added.",
                build: |_| RaftFact::Configuration(Configuration::default()),
            },
            Phrase {
                pattern: "voters PEERS [learners PEERS]",
                about: "The configuration; else all members vote.",
                build: |a| RaftFact::Configuration(configuration(a)),
            },
        ]
    }

    fn asks() -> Vec<Phrase<RaftAsk>> {
        let mut asks = operations();
        asks.extend(orders());
        asks
    }

    fn claims() -> Vec<Phrase<RaftClaim>> {
        let mut claims = elections();
        claims.extend(logs());
        claims.extend(state());
        claims
    }
}

fn configuration(a: &mut Arguments) -> Configuration {
    let voters = a.peers();
    Configuration::new(voters, a.some_peers().unwrap_or_default())
}

fn value(a: &mut Arguments) -> Value {
    Value::from(a.text().as_str())
}

fn operations() -> Vec<Phrase<RaftAsk>> {
    vec![
        Phrase {
            pattern: "read NUMBER",
            about: "What does this register hold?",
            build: |a| RaftAsk::Operate(Operation::Read { key: a.number() }),
        },
        Phrase {
            pattern: "write NUMBER = VALUE",
            about: "Let it hold this.",
            build: |a| {
                let (key, value) = (a.number(), value(a));
                RaftAsk::Operate(Operation::Write { key, value })
            },
        },
        Phrase {
            pattern: "append NUMBER = VALUE",
            about: "Put this behind what it holds.",
            build: |a| {
                let (key, value) = (a.number(), value(a));
                RaftAsk::Operate(Operation::Append { key, value })
            },
        },
        Phrase {
            pattern: "swap NUMBER from VALUE to VALUE",
            about: "Compare and swap.",
            build: |a| {
                let (key, expected, value) = (a.number(), value(a), value(a));
                RaftAsk::Operate(Operation::CompareAndSwap {
                    key,
                    expected,
                    value,
                })
            },
        },
    ]
}

fn orders() -> Vec<Phrase<RaftAsk>> {
    vec![
        Phrase {
            pattern: "add learner PEER",
            about: "Servers: have this learner beside the members of the configuration in force.",
            build: |a| RaftAsk::AddLearner(a.peer()),
        },
        Phrase {
            pattern: "add PEER",
            about: "Servers: have this voter beside them.",
            build: |a| RaftAsk::Add(a.peer()),
        },
        Phrase {
            pattern: "remove PEER",
            about: "Servers: have this member no longer.",
            build: |a| RaftAsk::Remove(a.peer()),
        },
        Phrase {
            pattern: "change to PEERS [learners PEERS]",
            about: "Servers: have these voters and learners.",
            build: |a| RaftAsk::Change(configuration(a)),
        },
        Phrase {
            pattern: "transfer to PEER",
            about: "Servers: hand leadership over.",
            build: |a| RaftAsk::Transfer(a.peer()),
        },
        Phrase {
            pattern: "take a snapshot",
            about: "Servers: replace what is applied by a snapshot.",
            build: |_| RaftAsk::TakeSnapshot,
        },
    ]
}

fn elections() -> Vec<Phrase<RaftClaim>> {
    vec![
        Phrase {
            pattern: "is|are leader|follower|candidate|pre-candidate [in term NUMBER]",
            about: "The role, and the term it is held in.",
            build: |a| {
                a.word();
                let role = match a.text().as_str() {
                    "leader" => Role::Leader,
                    "follower" => Role::Follower,
                    "candidate" => Role::Candidate,
                    _ => Role::PreCandidate,
                };
                RaftClaim::Role(role, a.some_number())
            },
        },
        Phrase {
            pattern: "term = NUMBER",
            about: "The term.",
            build: |a| RaftClaim::Term(a.number()),
        },
        Phrase {
            pattern: "vote = nobody",
            about: "No vote in that term.",
            build: |_| RaftClaim::Vote(None),
        },
        Phrase {
            pattern: "vote = PEER",
            about: "The vote in that term.",
            build: |a| RaftClaim::Vote(Some(a.peer())),
        },
        Phrase {
            pattern: "leader = nobody",
            about: "No leader is known.",
            build: |_| RaftClaim::Leader(None),
        },
        Phrase {
            pattern: "leader = PEER",
            about: "The leader that is followed, or is oneself.",
            build: |a| RaftClaim::Leader(Some(a.peer())),
        },
    ]
}

fn logs() -> Vec<Phrase<RaftClaim>> {
    vec![
        Phrase {
            pattern: "log = NUMBERS",
            about: "The terms of the log's entries, those in a snapshot left out.",
            build: |a| RaftClaim::Log(a.numbers()),
        },
        Phrase {
            pattern: "last index = NUMBER",
            about: "Where the last entry stands.",
            build: |a| RaftClaim::LastIndex(a.number()),
        },
        Phrase {
            pattern: "last term = NUMBER",
            about: "The last entry's term.",
            build: |a| RaftClaim::LastTerm(a.number()),
        },
        Phrase {
            pattern: "commit = NUMBER",
            about: "The commit index.",
            build: |a| RaftClaim::Commit(a.number()),
        },
        Phrase {
            pattern: "durable = NUMBER",
            about: "How far the log is on disk.",
            build: |a| RaftClaim::Durable(a.number()),
        },
        Phrase {
            pattern: "snapshot = NUMBER",
            about: "Up to where a snapshot stands in place of the log.",
            build: |a| RaftClaim::Snapshot(a.number()),
        },
        Phrase {
            pattern: "commit is held by a quorum",
            about: "Everything up to the commit index is on the disks of a quorum.",
            build: |_| RaftClaim::HeldByQuorum,
        },
    ]
}

fn state() -> Vec<Phrase<RaftClaim>> {
    vec![
        Phrase {
            pattern: "configuration = PEERS [learners PEERS]",
            about: "The configuration in force, which must not be joint.",
            build: |a| RaftClaim::Configuration(configuration(a)),
        },
        Phrase {
            pattern: "register NUMBER = nothing",
            about: "It was never written.",
            build: |a| RaftClaim::Holds(a.number(), None),
        },
        Phrase {
            pattern: "register NUMBER = VALUE",
            about: "What it holds here.",
            build: |a| RaftClaim::Holds(a.number(), Some(a.text())),
        },
        Phrase {
            pattern: "answered done|refused|failed|unknown|nothing",
            about: "What became of the last request here, also at clients; refused is a swap that \
                    found another value.",
            build: |a| {
                RaftClaim::Told(match a.text().as_str() {
                    "done" => RaftTold::Done,
                    "refused" => RaftTold::Refused,
                    "failed" => RaftTold::Failed,
                    "unknown" => RaftTold::Unknown,
                    _ => RaftTold::Nothing,
                })
            },
        },
        Phrase {
            pattern: "read nothing",
            about: "The last request here was a read and found no value.",
            build: |_| RaftClaim::Told(RaftTold::Value(None)),
        },
        Phrase {
            pattern: "read VALUE",
            about: "The last request here was a read and found this.",
            build: |a| RaftClaim::Told(RaftTold::Value(Some(a.text()))),
        },
    ]
}
