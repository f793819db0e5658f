//! Histories whose verdict is known: the classics of the field by hand.

use super::super::*;
use super::{history, judged, verdict};
use Verdict::{Linearizable, NotLinearizable};

#[test]
fn an_overlapping_read_may_see_either_side_of_a_write() {
    // The read overlaps the write, so the write may take effect before or after it.
    for seen in ["nil", "1"] {
        let read = format!("1 :ok :read {seen}");
        let lines = [
            "0 :invoke :write 1",
            "1 :invoke :read nil",
            &read,
            "0 :ok :write 1",
        ];
        assert_eq!(verdict(&lines), Linearizable, "seen {seen}");
    }
}

#[test]
fn a_read_after_a_write_must_not_be_stale() {
    // The write returned before the read was invoked: real time orders them.
    let lines = [
        "0 :invoke :write 1",
        "0 :ok :write 1",
        "1 :invoke :read nil",
        "1 :ok :read nil",
    ];
    assert_eq!(verdict(&lines), NotLinearizable);
}

#[test]
fn new_then_old_is_regular_but_not_atomic() {
    // Lamport 1986: both reads overlap the write and each alone is fine, but
    // the first saw the new value, so the later one must not see the old.
    let lines = [
        "0 :invoke :write 1",
        "1 :invoke :read nil",
        "1 :ok :read 1",
        "2 :invoke :read nil",
        "2 :ok :read nil",
        "0 :ok :write 1",
    ];
    assert_eq!(verdict(&lines), NotLinearizable);
}

#[test]
fn concurrent_writes_take_effect_in_some_order_that_all_readers_share() {
    // After both writes readers agree (either way), or no order explains them.
    let with_reads = |first: &str, second: &str| {
        let (first, second) = (
            format!("2 :ok :read {first}"),
            format!("3 :ok :read {second}"),
        );
        verdict(&[
            "0 :invoke :write 1",
            "1 :invoke :write 2",
            "1 :ok :write 2",
            "0 :ok :write 1",
            "2 :invoke :read nil",
            &first,
            "3 :invoke :read nil",
            &second,
        ])
    };
    assert_eq!(with_reads("1", "1"), Linearizable);
    assert_eq!(with_reads("2", "2"), Linearizable);
    assert_eq!(with_reads("1", "2"), NotLinearizable);
    assert_eq!(with_reads("2", "1"), NotLinearizable);
}

#[test]
fn a_value_nobody_wrote_cannot_be_read() {
    assert_eq!(
        verdict(&["0 :invoke :read nil", "0 :ok :read 7"]),
        NotLinearizable
    );
}

#[test]
fn two_swaps_of_one_value_cannot_both_succeed() {
    // The lost update: both found 1, though the first to succeed removed it.
    let lines = [
        "0 :invoke :write 1",
        "0 :ok :write 1",
        "1 :invoke :cas [1 2]",
        "2 :invoke :cas [1 3]",
        "1 :ok :cas [1 2]",
        "2 :ok :cas [1 3]",
    ];
    assert_eq!(verdict(&lines), NotLinearizable);
    let one_fails = [&lines[..5], &["2 :fail :cas [1 3]"]].concat();
    assert_eq!(verdict(&one_fails), Linearizable);
}

#[test]
fn a_lost_append_is_noticed() {
    // Both appends returned, so a later read must show both.
    let text = |seen: &str| {
        format!(
            "{{:process 0 :type :invoke :f :append :key 1 :value \"a\"}}
             {{:process 1 :type :invoke :f :append :key 1 :value \"b\"}}
             {{:process 0 :type :ok :f :append :key 1 :value \"a\"}}
             {{:process 1 :type :ok :f :append :key 1 :value \"b\"}}
             {{:process 0 :type :invoke :f :get :key 1 :value nil}}
             {{:process 0 :type :ok :f :get :key 1 :value {seen:?}}}"
        )
    };
    let verdict = |seen: &str| judged(&read(text(seen).as_bytes()).expect("EDN")).verdict;
    assert_eq!(verdict("ab"), Linearizable);
    assert_eq!(verdict("ba"), Linearizable);
    assert_eq!(verdict("b"), NotLinearizable);
    assert_eq!(verdict("abb"), NotLinearizable);
}

#[test]
fn a_refused_swap_is_an_observation_and_a_failed_one_is_not() {
    // The register holds 1 for certain: comparing with 1 cannot differ, but a
    // request that never arrived says nothing.
    let with_error = |error: &str| {
        let text = format!(
            "{{:process 0 :type :invoke :f :write :value 1}}
             {{:process 0 :type :ok :f :write :value 1}}
             {{:process 0 :type :invoke :f :cas :value [1 2]}}
             {{:process 0 :type :fail :f :cas :value [1 2] :error {error}}}"
        );
        judged(&read(text.as_bytes()).expect("EDN")).verdict
    };
    assert_eq!(with_error(":mismatch"), NotLinearizable);
    assert_eq!(with_error(":connection-refused"), Linearizable);
}

#[test]
fn an_open_write_may_take_effect_late_or_never_but_once() {
    let with_reads = |seen: &[&str]| {
        let reads: Vec<String> = seen
            .iter()
            .flat_map(|seen| {
                [
                    "1 :invoke :read nil".to_owned(),
                    format!("1 :ok :read {seen}"),
                ]
            })
            .collect();
        let start = ["0 :invoke :write 1", "0 :info :write :timed-out"];
        let lines: Vec<&str> = start
            .into_iter()
            .chain(reads.iter().map(String::as_str))
            .collect();
        verdict(&lines)
    };
    assert_eq!(with_reads(&["nil", "nil"]), Linearizable, "never");
    assert_eq!(with_reads(&["nil", "1"]), Linearizable, "late");
    assert_eq!(with_reads(&["1", "1"]), Linearizable, "at once");
    assert_eq!(with_reads(&["1", "nil"]), NotLinearizable, "undone");
    // The same when the history simply ends, without `:info`.
    assert_eq!(
        verdict(&["0 :invoke :write 1", "1 :invoke :read nil", "1 :ok :read 1"]),
        Linearizable
    );
}

#[test]
fn an_open_write_that_nobody_read_can_still_matter() {
    // Only the open write explains why comparing with 1 differed, and only
    // that write explains the text to which "b" was appended.
    let refused = "{:process 0 :type :invoke :f :write :value 1}
        {:process 0 :type :ok :f :write :value 1}
        {:process 1 :type :invoke :f :write :value 2}
        {:process 0 :type :invoke :f :cas :value [1 3]}
        {:process 0 :type :fail :f :cas :value [1 3] :error :mismatch}";
    let appended = "{:process 1 :type :invoke :f :put :value \"a\"}
        {:process 0 :type :invoke :f :append :value \"b\"}
        {:process 0 :type :ok :f :append :value \"b\"}
        {:process 0 :type :invoke :f :get}
        {:process 0 :type :ok :f :get :value \"ab\"}";
    for text in [refused, appended] {
        let with_open = read(text.as_bytes()).expect("EDN");
        assert_eq!(judged(&with_open).verdict, Linearizable);
        let without = text.lines().filter(|line| !line.contains(":process 1"));
        let without: Vec<&str> = without.collect();
        let without = read(without.join("\n").as_bytes()).expect("EDN");
        assert_eq!(judged(&without).verdict, NotLinearizable);
    }
}

#[test]
fn an_open_write_cannot_take_effect_before_its_invocation() {
    let lines = [
        "1 :invoke :read nil",
        "1 :ok :read 1",
        "0 :invoke :write 1",
        "0 :info :write :timed-out",
    ];
    assert_eq!(verdict(&lines), NotLinearizable);
}

#[test]
fn a_failed_write_did_not_happen() {
    let with_read = |seen: &str| {
        let read = format!("1 :ok :read {seen}");
        verdict(&[
            "0 :invoke :write 1",
            "0 :fail :write 1",
            "1 :invoke :read nil",
            &read,
        ])
    };
    assert_eq!(with_read("nil"), Linearizable);
    assert_eq!(with_read("1"), NotLinearizable);
}

#[test]
fn keys_are_judged_apart_and_one_bad_key_is_enough() {
    // Locality, Herlihy & Wing 1990, theorem 1.
    let with_read = |seen: &str| {
        let read = format!("0 :ok :read [\"y\" {seen}]");
        judged(&history(&[
            "0 :invoke :write [\"x\" 1]",
            "0 :ok :write [\"x\" 1]",
            "0 :invoke :read [\"y\" nil]",
            &read,
        ]))
    };
    assert_eq!(with_read("nil").verdict, Linearizable);
    let bad = with_read("1");
    let verdicts: Vec<Verdict> = bad.keys.iter().map(|key| key.verdict).collect();
    assert_eq!(verdicts, [Linearizable, NotLinearizable]);
    assert_eq!(bad.verdict, NotLinearizable);
}

#[test]
fn a_call_outside_the_model_is_refused() {
    let history = history(&["0 :invoke :cas [1 2]", "0 :ok :cas [1 2]"]);
    let refused = judge(&history, Model::Register, Budget::default());
    let error = refused.expect_err("a register has no cas");
    assert_eq!(
        error.to_string(),
        "operation 0: cas is no operation of the register model"
    );
}
