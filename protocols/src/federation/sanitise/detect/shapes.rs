//! Secrets that are known by how they look, as a table.
//!
//! Must not know words around a secret.

use regex::Regex;

use super::marks::{Mark, Meaning};
use super::{Hit, ends_word};
use crate::federation::kind::Kind;
use crate::federation::unmask::boundary_before;

/// How a kind of secret looks.
#[derive(Debug)]
pub(super) struct Shape {
    pub(super) kind: Kind,
    /// Literals that it can begin with, lower case.
    pub(super) begins: &'static [&'static str],
    /// What stands there. A group, if there is one, is the secret alone.
    looks: &'static str,
    /// Whether it may begin within a word.
    pub(super) is_inner: bool,
    /// Whether it has a digit: what has none is a word.
    has_digit: bool,
}

const fn shape(kind: Kind, begins: &'static [&'static str], looks: &'static str) -> Shape {
    Shape {
        kind,
        begins,
        looks,
        is_inner: false,
        has_digit: true,
    }
}

/// How far the end of a private key is looked for, in bytes.
const PRIVATE_KEY_MAX: usize = 16_384;

/// The table. Prefixes are those that the issuers document.
pub(super) const SHAPES: &[Shape] = &[
    Shape {
        is_inner: true,
        has_digit: false,
        ..shape(
            Kind::PrivateKey,
            &["-----begin "],
            r"^-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----",
        )
    },
    shape(
        Kind::PrivateKey,
        &["putty-user-key-file-"],
        r"(?s)^PuTTY-User-Key-File-\d.*",
    ),
    Shape {
        is_inner: true,
        ..shape(
            Kind::Jwt,
            &["eyj"],
            r"^eyJ[A-Za-z0-9_-]{6,}\.[A-Za-z0-9_-]{6,}(?:\.[A-Za-z0-9_-]+){0,3}",
        )
    },
    Shape {
        has_digit: false,
        ..shape(
            Kind::DatabaseUrl,
            &[
                "postgres://",
                "postgresql://",
                "postgresql+",
                "mysql://",
                "mysql+",
                "mariadb://",
                "mongodb://",
                "mongodb+srv://",
                "redis://",
                "rediss://",
                "amqp://",
                "amqps://",
                "mssql://",
                "sqlserver://",
                "oracle://",
                "clickhouse://",
                "cockroachdb://",
                "neo4j://",
                "neo4j+s://",
                "bolt://",
                "cassandra://",
                "couchdb://",
                "memcached://",
                "snowflake://",
                "db2://",
                "jdbc:",
            ],
            r#"^(?i)(?:jdbc:[a-z0-9]+:|[a-z0-9+]+://)[^\s"'`<>\\]*[^\s"'`<>\\.,;:)\]}]"#,
        )
    },
    Shape {
        has_digit: false,
        is_inner: true,
        ..shape(
            Kind::Password,
            &["://"],
            r#"^://[^\s/:@"']{0,64}:([^\s/@"']{2,128})@"#,
        )
    },
    Shape {
        has_digit: false,
        ..shape(
            Kind::CloudKey,
            &[
                "akia", "asia", "agpa", "aida", "aroa", "aipa", "anpa", "anva", "abia", "acca",
            ],
            r"^A(?:KIA|SIA|GPA|IDA|ROA|IPA|NPA|NVA|BIA|CCA)[A-Z0-9]{16}",
        )
    },
    shape(
        Kind::CloudKey,
        &["dop_v1_", "doo_v1_", "dor_v1_"],
        r"^do[por]_v1_[a-f0-9]{32,}",
    ),
    Shape {
        is_inner: true,
        ..shape(
            Kind::CloudKey,
            &["accountkey="],
            r"^(?i)AccountKey=([A-Za-z0-9+/]{40,}={0,2})",
        )
    },
    shape(Kind::CloudKey, &["ltai"], r"^LTAI[A-Za-z0-9]{16,24}"),
    shape(Kind::ApiKey, &["aiza"], r"^AIza[A-Za-z0-9_-]{30,}"),
    shape(
        Kind::ApiKey,
        &["sk-"],
        r"^sk-(?:ant-|proj-|svcacct-|or-|lf-)?[A-Za-z0-9_-]{16,}",
    ),
    shape(
        Kind::ApiKey,
        &[
            "sk_live_",
            "sk_test_",
            "rk_live_",
            "rk_test_",
            "pk_live_",
            "pk_test_",
            "whsec_",
            "sq0atp-",
            "sq0csp-",
            "lin_api_",
            "gsk_",
            "nvapi-",
            "pplx-",
            "xkeysib-",
            "r8_",
            "rzp_live_",
            "rzp_test_",
            "figd_",
            "phc_",
            "secret_",
        ],
        r"^[a-zA-Z0-9]+[_-](?:live_|test_|api_)?[A-Za-z0-9_-]{16,}",
    ),
    shape(
        Kind::ApiKey,
        &["sg."],
        r"^SG\.[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{16,}",
    ),
    shape(Kind::ApiKey, &["key-"], r"^key-[a-f0-9]{32}"),
    shape(
        Kind::Token,
        &["ghp_", "gho_", "ghu_", "ghs_", "ghr_"],
        r"^gh[pousr]_[A-Za-z0-9]{20,}",
    ),
    shape(
        Kind::Token,
        &["github_pat_"],
        r"^github_pat_[A-Za-z0-9_]{20,}",
    ),
    shape(
        Kind::Token,
        &["glpat-", "gldt-", "glrt-", "glptt-", "glcbt-", "glsoat-"],
        r"^gl[a-z]+-[A-Za-z0-9_-]{16,}",
    ),
    shape(
        Kind::Token,
        &[
            "xoxb-", "xoxp-", "xoxa-", "xoxr-", "xoxs-", "xoxe-", "xoxe.xox", "xapp-",
        ],
        r"^x(?:ox[a-z](?:\.xox[a-z])?|app)-[A-Za-z0-9-]{10,}",
    ),
    shape(
        Kind::Token,
        &[
            "npm_",
            "pypi-",
            "hf_",
            "dckr_pat_",
            "shpat_",
            "shpss_",
            "shpca_",
            "atlasv1.",
            "hvs.",
        ],
        r"^[a-z0-9]+[_.-](?:pat_)?[A-Za-z0-9_-]{20,}",
    ),
    shape(Kind::Token, &["ya29."], r"^ya29\.[A-Za-z0-9_-]{20,}"),
    shape(
        Kind::Token,
        &["bearer "],
        r"^(?i)bearer\s+([A-Za-z0-9._~+/=-]{12,})",
    ),
    shape(
        Kind::Token,
        &["basic "],
        r"^(?i)basic\s+([A-Za-z0-9+/]{10,}={0,2})",
    ),
];

/// The table, compiled.
#[derive(Debug)]
pub(super) struct Shapes {
    looks: Vec<Regex>,
}

impl Shapes {
    pub(super) fn new() -> Self {
        let compile = |shape: &Shape| Regex::new(shape.looks).expect("BUG: the table compiles");
        Self {
            looks: SHAPES.iter().map(compile).collect(),
        }
    }

    /// Looks at every place where a secret may begin; never twice at the same stretch of one kind.
    pub(super) fn find(&self, text: &str, marks: &[Mark], hits: &mut Vec<Hit>) {
        let mut searched = [0; SHAPES.len()];
        for mark in marks {
            let Meaning::Shape(index) = mark.meaning else {
                continue;
            };
            let start = mark.start as usize;
            if start < searched[index] {
                continue;
            }
            let Some((start, end)) = self.at(text, index, start) else {
                // Nothing that begins later in this run of letters would end otherwise.
                searched[index] = run_end(text, start);
                continue;
            };
            searched[index] = end;
            hits.push(Hit {
                kind: SHAPES[index].kind,
                start,
                end,
            });
        }
    }

    fn at(&self, text: &str, index: usize, start: usize) -> Option<(usize, usize)> {
        let (shape, looks) = (&SHAPES[index], &self.looks[index]);
        let (from, to) = match looks.captures_len() {
            1 => looks.find(&text[start..]).map(|found| (0, found.end()))?,
            _ => {
                let group = looks.captures(&text[start..])?.get(1)?;
                (group.start(), group.end())
            }
        };
        let (from, mut to) = (start + from, start + to);
        if shape.kind == Kind::PrivateKey {
            to = private_key_end(text, to);
        }
        let found = &text[from..to];
        let has_digit = !shape.has_digit || found.bytes().any(|byte| byte.is_ascii_digit());
        let is_whole = shape.kind != Kind::CloudKey || ends_word(text, to);
        (has_digit && is_whole).then_some((from, to))
    }
}

/// Where the run of letters, digits and dashes ends that begins at `start`.
fn run_end(text: &str, start: usize) -> usize {
    let is_of_run = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    start
        + text.as_bytes()[start..]
            .iter()
            .take_while(|byte| is_of_run(byte))
            .count()
}

/// Where the key that begins before `from` ends: after its last line, or with what may be its body.
fn private_key_end(text: &str, from: usize) -> usize {
    let limit = boundary_before(text, text.len().min(from + PRIVATE_KEY_MAX));
    let body = &text[from..limit];
    if let Some(end) = body.find("-----END") {
        let line = body[end..]
            .find(['\n', '\r', '"'])
            .unwrap_or(body.len() - end);
        let closed = body[end + 8..].find("-----").map(|at| 8 + at + 5);
        return from + end + closed.unwrap_or(line).min(body.len() - end);
    }
    let is_of_body = |c: char| c.is_ascii_alphanumeric() || "+/=\n\r \t:,-".contains(c);
    from + body.find(|c| !is_of_body(c)).unwrap_or(body.len())
}
