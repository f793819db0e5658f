//! Properties of the judge on random histories.

use proptest::prelude::*;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::super::generate::{Settings, generate};
use super::super::*;
use super::brute;

fn settings() -> impl Strategy<Value = Settings> {
    let model = prop::sample::select(Model::ALL.to_vec());
    (any::<u64>(), model, 1..5u64, 0..3u64, 0..4u64, 0..400u32).prop_map(
        |(seed, model, clients, keys, values, open_per_mille)| Settings {
            seed,
            model,
            operations: 7,
            clients,
            keys,
            values,
            open_per_mille,
            failed_per_mille: 50,
        },
    )
}

/// The history with some outcomes replaced by ones drawn from what occurs.
fn mutated(history: &History, seed: u64, times: usize) -> History {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut changed = history.operations().to_vec();
    let reads = changed.iter().filter_map(|one| match &one.outcome {
        Outcome::Read(value) => Some(value.clone()),
        _ => None,
    });
    let values: Vec<Value> = reads
        .chain([Value::Nil, Value::Int(0), Value::from("")])
        .collect();
    for _ in 0..times {
        let which = rng.random_range(0..changed.len());
        let other = values[rng.random_range(0..values.len())].clone();
        changed[which].outcome = match &changed[which].outcome {
            Outcome::Read(_) => Outcome::Read(other),
            Outcome::Refused => Outcome::Done,
            Outcome::Done if matches!(changed[which].call, Call::CompareAndSwap { .. }) => {
                Outcome::Refused
            }
            unchanged => unchanged.clone(),
        };
    }
    History::from_operations(changed).expect("outcomes still fit")
}

/// Replays an order by the rules alone: real time, outcomes, completeness.
fn assert_proves(history: &History, model: Model, judgement: &KeyJudgement) {
    let mut ids = judgement.linearization.clone();
    let place = |id: OperationId| ids.iter().position(|&placed| placed == id);
    for (earlier, id) in history.operations().iter().zip((0..).map(OperationId)) {
        if earlier.key == judgement.key && compile::is_definite(&earlier.outcome) {
            assert!(place(id).is_some(), "a completed operation is missing");
        }
    }
    // A history of the operations alone, one after the other in that order,
    // is linearizable only if the order obeys every outcome.
    let at = |index: usize| (2 * index as u64, Some(2 * index as u64 + 1));
    let replayed = ids.iter().enumerate().map(|(index, &id)| {
        let mut operation = history.operation(id).clone();
        (operation.invoked_ns, operation.returned_ns) = at(index);
        operation
    });
    let replayed = History::from_operations(replayed.collect()).expect("outcomes fit");
    assert!(brute::is_linearizable(
        &replayed,
        model,
        replayed.events().len()
    ));
    // No operation stands behind one that was invoked after its return.
    let edge_at = |id: OperationId, edge: Edge| {
        let is_it = |event: &Event| event.operation == id && event.edge == edge;
        history.events().iter().position(is_it)
    };
    while let Some(last) = ids.pop() {
        if !compile::is_definite(&history.operation(last).outcome) {
            continue;
        }
        let returned = edge_at(last, Edge::Returned);
        assert!(ids.iter().all(|&id| edge_at(id, Edge::Invoked) < returned));
    }
}

/// The shortest prefix, in events, without a linearization.
fn shortest_bad_prefix(history: &History, model: Model) -> Option<usize> {
    (0..=history.events().len()).find(|&events| !brute::is_linearizable(history, model, events))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    /// Verdict, proof and smallest stuck prefix are those that trying every
    /// order of every prefix gives.
    #[test]
    fn the_judge_agrees_with_brute_force(
        settings in settings(), seed in any::<u64>(), times in 0..4usize,
    ) {
        let history = mutated(&generate(&settings), seed, times);
        let judgement = judge(&history, settings.model, Budget::default()).expect("fits");
        let shortest = shortest_bad_prefix(&history, settings.model);
        prop_assert_eq!(judgement.verdict == Verdict::Linearizable, shortest.is_none());
        prop_assert_eq!(judgement.verdict == Verdict::NotLinearizable, shortest.is_some());
        for key in judgement.keys.iter().filter(|key| key.verdict == Verdict::Linearizable) {
            assert_proves(&history, settings.model, key);
        }
        if let (Some(stuck), Some(shortest)) = (&judgement.stuck, shortest) {
            prop_assert!(stuck.is_minimal);
            prop_assert_eq!(stuck.ends_at + 1, shortest);
            prop_assert_eq!(history.events()[stuck.ends_at].operation, stuck.ended_by);
            prop_assert!(stuck.unplaced.contains(&stuck.ended_by));
        }
    }

}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    /// What a real store produced is linearizable, whatever its size and faults;
    /// one read of a value nobody wrote is found, and found to be the culprit.
    #[test]
    fn generated_histories_hold_and_one_wrong_read_is_found(
        settings in settings(), operations in 1..400usize, clients in 1..9u64, pick in any::<prop::sample::Index>(),
    ) {
        let open_per_mille = settings.open_per_mille / 8;
        let settings = Settings { operations, clients, open_per_mille, ..settings };
        let history = generate(&settings);
        let judgement = judge(&history, settings.model, Budget::default()).expect("fits");
        prop_assert_eq!(judgement.verdict, Verdict::Linearizable);
        let is_read = |one: &&usize| matches!(history.operations()[**one].outcome, Outcome::Read(_));
        let all: Vec<usize> = (0..history.operations().len()).collect();
        let reads: Vec<usize> = all.iter().filter(is_read).copied().collect();
        prop_assume!(!reads.is_empty());
        let wrong = reads[pick.index(reads.len())];
        let mut changed = history.operations().to_vec();
        changed[wrong].outcome = Outcome::Read(Value::from("never written"));
        let changed = History::from_operations(changed).expect("fits");
        let judgement = judge(&changed, settings.model, Budget::default()).expect("fits");
        prop_assert_eq!(judgement.verdict, Verdict::NotLinearizable);
        let stuck = judgement.stuck.expect("a failure is explained");
        prop_assert_eq!(stuck.ended_by, OperationId(wrong));
        prop_assert!(stuck.is_minimal);
    }
}

/// Judges mutated histories of one model until both verdicts have come up
/// `wanted` times; the number of histories that took.
fn histories_until_both_verdicts(model: Model, wanted: usize) -> u64 {
    let mut counts = [0, 0];
    for seed in 0.. {
        let settings = Settings {
            seed,
            model,
            operations: 7,
            clients: 4,
            keys: 1,
            values: 2,
            open_per_mille: 150,
            failed_per_mille: 50,
        };
        let history = mutated(&generate(&settings), seed, 2);
        let judgement = judge(&history, model, Budget::default()).expect("fits");
        counts[usize::from(judgement.verdict == Verdict::Linearizable)] += 1;
        if counts.iter().all(|&count| count >= wanted) {
            return seed + 1;
        }
    }
    unreachable!("the seeds do not end")
}

#[test]
fn both_verdicts_are_common_among_the_histories_compared_with_brute_force() {
    // Else the comparison would prove little: at least one in five goes each way.
    for model in Model::ALL {
        let took = histories_until_both_verdicts(model, 40);
        assert!(took <= 200, "{model}: {took}");
    }
}

#[test]
fn a_spent_budget_is_unknown_and_never_a_verdict() {
    // One step cannot place a thousand operations.
    let history = generate(&Settings::bench_20k(1));
    let budget = Budget { steps_per_key: 1 };
    let judgement = judge(&history, Model::CasRegister, budget).expect("fits");
    assert_eq!(judgement.verdict, Verdict::Unknown);
    assert_eq!(judgement.stuck, None);
    assert_eq!(judgement.verdict.exit_code(), 4);
}

#[test]
fn twenty_thousand_operations_take_few_steps_and_always_the_same() {
    // Steps are what time is made of and, unlike time, repeat exactly: four a
    // operation is far below the second a verdict may take.
    for model in Model::ALL {
        let settings = Settings {
            model,
            ..Settings::bench_20k(7)
        };
        let history = generate(&settings);
        assert!(history.operations().len() >= 20_000);
        assert_eq!(history, generate(&settings));
        let judgement = judge(&history, model, Budget::default()).expect("fits");
        assert_eq!(judgement.verdict, Verdict::Linearizable, "{model}");
        assert_eq!(judgement.keys.len(), 20);
        assert!(
            judgement.steps() < 4 * 20_000,
            "{model}: {}",
            judgement.steps()
        );
        assert_eq!(
            judgement,
            judge(&history, model, Budget::default()).expect("fits")
        );
    }
}

#[test]
fn appends_nobody_reads_do_not_explode() {
    // Twelve concurrent appends have 479,001,600 orders; since no read can see
    // any of them before the write, they are one.
    let mut history = History::new();
    let append = |process: u64| Call::Append(Value::Text(format!("{process} ")));
    let ids: Vec<OperationId> = (0..12)
        .map(|process| {
            history
                .invoke(process, None, append(process), process)
                .expect("idle")
        })
        .collect();
    for (id, at_ns) in ids.into_iter().zip(20..) {
        history.complete(id, Outcome::Done, at_ns).expect("pending");
    }
    for (call, outcome) in [
        (Call::Write(Value::Int(1)), Outcome::Done),
        (Call::Read, Outcome::Read(Value::Int(2))),
    ] {
        let id = history.invoke(0, None, call, 50).expect("idle");
        history.complete(id, outcome, 51).expect("pending");
    }
    let judgement = judge(&history, Model::KeyValue, Budget::default()).expect("fits");
    assert_eq!(judgement.verdict, Verdict::NotLinearizable);
    assert!(judgement.steps() < 200_000, "{}", judgement.steps());
}
