//! How a failure is told.

use super::super::*;
use super::{history, judged};

fn stale_read() -> History {
    history(&[
        "0 :invoke :write [\"<&k>\" 1]",
        "0 :ok :write [\"<&k>\" 1]",
        "1 :invoke :write [\"<&k>\" 2]",
        "2 :invoke :write [\"<&k>\" 3]",
        "1 :ok :write [\"<&k>\" 2]",
        "3 :invoke :read [\"<&k>\" nil]",
        "3 :ok :read [\"<&k>\" 1]",
        "2 :ok :write [\"<&k>\" 3]",
        "4 :invoke :read [\"<&k>\" nil]",
        "4 :ok :read [\"<&k>\" 1]",
    ])
}

#[test]
fn the_smallest_stuck_prefix_is_told() {
    // The first stale read is beyond rescue once it returns: 2 was there, and
    // only 3 may have replaced it. What comes later is not needed to see that.
    let judgement = judged(&stale_read());
    let stuck = judgement.stuck.expect("not linearizable");
    let ids = |numbers: &[usize]| numbers.iter().copied().map(OperationId).collect::<Vec<_>>();
    assert_eq!(stuck.prefix, ids(&[0, 1, 2, 3]));
    assert_eq!((stuck.ended_by, stuck.ends_at), (OperationId(3), 6));
    assert_eq!(stuck.linearized[0], (OperationId(0), Value::Int(1)));
    assert_eq!(stuck.held, [Value::Int(2)]);
    assert_eq!(stuck.unplaced, ids(&[2, 3]));
    assert!(stuck.is_minimal);
}

#[test]
fn the_terminal_shows_order_and_overlap() {
    let history = stale_read();
    let told = picture::text(&history, &judged(&history));
    let expected = "\
not linearizable: 5 operations, 1 key, model register, 8 steps
key \"<&k>\"
stuck: process 3 returned from read = 1 at 7 ns, but it may have held 2 then
smallest stuck prefix: 4 operations, 2 of them in order
  order  process  operation
      1        0  write 1    [=]
      2        1  write 2        [===]
      -        2  write 3 ?        [=====>
  stuck        3  read = 1             [#]
";
    assert_eq!(told, expected);
}

#[test]
fn the_svg_escapes_what_it_shows_and_closes_what_it_opens() {
    let history = stale_read();
    let stuck = judged(&history).stuck.expect("not linearizable");
    let svg = picture::svg(&history, &stuck);
    // The key is markup if written raw.
    assert!(svg.contains("&lt;&amp;k&gt;") && !svg.contains("<&k>"));
    for element in ["svg", "g", "text", "title", "style"] {
        let opened = svg.matches(&format!("<{element} ")).count()
            + svg.matches(&format!("<{element}>")).count();
        assert_eq!(
            opened,
            svg.matches(&format!("</{element}>")).count(),
            "{element}"
        );
    }
    // One bar an operation of the prefix, one of them the culprit.
    assert_eq!(svg.matches("<g>").count(), stuck.prefix.len());
    assert_eq!(svg.matches("class=\"stuck\"").count(), 1);
    assert_eq!(svg, picture::svg(&history, &stuck));
}

#[test]
fn a_linearizable_history_is_told_in_one_line() {
    let history = history(&["0 :invoke :write 1", "0 :ok :write 1"]);
    let told = picture::text(&history, &judged(&history));
    assert_eq!(
        told,
        "linearizable: 1 operations, 1 key, model register, 2 steps\n"
    );
}
