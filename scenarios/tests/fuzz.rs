//! Nothing that is fed to the reader makes it panic, and whatever it accepts it can write.

use fedsim_scenarios::{Document, Options, Style, library};
use proptest::prelude::*;

use crate::support::{Desk, again};

fn read(text: &str) {
    match Document::read("fuzz.toml", text, &Desk(&[]), &Options::default()) {
        Ok(document) => {
            // Large groups take long to compare and add nothing.
            if document.scenario.peers.len() < 1_000 {
                assert!(again(&document.scenario) == document.scenario, "{text}");
            }
        }
        Err(errors) => assert!(!errors.render(Style::Plain).is_empty()),
    }
}

/// Pieces that mean something to some key.
fn pieces() -> impl Strategy<Value = String> {
    let known = prop::sample::select(vec![
        "\"*\"",
        "\"acme-*\"",
        "\"1s\"",
        "\"-5ms\"",
        "\"99999999999h\"",
        "0",
        "-1",
        "1e309",
        "nan",
        "0.5",
        "\"5%\"",
        "{}",
        "[]",
        "[[]]",
        "{ uniform = [\"9ms\", \"1ms\"] }",
        "true",
        "\"\"",
        "{ random = 9, of = \"*\" }",
        "\"halves\"",
        "99999999999999999999999999",
        "1979-05-27",
        "\u{1F9A6}",
        "\"trigger\"",
        "{ sides = [[\"*\"]] }",
        "\"20/s\"",
        "\"0/s\"",
        "\"1/0s\"",
    ]);
    prop_oneof![known.prop_map(str::to_owned), "[ -~]{0,12}"]
}

/// The same cases each time; `PROPTEST_CASES` asks for more.
fn config() -> ProptestConfig {
    ProptestConfig {
        failure_persistence: None,
        rng_seed: proptest::test_runner::RngSeed::Fixed(2026),
        ..ProptestConfig::default()
    }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn random_text_is_read_or_refused(text in "\\PC{0,200}") {
        read(&text);
    }

    #[test]
    fn random_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        read(&String::from_utf8_lossy(&bytes));
    }

    #[test]
    fn shipped_scenarios_with_a_value_exchanged_are_read_or_refused(
        which in any::<prop::sample::Index>(),
        line in any::<prop::sample::Index>(),
        piece in pieces(),
    ) {
        // Wrong values behind right keys reach the checks that random text never gets to.
        let small: Vec<_> = library::list().into_iter().filter(|e| e.name != "gossip/rumor-100k").collect();
        let mut lines: Vec<String> = which.get(&small).text.lines().map(str::to_owned).collect();
        let at = line.index(lines.len());
        if let Some((key, _)) = lines[at].clone().split_once('=') {
            lines[at] = format!("{key}= {piece}");
        } else {
            lines.remove(at);
        }
        read(&lines.join("\n"));
    }

    #[test]
    fn shipped_scenarios_cut_and_spliced_are_read_or_refused(
        which in any::<prop::sample::Index>(),
        from in any::<prop::sample::Index>(),
        length in 0_usize..40,
        piece in pieces(),
    ) {
        let small: Vec<_> = library::list().into_iter().filter(|e| e.name != "gossip/rumor-100k").collect();
        let text = which.get(&small).text;
        let start = from.index(text.len());
        let end = (start + length).min(text.len());
        if let (Some(head), Some(tail)) = (text.get(..start), text.get(end..)) {
            read(&format!("{head}{piece}{tail}"));
        }
    }

    #[test]
    fn any_setting_is_applied_or_refused(path in "[a-z_.0-9]{0,20}", piece in pieces()) {
        let options = Options { set: vec![format!("{path}={piece}")], ..Options::default() };
        let entry = library::find("gossip/one-crash").expect("shipped");
        if let Err(errors) = Document::read("fuzz.toml", entry.text, &Desk(&[]), &options) {
            prop_assert!(!errors.render(Style::Plain).is_empty());
        }
    }
}
