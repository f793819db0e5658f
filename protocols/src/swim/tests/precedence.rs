//! The precedence table, every cell, both rules: as a function and through the machine.

use super::*;

const STATUSES: [Status; 4] = [Status::Alive, Status::Suspect, Status::Dead, Status::Left];

/// What is held is at generation 5, refutation 5.
const HELD: Incarnation = Incarnation((5 << 32) | 5);

/// Rows are the news and columns what is held, both in the order of `STATUSES`; `x` replaces it.
struct Table {
    rule: DeadRule,
    news_at: Incarnation,
    rows: [&'static str; 4],
}

fn tables() -> Vec<Table> {
    use DeadRule::{Final, Refutable};
    let table = |rule, news_at, rows| Table {
        rule,
        news_at: Incarnation(news_at),
        rows,
    };
    const NONE: [&str; 4] = ["....", "....", "....", "...."];
    const ALL: [&str; 4] = ["xxxx", "xxxx", "xxxx", "xxxx"];
    let (older_life, newer_life) = ((4 << 32) | 9, 6 << 32);
    let (lower, equal, higher) = (HELD.0 - 1, HELD.0, HELD.0 + 1);
    vec![
        table(Refutable, older_life, NONE),
        table(Refutable, lower, NONE),
        table(Refutable, equal, ["....", "x...", "xx..", "xxx."]),
        table(Refutable, higher, ALL),
        table(Refutable, newer_life, ALL),
        table(Final, older_life, NONE),
        table(Final, lower, ["....", "....", "xx..", "xxx."]),
        table(Final, equal, ["....", "x...", "xx..", "xxx."]),
        table(Final, higher, ["xx..", "xx..", "xx..", "xxx."]),
        table(Final, newer_life, ALL),
    ]
}

fn each_cell(mut check: impl FnMut(DeadRule, View, View, bool)) {
    for table in tables() {
        for (row, status) in table.rows.iter().zip(STATUSES) {
            for (cell, held) in row.chars().zip(STATUSES) {
                let news = View {
                    status,
                    incarnation: table.news_at,
                };
                let held = View {
                    status: held,
                    incarnation: HELD,
                };
                check(table.rule, news, held, cell == 'x');
            }
        }
    }
}

fn message(view: View) -> SwimMessage {
    match view.status {
        Status::Alive => is_alive(1, view.incarnation),
        Status::Suspect => is_suspect(2, 1, view.incarnation),
        Status::Dead => is_dead(2, 1, view.incarnation),
        Status::Left => says(Update::Alive(farewell(1, view.incarnation))),
    }
}

#[test]
fn the_rule_is_the_table() {
    // The table is written out by hand from SWIM section 4.2 and memberlist, the rule is not.
    let mut cells = 0;
    each_cell(|rule, news, held, wanted| {
        cells += 1;
        let got = Published::overrides(rule, news, held);
        assert_eq!(got, wanted, "{rule:?}: {news:?} over {held:?}");
    });
    assert_eq!(cells, 2 * 5 * 16);
}

#[test]
fn the_machine_holds_what_the_table_says() {
    // Member 1 is brought to each state by signed news, then hears each other news. Dead of an
    // older incarnation of one life (final) ends the newer, so the higher incarnation is held.
    each_cell(|dead, news, held, wanted| {
        let mut solo = Solo::<Published>::among(
            0,
            SwimConfig {
                dead,
                ..SwimConfig::lan()
            },
        );
        solo.hand(2, &is_alive(2, Incarnation::FIRST));
        solo.hand(2, &message(held));
        assert_eq!(solo.view_of(1), Some((held.status, held.incarnation)));
        solo.hand(2, &message(news));
        let after = match wanted {
            true => (news.status, news.incarnation.max(held.incarnation)),
            false => (held.status, held.incarnation),
        };
        let replaced_left = news.status == Status::Left && wanted;
        let after = match replaced_left {
            true => (Status::Left, news.incarnation),
            false => after,
        };
        assert_eq!(
            solo.view_of(1),
            Some(after),
            "{dead:?}: {news:?} over {held:?}"
        );
    });
}
