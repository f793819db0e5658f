//! `--set` and the seed.

use fedsim_protocols::{Probability, SimDuration};
use fedsim_scenarios::spec::When;
use fedsim_scenarios::{Document, Options, Style};

use crate::support::{Desk, HEAD, read_with};

fn with_fault() -> String {
    format!("{HEAD}[network]\nloss = 0.2\n[[faults]]\nat = \"1s\"\ncrash = \"acme-1\"\n")
}

#[test]
fn settings_reach_every_key_in_order_and_need_no_quotes() {
    let set = [
        "network.loss=0.05",
        "faults.0.at=3s",
        "network.clock.drift_ppm=40",
        "network.loss=1%",
    ];
    let scenario = read_with(&with_fault(), &set).expect("right").scenario;
    assert_eq!(
        Some(scenario.network.link.loss),
        Probability::from_f64(0.01)
    );
    assert_eq!(scenario.faults[0].when, When::At(SimDuration::from_secs(3)));
    assert_eq!(scenario.network.clock.drift_ppm, 40);
}

#[test]
fn a_wrong_setting_is_shown_in_the_argument() {
    // The file is right: pointing into it would send the reader to the wrong place.
    let cases = [
        ("network.lss=1", "lss", "unknown key `lss`"),
        ("network.loss=2", "2", "this is no probability"),
        ("faults.1.at=1s", "1", "`1` is none of 1 entries"),
        ("seed.x=1", "x", "what stands before `x` is an integer"),
        ("network.latency={ uniform = [", "", "this is not TOML"),
        ("seed", "seed", "`seed` sets nothing"),
    ];
    for (argument, excerpt, message) in cases {
        let text = format!("seed = 1\n{}", with_fault());
        let errors = read_with(&text, &[argument]).expect_err("wrong");
        let problem = &errors.problems()[0];
        assert!(problem.message().contains(message), "{argument}: {problem}");
        assert!(
            problem.excerpt().contains(excerpt),
            "{argument}: {}",
            problem.excerpt()
        );
        assert!(errors.render(Style::Plain).contains(argument), "{argument}");
    }
}

#[test]
fn the_seed_given_wins_and_is_written_back() {
    let options = Options {
        seed: Some(u64::MAX),
        ..Options::default()
    };
    let read = Document::read("t", HEAD, &Desk(&[]), &options).expect("right");
    assert!(
        read.scenario
            .to_toml()
            .contains("seed = 18446744073709551615")
    );
}
