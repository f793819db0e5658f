//! Agreement arithmetic, right for every group size. Must not know any protocol.

/// Votes that any two of which share a member: floor(n/2) + 1, and never 0.
pub const fn majority(n: usize) -> usize {
    n / 2 + 1
}

/// The largest number of Byzantine members that agreement among `n` survives: floor((n-1)/3).
pub const fn max_faulty(n: usize) -> usize {
    n.saturating_sub(1) / 3
}

/// Votes any two of which share an honest member: ceil((n+f+1)/2) with f = floor((n-1)/3).
///
/// The papers' 2f+1 equals it only where n = 3f+1; at n = 5, 6, 8, 9 it is larger.
pub const fn byzantine_quorum(n: usize) -> usize {
    (n + max_faulty(n) + 2) / 2
}

/// How many colluders suffice to break agreement: 2q - n with q the Byzantine quorum.
pub const fn colluders_to_fork(n: usize) -> usize {
    2 * byzantine_quorum(n) - n
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_byzantine_quorums_share_an_honest_member_and_the_honest_reach_one() {
        // The two properties that define the quorum, for every size, not the formula again.
        for n in 1..200 {
            let (f, q) = (max_faulty(n), byzantine_quorum(n));
            assert!(2 * q - n > f, "n = {n}: quorums may meet in liars only");
            assert!(q <= n - f, "n = {n}: the honest alone cannot decide");
            assert!(3 * f < n);
        }
    }

    #[test]
    fn quorums_of_small_groups_are_those_of_the_literature() {
        let quorums: Vec<usize> = (4..=10).map(byzantine_quorum).collect();
        assert_eq!(quorums, [3, 4, 4, 5, 6, 6, 7]);
        assert_eq!([4, 5, 7, 8].map(colluders_to_fork), [2, 3, 3, 4]);
    }
}
