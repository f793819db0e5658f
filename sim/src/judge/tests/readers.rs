//! The readers: what they accept, what they refuse and with which line.

use proptest::prelude::*;

use super::super::generate::{Settings, generate};
use super::super::*;

fn error_of(text: &str) -> String {
    read(text.as_bytes()).expect_err("unreadable").to_string()
}

#[test]
fn jepsen_edn_is_read_a_map_a_line_or_as_one_vector() {
    // Both say the same events, so they must give the same history.
    let maps = "{:process 0, :type :invoke, :f :write, :value 3, :time 10, :index 0}
        {:process :nemesis, :type :info, :f :start, :value {:n1 #{:n2}}, :time 11, :index 1}
        #jepsen.history.Op{:index 2, :time 12, :type :ok, :process 0, :f :write, :value 3}
        {:process 1, :type :invoke, :f :cas, :value [3 4], :time 13, :index 3} ; swap
        {:process 1, :type :info, :f :cas, :value [3 4], :time 14, :index 4, :error {:via [1.5]}}";
    let lined = read(maps.as_bytes()).expect("maps");
    let vector = read(format!("[{maps}\n]").as_bytes()).expect("a vector");
    assert_eq!(lined, vector);
    let shown: Vec<String> = lined
        .operations()
        .iter()
        .map(Operation::to_string)
        .collect();
    assert_eq!(shown, ["write 3", "cas 3 -> 4 ?"]);
    assert_eq!(
        (
            lined.operations()[0].invoked_ns,
            lined.operations()[0].returned_ns
        ),
        (10, Some(12))
    );
}

#[test]
fn independent_tuples_are_keys() {
    let text = "{:process 0, :type :invoke, :f :cas, :value [7 [1 2]]}
        {:process 0, :type :ok, :f :cas, :value [7 [1 2]]}
        {:process 0, :type :invoke, :f :read, :value [7 nil]}
        {:process 0, :type :ok, :f :read, :value [7 2]}
        {:process 0, :type :invoke, :f :cas, :value [1 2]}
        {:process 0, :type :fail, :f :cas, :value [1 2]}";
    let history = read(text.as_bytes()).expect("EDN");
    let keys: Vec<Option<Value>> = history
        .operations()
        .iter()
        .map(|one| one.key.clone())
        .collect();
    assert_eq!(keys, [Some(Value::Int(7)), Some(Value::Int(7)), None]);
    assert_eq!(
        history.operations()[1].outcome,
        Outcome::Read(Value::Int(2))
    );
}

#[test]
fn a_log_is_read_among_other_lines() {
    let text = "---> HTTP POST http://n3:8086/write\n\
        INFO  jepsen.core - Worker 1 starting\n\
        INFO  jepsen.util - 3\t:invoke\t:write\t4\n\
        INFO  jepsen.util - :nemesis\t:info\t:start\t\"cut\"\n\
        INFO  jepsen.util - 3\t:info\t:write\t:timed-out\n\
        INFO  jepsen.util - Retrying (soon\n\
        INFO  jepsen.util - 5   :invoke :read   nil\n\
        INFO  jepsen.util - 5   :fail   :read   :timed-out\n";
    let history = read(text.as_bytes()).expect("a log");
    let outcomes: Vec<&Outcome> = history
        .operations()
        .iter()
        .map(|one| &one.outcome)
        .collect();
    assert_eq!(outcomes, [&Outcome::Open, &Outcome::Failed]);
}

#[test]
fn indices_restore_the_order_of_shuffled_lines() {
    let lines = [
        r#"{"process":0,"type":"invoke","f":"read","value":null,"index":4}"#,
        r#"{"process":0,"type":"ok","f":"read","value":1,"index":9}"#,
    ];
    let ordered = read(lines.join("\n").as_bytes());
    let shuffled = read([lines[1], lines[0]].join("\n").as_bytes());
    assert!(ordered.is_ok());
    assert_eq!(ordered, shuffled);
}

#[test]
fn every_refusal_names_its_line_and_what_was_expected() {
    let table = [
        (
            "",
            "line 1: expected a history: EDN maps, jepsen.util log lines or JSON lines, found an empty file",
        ),
        (
            "\n{:process 0 :type :invoke :f :read",
            "line 2: expected '}' for the one opened in line 2, found the end",
        ),
        (
            "{:process 0 :type :invoke\n:f :txn}",
            "line 1: expected an operation: read (get), write (put), cas or append, found :txn",
        ),
        (
            "{:process 0 :type :begin :f :read}",
            "line 1: expected a type: invoke, ok, fail or info, found :begin",
        ),
        (
            "{:type :ok :f :read}",
            "line 1: expected :process in the map, found a map with :type :f",
        ),
        (
            "{:process 0 :type :ok :f :read}",
            "line 1: expected an invocation by process 0 before, found none that is still open",
        ),
        (
            "{:process 0 :type :invoke :f :cas :value 1}",
            "line 1: expected the values of a cas: [expected new], found 1",
        ),
        (
            "{:process 0 :type :invoke :f :read :value {1 2}}",
            "line 1: expected nil, a boolean, a number, a text or a vector of these, found a map of 1",
        ),
        (
            "{:process 0 :type :invoke :f :read}\n{:process 0 :type :ok :f :write}",
            "line 2: expected the end of read by process 0, found write",
        ),
        (
            "{:process 0 :type :invoke :f :write :value [:x [nil 3]]}\n{:process 0 :type :ok :f :write :value [:x [5 3]]}",
            "line 2: expected the arguments of write [nil 3] again, or nil, found [5 3]",
        ),
        (
            "{:process 0 :type :invoke :f :read}\n{:process 0 :type :invoke :f :read}",
            "line 2: expected the end of the operation process 0 has under way, found process 0 invoked read while its read is still under way",
        ),
        (
            "INFO  jepsen.util - x :invoke :read nil",
            "line 1: expected a process number, found x :invoke :read nil",
        ),
        (
            "INFO  jepsen.util - 3 :invoke :write",
            "line 1: expected a value, found 3 :invoke :write",
        ),
        (
            "{\"process\":0,\"type\":\"invoke\",\"f\":\"write\",\"value\":1.5}",
            "line 1: expected null, a boolean, an integer, a string or an array of these, found 1.5",
        ),
    ];
    for (text, expected) in table {
        assert_eq!(error_of(text), expected, "{text}");
    }
    let not_text = read(b"{:process 0}\n\xff").expect_err("not UTF-8");
    assert_eq!(
        not_text.to_string(),
        "line 2: expected text in UTF-8, found byte 0xff"
    );
}

#[test]
fn nesting_without_end_is_refused_and_does_not_exhaust_the_stack() {
    for opening in ["[", "{", "(", "#_", "#tag ", "#{"] {
        let text = format!("{{:process {}", opening.repeat(200_000));
        assert!(read(text.as_bytes()).is_err(), "{opening}");
    }
    let json = format!(
        "{{\"process\":0,\"type\":\"invoke\",\"f\":\"write\",\"value\":{}",
        "[".repeat(200_000)
    );
    assert!(read(json.as_bytes()).is_err());
}

/// A history with keys, texts and every outcome.
fn rich_history(seed: u64, keys: u64) -> History {
    generate(&Settings {
        seed,
        model: Model::KeyValue,
        operations: 40,
        clients: 5,
        keys,
        values: 3,
        open_per_mille: 100,
        failed_per_mille: 100,
    })
}

#[test]
fn awkward_values_survive_both_notations() {
    // Each would be mistaken for something else if written carelessly.
    let values = [
        Value::List(vec![Value::Int(1), Value::Int(2)]),
        Value::List(vec![
            Value::Int(1),
            Value::List(vec![Value::Nil, Value::Bool(true)]),
        ]),
        Value::Text("\"\\\n\t\u{1} é 😀 :k [;".to_owned()),
        Value::Int(i64::MIN),
    ];
    for key in [None, Some(Value::from("k")), Some(values[0].clone())] {
        let mut history = History::new();
        for value in &values {
            let swap = Call::CompareAndSwap {
                expected: Value::Int(1),
                new: value.clone(),
            };
            let calls = [
                (Call::Write(value.clone()), Outcome::Done),
                (swap.clone(), Outcome::Refused),
                (swap, Outcome::Failed),
                (Call::Read, Outcome::Read(value.clone())),
            ];
            for (call, outcome) in calls {
                let id = history.invoke(1, key.clone(), call, 5).expect("idle");
                history.complete(id, outcome, 6).expect("pending");
            }
        }
        assert_eq!(read(edn::write(&history).as_bytes()), Ok(history.clone()));
        assert_eq!(read(jsonl::write(&history).as_bytes()), Ok(history));
    }
}

proptest! {
    /// What is exported is read back as the very same history.
    #[test]
    fn exports_are_read_back_unchanged(seed in any::<u64>(), keys in 0..3u64) {
        let history = rich_history(seed, keys);
        let (edn, json) = (edn::write(&history), jsonl::write(&history));
        prop_assert_eq!(Format::detect(&edn), Some(Format::Edn));
        prop_assert_eq!(Format::detect(&json), Some(Format::JsonLines));
        prop_assert_eq!(read(edn.as_bytes()), Ok(history.clone()));
        prop_assert_eq!(read(json.as_bytes()), Ok(history));
    }

    /// No bytes make a reader panic, and an error names a line of the text.
    #[test]
    fn random_bytes_are_refused_without_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        for format in [Format::Edn, Format::JepsenLog, Format::JsonLines] {
            drop(read_as(format, &bytes));
        }
        drop(read(&bytes));
    }

    /// The same for text that almost is a history, which reaches deeper.
    #[test]
    fn damaged_histories_never_panic(
        seed in any::<u64>(),
        cuts in prop::collection::vec((any::<prop::sample::Index>(), "[\\[\\]{}()\"#_:;\\\\ 0-9a-z\n]{0,3}"), 1..6),
    ) {
        let history = rich_history(seed, 2);
        let log = "INFO  jepsen.util - 3\t:invoke\t:cas\t[4 \"x\"]\n".repeat(3);
        for mut text in [edn::write(&history), jsonl::write(&history), log] {
            for (at, piece) in &cuts {
                let at = text.floor_char_boundary(at.index(text.len()));
                let end = text.ceil_char_boundary((at + piece.len()).min(text.len()));
                text.replace_range(at..end, piece);
            }
            match read(text.as_bytes()) {
                Ok(history) => drop(judge(&history, Model::KeyValue, Budget { steps_per_key: 10_000 })),
                Err(error) => prop_assert!((1..=text.lines().count() + 1).contains(&error.line)),
            }
        }
    }
}
