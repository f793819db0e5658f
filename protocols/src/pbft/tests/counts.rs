//! How many messages and delays the normal case costs.

use super::*;

/// Pre-prepares, prepares, commits and replies of one request.
fn cost_of_one_request(n: u32, silent: u32) -> [u64; 4] {
    let mut group = Group::new(n, 1, PbftConfig::default());
    let counted = group.count_without(n - silent..n);
    group.ask(0, write(1, b"a"));
    group.run_ms(200);
    assert_eq!(group.table.replies.len(), 1);
    let counted = counted.borrow();
    let of = |kind| counted.get(kind).copied().unwrap_or(0);
    ["pre-prepare", "prepare", "commit", "reply"].map(of)
}

#[test]
fn a_request_costs_what_the_literature_counts() {
    // n-1 pre-prepares, (n-1)^2 prepares, n(n-1) commits, n replies: 24, 84, 180, 312 in between.
    let between = [4, 7, 10, 13].map(|n| {
        let n64 = u64::from(n);
        let cost = cost_of_one_request(n, 0);
        let formula = [n64 - 1, (n64 - 1) * (n64 - 1), n64 * (n64 - 1), n64];
        assert_eq!(cost, formula, "n = {n}");
        cost[..3].iter().sum::<u64>()
    });
    assert_eq!(between, [24, 84, 180, 312]);
}

#[test]
fn silent_backups_cost_only_their_own_messages() {
    // (n-1) + (n-1-s)(n-1) + (n-s)(n-1) for every number of silent backups that f allows.
    for n in [4, 7, 10, 13] {
        for s in 1..=(n - 1) / 3 {
            let (n64, s64) = (u64::from(n), u64::from(s));
            let formula = [
                n64 - 1,
                (n64 - 1 - s64) * (n64 - 1),
                (n64 - s64) * (n64 - 1),
                n64 - s64,
            ];
            assert_eq!(cost_of_one_request(n, s), formula, "n = {n}, s = {s}");
        }
    }
}

#[test]
fn a_reply_takes_five_delays_whatever_the_size() {
    // Request, pre-prepare, prepare, commit, reply: accepted at exactly 50 ms and not before.
    for n in [1, 4, 5, 6, 8, 9, 10] {
        let mut group = Group::new(n, 1, PbftConfig::default());
        group.ask(0, write(1, b"a"));
        group.run_ms(500);
        let accepted = group.table.events.iter().find_map(|(at, _, event)| {
            matches!(event, PbftEvent::ReplyAccepted { .. }).then_some(*at)
        });
        // A replica alone has nobody to wait for: request and reply.
        let delays = if n == 1 { 2 } else { 5 };
        assert_eq!(
            accepted,
            Some(LocalTime::default() + DELAY * delays),
            "n = {n}"
        );
    }
}

#[test]
fn a_batch_of_requests_costs_as_much_as_one() {
    // 8 clients ask at once with one batch in flight: the first alone, the others together.
    let config = PbftConfig {
        batch_max: 16,
        pipeline: 1,
        ..PbftConfig::default()
    };
    let mut group = Group::new(4, 8, config);
    (0..8).for_each(|client| group.ask(client, write(1, b"a")));
    group.run_ms(300);
    assert_eq!(group.table.replies.len(), 8);
    assert_eq!(
        ["pre-prepare", "prepare", "commit", "reply"].map(|kind| group.sent(kind)),
        [2 * 3, 2 * 9, 2 * 12, 8 * 4]
    );
    assert_eq!(group.executions(3).len(), 8);
    assert_eq!(group.replica(3).last_executed(), Sequence(2));
}

#[test]
fn nothing_else_is_sent_while_all_goes_well() {
    // Over 12 requests with a checkpoint every 4: only the named kinds, n(n-1) checkpoints per K.
    let mut group = Group::new(4, 1, short_window());
    group.write_many(12);
    group.run_ms(3_000);
    let sent = group.take_sent();
    let kinds: Vec<_> = sent.keys().copied().collect();
    assert_eq!(
        kinds,
        [
            "checkpoint",
            "commit",
            "pre-prepare",
            "prepare",
            "reply",
            "request"
        ]
    );
    assert_eq!(sent["checkpoint"], 3 * 12);
    assert_eq!(sent["request"], 12);
    assert_eq!(group.count(|event| event.name() == "rejected"), 0);
}

#[test]
fn messages_stay_within_a_cache_line() {
    // They are stored inline in queues; a larger one would slow every queue down.
    assert!(std::mem::size_of::<PbftMessage>() <= 64);
}
