//! Every rule on which a guarantee of the federation rests, as one small named function.
//!
//! [`Strict`] is the federation. Another implementation that overrides one function is a federation
//! with one gate open: what checkers are measured against. Must not know how rules are applied.

use std::fmt::Debug;
use std::hash::Hash;

use super::injection::Direction;
use super::sanitise::Action;
use super::terms::{Amount, Digest, Level, Scope};
use crate::identity::Identity;
use crate::time::LocalTime;

crate::chosen::rules! {
by default Strict;

/// The rules of all layers. Defaults are the strict ones.
pub trait Rules: 'static + Clone + Copy + Debug + Default + Eq + Hash + Send + Sync {
    // Identity.

    /// Whether a record was signed by the key that it needs.
    fn record_is_signed(verified: bool) -> bool {
        verified
    }

    /// Whether only an organisation's root key speaks for the organisation.
    fn is_by_root(signer_is_root: bool) -> bool {
        signer_is_root
    }

    /// Whether an heir has agreed to succeed: nobody is made the heir of a bad name.
    fn heir_agrees(verified: bool) -> bool {
        verified
    }

    /// Whether a key may stand where another one was pinned: the same one or its heir.
    fn pin_holds(is_pinned: bool, is_heir: bool) -> bool {
        is_pinned || is_heir
    }

    /// Whether this many claims about what may be said once leave the matter open.
    fn is_disputed(claims: usize) -> bool {
        claims > 1
    }

    /// Whether a revocation counts: an organisation revokes its own members alone.
    fn revocation_binds(is_of_own_member: bool) -> bool {
        is_of_own_member
    }

    /// Whether a nickname with so many holders says who is meant. Names are for display.
    fn nickname_resolves(holders: usize) -> bool {
        holders == 1
    }

    /// Whether there is room for what a key says that nobody vouches for.
    fn strangers_fit(has_room: bool) -> bool {
        has_room
    }

    // Envelope.

    /// Whether bytes are within the size that a receiver takes.
    fn size_fits(bytes: usize, bytes_max: usize) -> bool {
        bytes <= bytes_max
    }

    /// Whether an envelope obeys the schema beyond its encoding.
    fn schema_holds(is_well_formed: bool) -> bool {
        is_well_formed
    }

    /// Whether an envelope's signature is right, and by the source that it names.
    fn envelope_is_signed(verified: bool) -> bool {
        verified
    }

    /// Whether an envelope is for the receiver.
    fn is_for_receiver(is_audience: bool) -> bool {
        is_audience
    }

    /// Whether an envelope came in the session that it names, from the peer of that session.
    fn is_of_session(is_open: bool, is_its_peer: bool) -> bool {
        is_open && is_its_peer
    }

    /// Whether an envelope is of the present, as far as clocks agree.
    fn is_fresh(has_begun: bool, has_ended: bool) -> bool {
        has_begun && !has_ended
    }

    /// Whether an envelope may be taken although one like it was seen.
    fn may_be_taken(was_seen: bool) -> bool {
        !was_seen
    }

    /// Whether replays are remembered over a restart.
    fn remembers_over_restart() -> bool {
        true
    }

    /// Whether a source may act at all, as far as revocations go.
    fn source_may_act(is_barred: bool) -> bool {
        !is_barred
    }

    /// Whether the breaker lets a source through.
    fn breaker_lets_through(is_closed: bool) -> bool {
        is_closed
    }

    /// Whether the policy on content lets a payload through.
    fn policy_lets_through(is_clean: bool) -> bool {
        is_clean
    }

    /// Whether what authorisation says is done.
    fn gate_lets_through(is_authorised: bool) -> bool {
        is_authorised
    }

    /// Whether an action has its effect now, given whether it had it before.
    fn executes(was_executed: bool) -> bool {
        !was_executed
    }

    // Authorisation.

    /// Whether a party may use a capability: only if it was exposed to it.
    fn may_use(is_exposed: bool) -> bool {
        is_exposed
    }

    /// Whether an action names the capability that its kind needs.
    fn kind_may_use(is_its_capability: bool) -> bool {
        is_its_capability
    }

    /// Whether a peer of this level may do what needs that level.
    fn level_suffices(level: Level, needed: Level) -> bool {
        level >= needed
    }

    /// At which level the peer of an open session acts.
    fn level_in_session(at_opening: Level, at_present: Level) -> Level {
        let _ = at_opening;
        at_present
    }

    /// Whether queued work is judged once more when it starts.
    fn judges_at_start() -> bool {
        true
    }

    /// Whether a grant was signed by its issuer.
    fn grant_is_signed(verified: bool) -> bool {
        verified
    }

    /// Whether a grant is still valid.
    fn grant_is_valid(has_expired: bool) -> bool {
        !has_expired
    }

    /// Whether a grant continues the chain: it names its parent and was issued by its subject.
    fn link_holds(continues: bool) -> bool {
        continues
    }

    /// Whether whoever issued a grant, or acts by one, still may.
    fn party_stands(is_current: bool) -> bool {
        is_current
    }

    /// Whether a grant with so many further links may be handed on.
    fn may_hand_on(depth: u8) -> bool {
        depth > 0
    }

    /// How many links may follow a grant of depth `own` under a parent of depth `parent`.
    fn depth_after(parent: u8, own: u8) -> u8 {
        own.min(parent.saturating_sub(1))
    }

    /// What a grant allows under its parent: what both allow.
    fn scope_after(parent: &Scope, own: &Scope) -> Scope {
        parent.intersect(own)
    }
    // Trust.

    /// Who is charged with what came over a channel: whoever the channel authenticated.
    fn charged(channel: Identity, claimed: Identity) -> Identity {
        let _ = claimed;
        channel
    }

    /// Whether a peer falls to level 0 at once.
    fn falls(threats_within_window: usize, is_badly_signed: bool) -> bool {
        threats_within_window >= 2 || is_badly_signed
    }

    /// Whether a level is earned.
    fn earns_level(score_suffices: bool, interactions_suffice: bool) -> bool {
        score_suffices && interactions_suffice
    }

    /// Whether a rise that needs a human has one.
    fn human_agrees(is_allowed: bool) -> bool {
        is_allowed
    }

    /// Whether a newcomer starts at level 1, given whether somebody of its organisation fell.
    fn may_start_over(has_fallen: bool) -> bool {
        !has_fallen
    }

    // Breaker.

    /// Whether the cost of a peer trips its breaker.
    fn cost_trips(is_over: bool) -> bool {
        is_over
    }

    /// Whether the failures of a peer trip its breaker.
    fn failures_trip(is_over: bool) -> bool {
        is_over
    }

    /// Whether a suspended peer may be probed.
    fn cool_down_is_over(is_over: bool) -> bool {
        is_over
    }

    /// Whether cool-downs are spread.
    fn jitters(is_wanted: bool) -> bool {
        is_wanted
    }

    /// Whether an evicted peer may return by itself.
    fn may_return(was_out_of_reach: bool) -> bool {
        was_out_of_reach
    }

    // Budget.

    /// Whether a reservation is made.
    fn reservation_fits(fits: bool) -> bool {
        fits
    }

    /// What a reservation takes out of sight before the work begins.
    fn set_aside(amount: Amount) -> Amount {
        amount
    }

    /// Whether a child account is opened.
    fn child_fits(fits: bool) -> bool {
        fits
    }

    /// Whether work is charged although its reservation has expired.
    fn is_charged(is_late: bool) -> bool {
        let _ = is_late;
        true
    }

    /// Whether the keeper of an account is asked before anything is spent on it.
    fn asks_keeper(has_keeper: bool) -> bool {
        has_keeper
    }

    /// Whether an action may name the account that it names: its source was given that account.
    fn may_pay_with(is_payer: bool) -> bool {
        is_payer
    }

    /// Whether an action is handed on no further than it may be.
    fn hops_fit(fits: bool) -> bool {
        fits
    }

    // Ownership.

    /// Whether a lease is over by every honest clock.
    fn lease_is_over(is_over: bool) -> bool {
        is_over
    }

    /// The epoch of the owner after one of this epoch.
    fn epoch_after(epoch: u64) -> u64 {
        epoch + 1
    }

    /// Whether whoever speaks for a resource owns it.
    fn is_owner(owns: bool) -> bool {
        owns
    }

    /// Whether an effect passes the fence.
    fn passes_fence(is_recent: bool) -> bool {
        is_recent
    }

    /// Whether a holder begins what it might not end in time.
    fn holder_is_in_time(ends_in_time: bool) -> bool {
        ends_in_time
    }

    // Routing.

    /// Whether an action must be decided together.
    fn must_decide(changes_shared_state: bool) -> bool {
        changes_shared_state
    }

    /// Whether a proposal counts, given whether it is in the name of whoever put it.
    fn may_propose(is_own: bool) -> bool {
        is_own
    }

    /// Whether the roster follows what is said of a key, given whether its owner or its organisation
    /// says so.
    fn may_reseat(is_by_owner_or_root: bool) -> bool {
        is_by_owner_or_root
    }

    /// Whether a ballot is of the roster that is asked.
    fn ballot_is_of_epoch(is_same: bool) -> bool {
        is_same
    }

    /// Whether a voter is of the roster.
    fn voter_is_member(is_member: bool) -> bool {
        is_member
    }

    /// Whether a ballot was signed by its voter.
    fn ballot_is_signed(verified: bool) -> bool {
        verified
    }

    /// Whether a ballot counts, given whether its voter voted before.
    fn ballot_counts(has_voted: bool) -> bool {
        !has_voted
    }

    /// How many votes decide; never none.
    fn quorum_of(votes: usize) -> usize {
        votes.max(1)
    }

    // Reading content.

    /// Whether JSON is read as JSON, also inside a string.
    fn reads_structure() -> bool {
        true
    }

    /// Whether the name of a field says what its value is.
    fn reads_names() -> bool {
        true
    }

    /// Whether neighbouring fields are read together: a secret may be split over them.
    fn joins_fields() -> bool {
        true
    }

    /// Whether escapes are decoded.
    fn decodes_escapes() -> bool {
        true
    }

    /// Whether characters of other width and look-alikes are read as what they look like.
    fn folds_widths() -> bool {
        true
    }

    /// Whether invisible characters are passed over.
    fn drops_invisible() -> bool {
        true
    }

    /// Whether spaced-out words are closed up.
    fn closes_up_spaces() -> bool {
        true
    }

    /// Whether base64 and hex are opened.
    fn opens_encodings() -> bool {
        true
    }

    // Sanitisation.

    /// What is done about a finding: what the policy says.
    fn action_taken(by_policy: Action) -> Action {
        by_policy
    }

    /// Whether a document with something to be blocked in it is refused as a whole.
    fn refuses_blocked(holds_blocked: bool) -> bool {
        holds_blocked
    }

    /// Whether a number can be a card: its check digit is right (ISO/IEC 7812, annex B).
    fn card_holds(check_digit_is_right: bool) -> bool {
        check_digit_is_right
    }

    /// The level that a document for a whole roster is sanitised for: the lowest of its members.
    fn level_of_roster(members: &[Level]) -> Level {
        members.iter().copied().min().unwrap_or(Level::Untrusted)
    }

    // Screening for injections.

    /// Whether a document of this weight is refused on its way: from the threshold on, both ways.
    fn refuses_content(direction: Direction, weight: u32, from: u32) -> bool {
        let _ = direction;
        weight >= from
    }

    // Audit.

    /// What a record says of the one before it: its hash.
    fn link_to(hash: Digest) -> Digest {
        hash
    }

    /// Whether an effect may come: only once its intent is durable.
    fn acts_after_intent(is_durable: bool) -> bool {
        is_durable
    }

    /// Whether a first byte may leave: only once the sender's record is durable.
    fn sends_after_record(is_durable: bool) -> bool {
        is_durable
    }

    /// Whether refusals are recorded as well.
    fn records_refusals() -> bool {
        true
    }

    /// Whether a peer says after a crash which outcomes it does not know.
    fn owns_up_after_crash() -> bool {
        true
    }

    /// Whether an answer is kept: it is signed by whoever was asked.
    fn keeps_answer(verified: bool) -> bool {
        verified
    }

    /// Whether a head may be countersigned: its owner signed it.
    fn witnesses_signed(verified: bool) -> bool {
        verified
    }

    /// Whether a head may be countersigned after a later one was: logs only grow.
    fn witnesses_growth(is_later: bool) -> bool {
        is_later
    }

    /// Whether a log that differs from what its owner signed is a finding.
    fn contradicts(differs: bool) -> bool {
        differs
    }

    // Transport.

    /// Whether a certificate is signed by a root that is believed, and valid now.
    fn certificate_holds(is_valid: bool) -> bool {
        is_valid
    }

    /// Whether the other side is the one that was looked for.
    fn is_expected_peer(is_expected: bool) -> bool {
        is_expected
    }

    /// Whether a session whose time is over ends.
    fn session_is_over(is_over: bool) -> bool {
        is_over
    }

    /// Whether the open sessions of a peer end, given whether it is trusted less far than before.
    fn fall_ends_sessions(has_fallen: bool) -> bool {
        has_fallen
    }

    /// Until when a renewed session lives: never beyond its longest life.
    fn renewed_until(wanted: LocalTime, longest: LocalTime) -> LocalTime {
        wanted.min(longest)
    }
}
}

/// The federation as it should be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Strict;

impl Rules for Strict {}
