//! Made-up values of every kind. None of them is anybody's.
//!
//! Must not know documents.

use super::evasion::base64;
use super::pick;
use crate::federation::kind::Kind;
use crate::random::Stream;

/// A made-up value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Value {
    /// What it is.
    pub kind: Kind,
    /// The value.
    pub text: String,
    /// The part that must not be seen.
    pub tell: String,
}

/// Which makes of values are drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Make {
    Gauntlet,
    HeldOut,
}

pub(super) const DIGITS: &str = "0123456789";
const HEX: &str = "0123456789abcdef";
const UPPER: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
const ALPHANUMERIC: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

const GIVEN: [&str; 16] = [
    "Alice",
    "Robert",
    "Maria",
    "Thomas",
    "Elena",
    "Kenji",
    "Priya",
    "Samuel",
    "Ingrid",
    "Carlos",
    "Fatima",
    "Patrick",
    "Charlotte",
    "Dmitri",
    "Naomi",
    "Gabriel",
];
const FAMILY: [&str; 16] = [
    "Johnson",
    "Martinez",
    "Schneider",
    "Tanaka",
    "Okafor",
    "Petrov",
    "Campbell",
    "Lindberg",
    "Fernandez",
    "Murphy",
    "Kowalski",
    "Banerjee",
    "Thompson",
    "Moreau",
    "Hamilton",
    "Esposito",
];
const OTHER_GIVEN: [&str; 24] = [
    "Olivia", "Ethan", "Aarav", "Saoirse", "Mateo", "Ximena", "Tobias", "Annika", "Wiktor",
    "Chioma", "Rashid", "Daniela", "Henrik", "Maeve", "Lorenzo", "Yara", "Philip", "Judith",
    "Marcus", "Helena", "Rosalind", "Cyrus", "Beatrix", "Desmond",
];
const OTHER_FAMILY: [&str; 24] = [
    "Whitaker",
    "Delgado",
    "Brandt",
    "Nakagawa",
    "Eze",
    "Volkov",
    "Sinclair",
    "Bergstrom",
    "Castellanos",
    "Gallagher",
    "Zielinski",
    "Mukherjee",
    "Abernathy",
    "Fontaine",
    "Lockwood",
    "Marchetti",
    "Haddad",
    "Osei",
    "Villanueva",
    "Kessler",
    "Prescott",
    "Thorne",
    "Ashworth",
    "Vanderberg",
];

pub(super) fn string(length: usize, of: &str, dice: &mut Stream) -> String {
    let letters = of.as_bytes();
    let letter = |_| char::from(letters[dice.below(letters.len() as u64) as usize]);
    (0..length).map(letter).collect()
}

/// A made-up value of `kind`.
pub(super) fn draw(kind: Kind, make: Make, dice: &mut Stream) -> Value {
    let (text, tell) = match kind {
        Kind::PrivateKey => private_key(make, dice),
        Kind::DatabaseUrl => database_url(make, dice),
        Kind::Jwt => jwt(dice),
        Kind::PostalAddress => address(make, dice),
        other => {
            let text = simple(other, make, dice);
            (text.clone(), text)
        }
    };
    Value { kind, text, tell }
}

fn simple(kind: Kind, make: Make, dice: &mut Stream) -> String {
    match kind {
        Kind::CloudKey => cloud_key(make, dice),
        Kind::ApiKey => api_key(make, dice),
        Kind::Token => token(make, dice),
        Kind::Password => password(make, dice),
        Kind::CreditCard => card(make, dice),
        Kind::Ssn => ssn(dice),
        Kind::Email => email(make, dice),
        Kind::Ipv6 => ipv6(make, dice),
        Kind::Ipv4 => {
            let mut part = |low, high| dice.between(low, high);
            format!(
                "{}.{}.{}.{}",
                part(128, 223),
                part(0, 255),
                part(0, 255),
                part(1, 254)
            )
        }
        Kind::Phone => phone(make, dice),
        Kind::Name => name(make, dice),
        Kind::PrivateKey | Kind::DatabaseUrl | Kind::Jwt | Kind::PostalAddress => {
            unreachable!("BUG: has a tell of its own")
        }
    }
}

fn name(make: Make, dice: &mut Stream) -> String {
    let (given, family) = match make {
        Make::Gauntlet => (pick(&GIVEN, dice), pick(&FAMILY, dice)),
        Make::HeldOut => (pick(&OTHER_GIVEN, dice), pick(&OTHER_FAMILY, dice)),
    };
    match (make, dice.below(6)) {
        (Make::HeldOut, 0) => format!("{given} {}. {family}", string(1, "ABCDEFGHJKLMR", dice)),
        _ => format!("{given} {family}"),
    }
}

fn email(make: Make, dice: &mut Stream) -> String {
    let person = name(make, dice)
        .to_lowercase()
        .replace(". ", ".")
        .replace(' ', ".");
    let number = dice.between(10, 99_999);
    match make {
        Make::Gauntlet => {
            let domain = pick(&["example.com", "mail.example.org", "acme.co.uk"], dice);
            format!("{person}{number}@{domain}")
        }
        Make::HeldOut => {
            let domain = pick(
                &[
                    "globex-corp.de",
                    "post.example.net",
                    "initech.io",
                    "uni.ac.jp",
                ],
                dice,
            );
            let mark = pick(&["", "_", "+inbox", "-"], dice);
            format!(
                "{}{mark}{number}@{domain}",
                person.replace('.', pick(&[".", "_", ""], dice))
            )
        }
    }
}

fn phone(make: Make, dice: &mut Stream) -> String {
    let (area, office) = (dice.between(201, 989), dice.between(220, 989));
    let mut digits = |length| string(length, DIGITS, dice);
    let line = digits(4);
    let long = format!("{}{}", digits(4), digits(4));
    let forms = match make {
        Make::Gauntlet => [
            format!("({area}) {office}-{line}"),
            format!("{area}-{office}-{line}"),
            format!("+1 {area} {office} {line}"),
            format!("+44 20 {} {}", &long[..4], &long[4..]),
        ],
        Make::HeldOut => [
            format!("{area}.{office}.{line}"),
            format!("+49 30 {long}"),
            format!("1-{area}-{office}-{line}"),
            format!(
                "+33 6 {} {} {} {}",
                &long[..2],
                &long[2..4],
                &long[4..6],
                &long[6..]
            ),
        ],
    };
    forms[dice.below(4) as usize].clone()
}

fn ssn(dice: &mut Stream) -> String {
    let area = dice.between(101, 665);
    let group = dice.between(10, 99);
    let serial = dice.between(1_000, 9_999);
    match dice.below(3) {
        0 => format!("{area} {group} {serial}"),
        _ => format!("{area}-{group}-{serial}"),
    }
}

/// Digits that end in the check digit of ISO/IEC 7812.
fn with_check_digit(prefix: &str, length: usize, dice: &mut Stream) -> String {
    let mut digits = prefix.to_owned() + &string(length - prefix.len() - 1, DIGITS, dice);
    let doubled = |nth: usize, digit: u32| {
        if nth.is_multiple_of(2) {
            2 * digit
        } else {
            digit
        }
    };
    let sum: u32 = digits
        .chars()
        .rev()
        .enumerate()
        .map(|(nth, c)| doubled(nth, c.to_digit(10).unwrap_or(0)))
        .map(|value| value / 10 + value % 10)
        .sum();
    digits.push(char::from(b'0' + ((10 - sum % 10) % 10) as u8));
    digits
}

fn card(make: Make, dice: &mut Stream) -> String {
    let (prefixes, mark) = match make {
        Make::Gauntlet => (["4111", "5500", "4539"], pick(&["", " ", "-"], dice)),
        Make::HeldOut => (["4929", "2720", "6011"], pick(&["", " ", "-"], dice)),
    };
    let digits = with_check_digit(pick(&prefixes, dice), 16, dice);
    let groups = [&digits[..4], &digits[4..8], &digits[8..12], &digits[12..]];
    groups.join(mark)
}

fn ipv6(make: Make, dice: &mut Stream) -> String {
    let mut group = || format!("{:x}", dice.between(0x100, 0xffff));
    match make {
        Make::Gauntlet => format!("2001:db8:{}:{}::{}", group(), group(), group()),
        Make::HeldOut => format!("2a0{}:{}::{}:{}", 3, group(), group(), group()),
    }
}

fn password(make: Make, dice: &mut Stream) -> String {
    let number = dice.between(10, 9_999);
    match make {
        Make::Gauntlet => {
            let word = pick(&["hunter", "Sommer", "tr0ub4dor", "dragon"], dice);
            format!(
                "{word}{}{number}{}",
                pick(&["#", "!", "_"], dice),
                string(3, ALPHANUMERIC, dice)
            )
        }
        Make::HeldOut => match dice.below(2) {
            0 => format!("{}{}", string(9, ALPHANUMERIC, dice), number),
            _ => {
                let words = ["correct", "horse", "battery", "staple", "lantern", "Quartz"];
                format!("{}-{}-{number}", pick(&words, dice), pick(&words, dice))
            }
        },
    }
}

fn cloud_key(make: Make, dice: &mut Stream) -> String {
    match (make, dice.below(2)) {
        (Make::Gauntlet, 0) => format!("AKIA{}", string(16, UPPER, dice)),
        (Make::Gauntlet, _) => format!("dop_v1_{}", string(64, HEX, dice)),
        (Make::HeldOut, 0) => format!("ASIA{}", string(16, UPPER, dice)),
        (Make::HeldOut, _) => format!("AKIA{}", string(16, UPPER, dice)),
    }
}

fn api_key(make: Make, dice: &mut Stream) -> String {
    let random = string(40, ALPHANUMERIC, dice);
    let digits = string(2, DIGITS, dice);
    match (make, dice.below(3)) {
        (Make::Gauntlet, 0) => format!("sk-proj-{digits}{random}"),
        (Make::Gauntlet, 1) => format!("sk_live_{digits}{}", &random[..22]),
        (Make::Gauntlet, _) => format!("AIza{digits}{}", &random[..33]),
        (Make::HeldOut, 0) => format!("sk-ant-api03-{digits}{random}"),
        (Make::HeldOut, 1) => format!(
            "SG.{digits}{}.{}",
            &random[..20],
            string(43, ALPHANUMERIC, dice)
        ),
        (Make::HeldOut, _) => format!("{digits}{}", &string(30, HEX, dice)),
    }
}

fn token(make: Make, dice: &mut Stream) -> String {
    let random = string(36, ALPHANUMERIC, dice);
    let digits = string(10, DIGITS, dice);
    match (make, dice.below(3)) {
        (Make::Gauntlet, 0) => format!("ghp_{}{}", &digits[..2], &random[..34]),
        (Make::Gauntlet, 1) => format!("xoxb-{digits}-{}", &random[..24]),
        (Make::Gauntlet, _) => format!("glpat-{}{}", &digits[..2], &random[..18]),
        (Make::HeldOut, 0) => format!("github_pat_{}{random}", &digits[..4]),
        (Make::HeldOut, 1) => format!("npm_{}{}", &digits[..2], &random[..34]),
        (Make::HeldOut, _) => format!("hf_{}{}", &digits[..2], &random[..32]),
    }
}

fn jwt(dice: &mut Stream) -> (String, String) {
    let url = |text: &str| base64(text.as_bytes()).replace('=', "");
    let header = url("{\"alg\":\"HS256\",\"typ\":\"JWT\"}");
    let claims = url(&format!(
        "{{\"sub\":\"{}\",\"iat\":17{}}}",
        string(8, HEX, dice),
        string(8, DIGITS, dice)
    ));
    let signature = string(43, ALPHANUMERIC, dice);
    (format!("{header}.{claims}.{signature}"), signature)
}

fn database_url(make: Make, dice: &mut Stream) -> (String, String) {
    let secret = format!(
        "{}{}",
        string(12, ALPHANUMERIC, dice),
        string(2, DIGITS, dice)
    );
    let user = pick(&["app", "reader", "svc_billing"], dice);
    let number = dice.below(100);
    let url = match make {
        Make::Gauntlet => {
            let scheme = pick(&["postgres", "mysql", "redis"], dice);
            format!("{scheme}://{user}:{secret}@db{number}.internal:5432/orders")
        }
        Make::HeldOut => {
            let scheme = pick(&["mongodb+srv", "postgresql", "amqps"], dice);
            format!("{scheme}://{user}:{secret}@cluster{number}.example.net/main?retry=true")
        }
    };
    (url, secret)
}

fn private_key(make: Make, dice: &mut Stream) -> (String, String) {
    let make = match make {
        Make::Gauntlet => pick(&["RSA PRIVATE KEY", "OPENSSH PRIVATE KEY"], dice),
        Make::HeldOut => pick(
            &["EC PRIVATE KEY", "PRIVATE KEY", "ENCRYPTED PRIVATE KEY"],
            dice,
        ),
    };
    let line = |dice: &mut Stream| string(64, ALPHANUMERIC, dice);
    let (one, two) = (line(dice), line(dice));
    let last = string(28, ALPHANUMERIC, dice);
    let key = format!("-----BEGIN {make}-----\n{one}\n{two}\n{last}\n-----END {make}-----");
    (key, two)
}

fn address(make: Make, dice: &mut Stream) -> (String, String) {
    let number = dice.between(11, 9_899);
    let code = dice.between(10_000, 99_899);
    let (street, rest) = match make {
        Make::Gauntlet => {
            let name = pick(&["Maple", "Kingston", "Old Mill", "Harbour"], dice);
            let street = format!(
                "{number} {name} {}",
                pick(&["Street", "Avenue", "Rd"], dice)
            );
            (
                street,
                format!(", {}, IL {code}", pick(&["Springfield", "Dover"], dice)),
            )
        }
        Make::HeldOut => {
            let name = pick(&["Juniper", "West Canyon", "Ferncliff", "Saint Anne"], dice);
            let end = pick(&["Lane", "Blvd", "Terrace", "Court", "Parkway"], dice);
            let flat = pick(&["", ", Apt 4B", ", Suite 210"], dice);
            (
                format!("{number} {name} {end}"),
                format!("{flat}, Portland, OR {code}"),
            )
        }
    };
    (format!("{street}{rest}"), street)
}
