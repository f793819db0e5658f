//! What the runs broke, as a page, as a short table and as lines.

use std::fmt::Write as _;
use std::path::Path;

use fedsim_scenarios::spec::Profile;

use super::{Broken, LAYERS, Leaks, Row};

fn cell(broken: &Broken) -> String {
    match broken.is_empty() {
        true => "–".to_owned(),
        false => broken.join(", "),
    }
}

/// The layers for which something of `runs` is so.
fn layers(runs: &[Broken], is_so: impl Fn(&Broken) -> bool) -> String {
    let pairs = LAYERS.iter().zip(runs);
    let names: Vec<&str> = pairs
        .filter(|(_, broken)| is_so(broken))
        .map(|(layer, _)| layer.name())
        .collect();
    match names.is_empty() {
        true => "–".to_owned(),
        false => names.join(", "),
    }
}

/// The argument on one page: a line an attack.
pub(super) fn short(rows: &[Row]) -> String {
    let mut text = "| attack | breaks, with no layer | gets through all | gets through without | \
                    stopped by one alone |"
        .to_owned();
    for profile in Profile::ALL {
        let _ = write!(text, " {} |", profile.name());
    }
    text.push_str("\n|---|---|---|---|---|");
    text.push_str(&"---|".repeat(Profile::ALL.len()));
    text.push('\n');
    for row in rows {
        let _ = write!(
            text,
            "| {} | {} | {} | {} | {} |",
            row.attack.name,
            cell(&row.none),
            if row.all.is_empty() { "no" } else { "yes" },
            layers(&row.without, |broken| !broken.is_empty()),
            layers(&row.alone, Vec::is_empty),
        );
        for broken in &row.profiles {
            let mark = if broken.is_empty() {
                "stopped"
            } else {
                "through"
            };
            let _ = write!(text, " {mark} |");
        }
        text.push('\n');
    }
    text
}

/// The whole matrix: what each run broke.
fn long(title: &str, heads: &[&str], rows: &[Row], of: fn(&Row) -> &Vec<Broken>) -> String {
    let mut text = format!("\n## {title}\n\n| attack | {} |\n", heads.join(" | "));
    let _ = writeln!(text, "|---|{}", "---|".repeat(heads.len()));
    for row in rows {
        let cells: Vec<String> = of(row).iter().map(cell).collect();
        let _ = writeln!(text, "| {} | {} |", row.attack.name, cells.join(" | "));
    }
    text
}

const HEAD: &str = "# What each layer is for

Every attack on a small federation with all layers, with each of them left out, with each of them
alone, and with the layers of each profile (`[federation] profile`). Made by

```sh
cargo run --release --example pages -- layers
```

What got through is told by the invariants that were violated, each judged from the scenario's own
grants and from what its users asked for, never from what a layer says. `as-asked`: something was done
in the name of a peer that did not ask for it so; `authorised-only`: nothing allowed it;
`executed-once`: it was done twice; `not-after-expiry`: it was done too late; `well-formed`: by an
envelope out of bounds; `no-leak`: private data left; `one-order`: two peers applied changes of shared
state in different order; `screened`: somebody did what an injection asks for; `served-on`: a peer
whose messages are badly signed was served more than six times; `overspent`: others were asked who had
cost more than the breaker allows; `within-budget`: more was spent than there was; `unaccounted`: what
was changed in an audit log was not found, or not whose doing it was. `gate` is sanitisation before sending;
`council` decides what changes shared state; `screening` refuses prompt injections. `sessions` are mutual TLS; they stand only where they
are named, and in the profiles that have them, since whoever cannot read or speak at all shows nothing
of what the other layers do.

";

const BEGIN: &str = "<!-- layers: written by `--example pages` -->\n";
const END: &str = "<!-- end of layers -->\n";

/// Puts `table` between the marks of a page.
pub(super) fn between_marks(page: &str, table: &str) -> Option<String> {
    let (before, rest) = page.split_once(BEGIN)?;
    let (_, after) = rest.split_once(END)?;
    Some(format!("{before}{BEGIN}{table}{END}{after}"))
}

/// How much private data left, by gate.
fn leaked(all: &[Leaks]) -> String {
    let mut text = "\n## Leaks by the order of the gate\n\n\
                    Of the private data that agents were made to say, how much was read by those who \
                    must not.\n\n| private data is looked for | planted | leaked |\n|---|---|---|\n"
        .to_owned();
    for Leaks {
        gate,
        planted,
        leaked,
    } in all
    {
        let _ = writeln!(text, "| {gate} | {planted} | {leaked} |");
    }
    text
}

/// The page.
pub(super) fn page(rows: &[Row], leaks: &[Leaks]) -> String {
    let names: Vec<&str> = LAYERS.iter().map(|layer| layer.name()).collect();
    let profiles = Profile::ALL.map(Profile::name);
    let mut page = format!("{HEAD}{BEGIN}{}{END}\nThe attacks:\n\n", short(rows));
    for row in rows {
        let _ = writeln!(page, "- *{}*: {}.", row.attack.name, row.attack.about);
    }
    page.push_str(&long("One layer left out", &names, rows, |row| {
        &row.without
    }));
    page.push_str(&long("One layer alone", &names, rows, |row| &row.alone));
    page.push_str(&long("Profiles", &profiles, rows, |row| &row.profiles));
    page.push_str(&leaked(leaks));
    page
}

/// One line a run.
pub(super) fn lines(rows: &[Row], path: &Path) -> csv::Result<()> {
    let mut csv = csv::Writer::from_path(path)?;
    csv.write_record(["attack", "layers", "which", "violated"])?;
    for row in rows {
        let mut write = |layers: &str, which: &str, broken: &Broken| {
            csv.write_record([row.attack.name, layers, which, &broken.join(" ")])
        };
        write("all", "", &row.all)?;
        write("none", "", &row.none)?;
        for (layer, broken) in LAYERS.iter().zip(&row.without) {
            write("without", layer.name(), broken)?;
        }
        for (layer, broken) in LAYERS.iter().zip(&row.alone) {
            write("alone", layer.name(), broken)?;
        }
        for (profile, broken) in Profile::ALL.iter().zip(&row.profiles) {
            write("profile", profile.name(), broken)?;
        }
    }
    csv.flush()?;
    Ok(())
}
