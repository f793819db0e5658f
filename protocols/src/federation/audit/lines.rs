//! Logs as JSON lines: the file `audit-<peer>.jsonl` of a run directory.
//!
//! ```text
//! {"format":"fedsim-audit/1","peer":"acme-1","public_key":"..","scheme":"ed25519"}
//! {"number":1,"previous":"00..","at_ns":1000,"virtual_ns":990,"what":"sent","action":"..", ..}
//! {"closed_at_ns":60000,"head":{"number":1,"hash":"..","signer":"..","signature":".."}}
//! ```
//!
//! The first line says whose log it is, one line a record follows, the last closes it. Bytes are in
//! lower-case hex. A line says exactly what the canonical bytes of the record say, `virtual_ns`
//! apart, so the hashes can be made again from it; unknown keys are refused. With `"ideal"`
//! signatures the header carries the oracle's secret, since nobody else could check a tag. Must not
//! know files.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::record::{ActionRecord, Content, Entry, Record, Stage, Witness};
use super::{Closing, Hex, KeptLog, KeptRecord};
use crate::federation::head::{Acknowledgement, Head};
use crate::federation::terms::{
    Account, ActionId, ActionKind, Budget, Capability, Digest, Level, Money,
};
use crate::identity::{Identity, KeyScheme, PublicKey, Signature};
use crate::signed::Signed;
use crate::time::LocalTime;

/// The name and version of the format.
pub const FORMAT: &str = "fedsim-audit/1";

/// The name of a peer's file.
pub fn file_name(peer: &str) -> String {
    format!("audit-{peer}.jsonl")
}

/// What is wrong with a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LineError {
    /// The line, from 1.
    pub line: usize,
    /// What is wrong.
    pub problem: String,
}

impl fmt::Display for LineError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.problem)
    }
}

impl std::error::Error for LineError {}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct HeaderLine {
    format: String,
    peer: String,
    public_key: String,
    scheme: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    oracle: Option<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ClosingLine {
    closed_at_ns: i64,
    head: SignedHead,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SignedHead {
    number: u64,
    hash: String,
    signer: String,
    signature: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SignedWitness {
    head: SignedHead,
    at_ns: i64,
    signer: String,
    signature: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SignedAcknowledgement {
    receipt: String,
    head: HeadLine,
    signer: String,
    signature: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct HeadLine {
    number: u64,
    hash: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct BudgetLine {
    account: String,
    issuer: String,
    hops_max: u8,
    tokens_max: u64,
    money_max_micros: u64,
}

#[derive(Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RecordLine {
    number: u64,
    previous: String,
    at_ns: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    virtual_ns: Option<u64>,
    what: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    action: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    other: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    kind: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    capability: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    level: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    budget: Option<BudgetLine>,
    #[serde(skip_serializing_if = "Option::is_none")]
    content: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    content_keyed_hash: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    receipt: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    acknowledgement: Option<SignedAcknowledgement>,
    #[serde(skip_serializing_if = "Option::is_none")]
    head: Option<SignedHead>,
    #[serde(skip_serializing_if = "Option::is_none")]
    witness: Option<SignedWitness>,
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<String>,
}

fn line(value: &impl Serialize, out: &mut String) {
    out.push_str(&serde_json::to_string(value).expect("BUG: a line has a text"));
    out.push('\n');
}

fn hex(bytes: &[u8]) -> String {
    Hex(bytes).to_string()
}

/// A log as the text of its file.
pub fn write(log: &KeptLog) -> String {
    let mut out = String::new();
    line(
        &HeaderLine {
            format: FORMAT.to_owned(),
            peer: log.peer.clone(),
            public_key: hex(&log.key.0),
            scheme: match log.scheme.oracle() {
                Some(_) => "ideal".to_owned(),
                None => "ed25519".to_owned(),
            },
            oracle: log.scheme.oracle().map(|oracle| hex(&oracle)),
        },
        &mut out,
    );
    for kept in &log.records {
        line(&record_line(kept), &mut out);
    }
    if let Some(closing) = &log.closing {
        line(
            &ClosingLine {
                closed_at_ns: closing.at.as_nanos(),
                head: signed_head(&closing.head),
            },
            &mut out,
        );
    }
    out
}

fn signed_head(head: &Signed<Head>) -> SignedHead {
    SignedHead {
        number: head.number,
        hash: hex(&head.hash.0),
        signer: hex(&head.signer().0),
        signature: hex(&head.signature().0),
    }
}

fn record_line(kept: &KeptRecord) -> RecordLine {
    let record = &kept.record;
    let mut out = RecordLine {
        number: record.number,
        previous: hex(&record.previous.0),
        at_ns: record.at.as_nanos(),
        virtual_ns: kept.virtual_ns,
        ..RecordLine::default()
    };
    match &record.entry {
        Entry::Action { step } => step_line(step, &mut out),
        Entry::Witnessed { head } => {
            out.what = "witnessed".to_owned();
            out.head = Some(signed_head(head));
        }
        Entry::Countersigned { witness } => {
            out.what = "countersigned".to_owned();
            out.witness = Some(SignedWitness {
                head: signed_head(&witness.head),
                at_ns: witness.at.as_nanos(),
                signer: hex(&witness.signer().0),
                signature: hex(&witness.signature().0),
            });
        }
        Entry::KeyChanged { key } => {
            out.what = "key-changed".to_owned();
            out.key = Some(hex(&key.0));
        }
    }
    out
}

fn step_line(step: &ActionRecord, out: &mut RecordLine) {
    out.what = step.stage.name().to_owned();
    out.action = Some(hex(&step.action.0));
    out.other = Some(hex(&step.other.0));
    out.kind = Some(step.kind.name().to_owned());
    out.capability = Some(step.capability.name().to_owned());
    out.level = Some(step.level.number());
    out.budget = step.budget.map(|budget| BudgetLine {
        account: hex(&budget.account.0),
        issuer: hex(&budget.issuer.0),
        hops_max: budget.hops_max,
        tokens_max: budget.tokens_max,
        money_max_micros: budget.money_max.0,
    });
    match &step.content {
        Content::Full { text } => out.content = Some(text.clone()),
        Content::KeyedHash { hash } => out.content_keyed_hash = Some(hex(&hash.0)),
        Content::AsBegun => {}
    }
    match &step.stage {
        Stage::Sent | Stage::Intent | Stage::OutcomeUnknown => {}
        Stage::Executed { receipt } => out.receipt = Some(hex(&receipt.0)),
        Stage::Refused { reason } | Stage::CopyRefused { reason } => {
            out.reason = Some(reason.clone());
        }
        Stage::Answered { acknowledgement } => {
            out.acknowledgement = Some(SignedAcknowledgement {
                receipt: hex(&acknowledgement.receipt.0),
                head: HeadLine {
                    number: acknowledgement.head.number,
                    hash: hex(&acknowledgement.head.hash.0),
                },
                signer: hex(&acknowledgement.signer().0),
                signature: hex(&acknowledgement.signature().0),
            });
        }
    }
}

/// Reads the text of a file. The chain is not checked: what is broken must be read to be reported.
///
/// # Errors
/// With the line that is not of the format.
pub fn read(text: &str) -> Result<KeptLog, LineError> {
    let mut lines = text
        .lines()
        .enumerate()
        .map(|(index, line)| (index + 1, line));
    let at = |line| move |problem| LineError { line, problem };
    let (first, header) = lines.next().unwrap_or((1, ""));
    let mut log = read_header(header).map_err(at(first))?;
    for (number, text) in lines {
        let problem = match log.closing {
            Some(_) => Err("something follows the line that closes the log".to_owned()),
            None if text.starts_with("{\"closed_at_ns\"") => read_closing(text).map(|closing| {
                log.closing = Some(closing);
            }),
            None => read_record(text).map(|record| log.records.push(record)),
        };
        problem.map_err(at(number))?;
    }
    Ok(log)
}

fn parsed<'a, T: Deserialize<'a>>(text: &'a str) -> Result<T, String> {
    serde_json::from_str(text).map_err(|error| error.to_string())
}

fn bytes<const N: usize>(what: &str, hex: &str) -> Result<[u8; N], String> {
    let mut out = [0; N];
    let wrong = || format!("`{what}` must be {N} bytes in lower-case hex");
    let is_hex = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    if hex.len() != 2 * N || !hex.bytes().all(is_hex) {
        return Err(wrong());
    }
    for (byte, digits) in out.iter_mut().zip(hex.as_bytes().chunks_exact(2)) {
        let digits = std::str::from_utf8(digits).map_err(|_| wrong())?;
        *byte = u8::from_str_radix(digits, 16).map_err(|_| wrong())?;
    }
    Ok(out)
}

fn given<T>(what: &str, value: Option<T>) -> Result<T, String> {
    value.ok_or_else(|| format!("`{what}` is missing"))
}

fn read_header(text: &str) -> Result<KeptLog, String> {
    let header: HeaderLine = parsed(text)?;
    if header.format != FORMAT {
        return Err(format!("the format is `{}`, not `{FORMAT}`", header.format));
    }
    let scheme = match (header.scheme.as_str(), &header.oracle) {
        ("ed25519", None) => KeyScheme::ed25519(),
        ("ideal", Some(oracle)) => KeyScheme::ideal(bytes("oracle", oracle)?),
        _ => return Err("`scheme` must be `ed25519`, or `ideal` with its `oracle`".to_owned()),
    };
    Ok(KeptLog {
        peer: header.peer,
        key: PublicKey(bytes("public_key", &header.public_key)?),
        scheme,
        records: Vec::new(),
        closing: None,
    })
}

fn read_closing(text: &str) -> Result<Closing, String> {
    let line: ClosingLine = parsed(text)?;
    Ok(Closing {
        at: LocalTime::from_nanos(line.closed_at_ns),
        head: read_signed_head(&line.head)?,
    })
}

fn read_signed_head(line: &SignedHead) -> Result<Signed<Head>, String> {
    let head = Head {
        number: line.number,
        hash: Digest(bytes("hash", &line.hash)?),
    };
    signed(head, &line.signer, &line.signature)
}

fn signed<T>(content: T, signer: &str, signature: &str) -> Result<Signed<T>, String> {
    let signer = PublicKey(bytes("signer", signer)?);
    let signature = Signature(bytes("signature", signature)?);
    Ok(Signed::from_parts(content, signer, signature))
}

fn read_record(text: &str) -> Result<KeptRecord, String> {
    let line: RecordLine = parsed(text)?;
    let entry = match line.what.as_str() {
        "witnessed" => Entry::Witnessed {
            head: read_signed_head(given("head", line.head.as_ref())?)?,
        },
        "countersigned" => {
            let witness = given("witness", line.witness.as_ref())?;
            let content = Witness {
                head: read_signed_head(&witness.head)?,
                at: LocalTime::from_nanos(witness.at_ns),
            };
            Entry::Countersigned {
                witness: signed(content, &witness.signer, &witness.signature)?,
            }
        }
        "key-changed" => Entry::KeyChanged {
            key: PublicKey(bytes("key", given("key", line.key.as_deref())?)?),
        },
        _ => Entry::Action {
            step: read_step(&line)?,
        },
    };
    Ok(KeptRecord {
        record: Record {
            number: line.number,
            previous: Digest(bytes("previous", &line.previous)?),
            at: LocalTime::from_nanos(line.at_ns),
            entry,
        },
        virtual_ns: line.virtual_ns,
    })
}

fn read_step(line: &RecordLine) -> Result<ActionRecord, String> {
    let action = ActionId(bytes("action", given("action", line.action.as_deref())?)?);
    let kind = given("kind", line.kind.as_deref())?;
    let capability = given("capability", line.capability.as_deref())?;
    let level = given("level", line.level)?;
    Ok(ActionRecord {
        action,
        other: Identity(bytes("other", given("other", line.other.as_deref())?)?),
        kind: ActionKind::ALL
            .into_iter()
            .find(|one| one.name() == kind)
            .ok_or_else(|| format!("no kind of action is called `{kind}`"))?,
        capability: Capability::new(capability)
            .ok_or_else(|| format!("`{capability}` is no name of a capability"))?,
        level: Level::from_number(level).ok_or_else(|| format!("{level} is no trust level"))?,
        budget: line.budget.as_ref().map(read_budget).transpose()?,
        content: read_content(line)?,
        stage: read_stage(line, action)?,
    })
}

fn read_budget(line: &BudgetLine) -> Result<Budget, String> {
    Ok(Budget {
        account: Account(bytes("account", &line.account)?),
        issuer: Identity(bytes("issuer", &line.issuer)?),
        hops_max: line.hops_max,
        tokens_max: line.tokens_max,
        money_max: Money(line.money_max_micros),
    })
}

fn read_content(line: &RecordLine) -> Result<Content, String> {
    match (&line.content, &line.content_keyed_hash) {
        (Some(text), None) => Ok(Content::Full { text: text.clone() }),
        (None, Some(hash)) => Ok(Content::KeyedHash {
            hash: Digest(bytes("content_keyed_hash", hash)?),
        }),
        (None, None) => Ok(Content::AsBegun),
        (Some(_), Some(_)) => {
            Err("`content` and `content_keyed_hash` are not both there".to_owned())
        }
    }
}

fn read_stage(line: &RecordLine, action: ActionId) -> Result<Stage, String> {
    Ok(match line.what.as_str() {
        "sent" => Stage::Sent,
        "intent" => Stage::Intent,
        "outcome-unknown" => Stage::OutcomeUnknown,
        "executed" => Stage::Executed {
            receipt: Digest(bytes(
                "receipt",
                given("receipt", line.receipt.as_deref())?,
            )?),
        },
        "refused" => Stage::Refused {
            reason: given("reason", line.reason.clone())?,
        },
        "copy-refused" => Stage::CopyRefused {
            reason: given("reason", line.reason.clone())?,
        },
        "answered" => {
            let word = given("acknowledgement", line.acknowledgement.as_ref())?;
            let content = Acknowledgement {
                action,
                receipt: Digest(bytes("receipt", &word.receipt)?),
                head: Head {
                    number: word.head.number,
                    hash: Digest(bytes("hash", &word.head.hash)?),
                },
            };
            Stage::Answered {
                acknowledgement: signed(content, &word.signer, &word.signature)?,
            }
        }
        other => return Err(format!("nothing is called `{other}`")),
    })
}
