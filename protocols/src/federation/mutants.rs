//! The federation with one gate open each: what the layers' invariants must be able to notice.
//!
//! The commonest failure of such systems is a gate that exists and that nobody calls. Must not be
//! used for anything but to be caught.

use super::injection::Direction;
use super::rules::Rules;
use super::sanitise::Action;
use super::terms::{Amount, Digest, Level, Scope};
use crate::identity::Identity;
use crate::time::LocalTime;

macro_rules! mutants {
    ($($(#[$doc:meta])* $name:ident { $($body:tt)* })*) => {
        $(
            $(#[$doc])*
            #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
            pub struct $name;

            impl Rules for $name {
                $($body)*
            }
        )*
        /// The names of all mutants.
        pub const NAMES: &[&str] = &[$(stringify!($name)),*];
    };
}

mutants! {
    /// Records about identities are believed unsigned.
    RecordsUnsigned {
        fn record_is_signed(_verified: bool) -> bool { true }
    }
    /// Anybody speaks for an organisation.
    RootsUnchecked {
        fn is_by_root(_signer_is_root: bool) -> bool { true }
    }
    /// Anybody can be made an heir.
    HeirsUnasked {
        fn heir_agrees(_verified: bool) -> bool { true }
    }
    /// A pin holds nobody off.
    PinsIgnored {
        fn pin_holds(_is_pinned: bool, _is_heir: bool) -> bool { true }
    }
    /// Of two heirs one is followed.
    DisputesIgnored {
        fn is_disputed(_claims: usize) -> bool { false }
    }
    /// Any organisation revokes any key.
    AnyoneRevokes {
        fn revocation_binds(_is_of_own_member: bool) -> bool { true }
    }
    /// Revocations are not looked at.
    RevocationsIgnored {
        fn revocation_binds(_is_of_own_member: bool) -> bool { false }
    }
    /// Whatever strangers say is kept.
    StrangersUnbounded {
        fn strangers_fit(_has_room: bool) -> bool { true }
    }
    /// The first holder of a nickname is who is meant.
    NicknamesIdentify {
        fn nickname_resolves(holders: usize) -> bool { holders > 0 }
    }    /// Envelopes of any size are taken.
    SizeUnchecked {
        fn size_fits(_bytes: usize, _bytes_max: usize) -> bool { true }
    }
    /// Whatever decodes is taken.
    SchemaUnchecked {
        fn schema_holds(_is_well_formed: bool) -> bool { true }
    }
    /// Envelopes are believed unsigned.
    SignaturesUnchecked {
        fn envelope_is_signed(_verified: bool) -> bool { true }
    }
    /// What is for others is taken too.
    AudienceUnchecked {
        fn is_for_receiver(_is_audience: bool) -> bool { true }
    }
    /// The channel says nothing about the source.
    SessionsUnchecked {
        fn is_of_session(_is_open: bool, _is_its_peer: bool) -> bool { true }
    }
    /// Envelopes never grow old.
    AgeUnchecked {
        fn is_fresh(_has_begun: bool, _has_ended: bool) -> bool { true }
    }
    /// Replays are taken.
    ReplaysTaken {
        fn may_be_taken(_was_seen: bool) -> bool { true }
    }
    /// Replays are forgotten in a restart.
    ReplaysForgotten {
        fn remembers_over_restart() -> bool { false }
    }
    /// The revoked act on.
    BarredAct {
        fn source_may_act(_is_barred: bool) -> bool { true }
    }
    /// The breaker stops nobody.
    BreakerUnasked {
        fn breaker_lets_through(_is_closed: bool) -> bool { true }
    }
    /// Content is not looked at.
    PolicyUnasked {
        fn policy_lets_through(_is_clean: bool) -> bool { true }
    }
    /// The gate exists and nobody calls it.
    GateUnasked {
        fn gate_lets_through(_is_authorised: bool) -> bool { true }
    }
    /// An action has its effect as often as it is asked for.
    ExecutedAgain {
        fn executes(_was_executed: bool) -> bool { true }
    }    /// What was not exposed is allowed too.
    AllowsByDefault {
        fn may_use(_is_exposed: bool) -> bool { true }
    }
    /// Any capability serves for any kind of action.
    KindsUnchecked {
        fn kind_may_use(_is_its_capability: bool) -> bool { true }
    }
    /// Every level suffices.
    LevelsUnchecked {
        fn level_suffices(_level: Level, _needed: Level) -> bool { true }
    }
    /// A session keeps the level at which it was opened.
    StaleSessions {
        fn level_in_session(at_opening: Level, _at_present: Level) -> Level { at_opening }
    }
    /// The sessions of whoever falls go on as they were opened.
    SessionsOutliveFalls {
        fn level_in_session(at_opening: Level, _at_present: Level) -> Level { at_opening }
        fn fall_ends_sessions(_has_fallen: bool) -> bool { false }
    }
    /// What was queued starts whatever has happened since.
    QueueUnchecked {
        fn judges_at_start() -> bool { false }
    }
    /// Grants are believed unsigned.
    GrantsUnsigned {
        fn grant_is_signed(_verified: bool) -> bool { true }
    }
    /// Grants never end.
    GrantsEternal {
        fn grant_is_valid(_has_expired: bool) -> bool { true }
    }
    /// Links need not belong together.
    LinksUnchecked {
        fn link_holds(_continues: bool) -> bool { true }
    }
    /// The grants of the revoked go on.
    IssuersUnchecked {
        fn party_stands(_is_current: bool) -> bool { true }
    }
    /// Chains are as long as one likes.
    DepthIgnored {
        fn may_hand_on(_depth: u8) -> bool { true }
    }
    /// Handing on does not use up depth.
    DepthKept {
        fn depth_after(_parent: u8, own: u8) -> u8 { own }
    }
    /// A delegate may get more than the delegator had.
    ScopeWidened {
        fn scope_after(_parent: &Scope, own: &Scope) -> Scope { own.clone() }
    }    /// Whoever a message names is charged with it.
    ClaimedSourceCharged {
        fn charged(_channel: Identity, claimed: Identity) -> Identity { claimed }
    }
    /// Nothing makes a peer fall.
    NobodyFalls {
        fn falls(_threats: usize, _is_badly_signed: bool) -> bool { false }
    }
    /// Levels are given for the asking.
    LevelsUnearned {
        fn earns_level(_score_suffices: bool, _interactions_suffice: bool) -> bool { true }
    }
    /// Nobody asks a human.
    HumansUnasked {
        fn human_agrees(_is_allowed: bool) -> bool { true }
    }
    /// A new name is a new start.
    WhitewashingAllowed {
        fn may_start_over(_has_fallen: bool) -> bool { true }
    }
    /// Cost does not trip the breaker.
    CostUnbounded {
        fn cost_trips(_is_over: bool) -> bool { false }
    }
    /// Failures do not trip the breaker.
    FailuresUnbounded {
        fn failures_trip(_is_over: bool) -> bool { false }
    }
    /// A suspended peer is asked again at once.
    NoCoolDown {
        fn cool_down_is_over(_is_over: bool) -> bool { true }
    }
    /// All come back together.
    NoJitter {
        fn jitters(_is_wanted: bool) -> bool { false }
    }
    /// Whoever was cut off stays out.
    EvictedForEver {
        fn may_return(_was_out_of_reach: bool) -> bool { false }
    }
    /// Whoever misbehaved comes back by itself.
    LiarsReturn {
        fn may_return(_was_out_of_reach: bool) -> bool { true }
    }
    /// Reservations are made whatever is left.
    OverspendingAllowed {
        fn reservation_fits(_fits: bool) -> bool { true }
    }
    /// Reservations check and take nothing out of sight.
    NothingSetAside {
        fn set_aside(_amount: Amount) -> Amount { Amount::ZERO }
    }
    /// Children get what they ask for.
    ChildrenUnbounded {
        fn child_fits(_fits: bool) -> bool { true }
    }
    /// Work that comes late is not paid.
    LateIsFree {
        fn is_charged(is_late: bool) -> bool { !is_late }
    }
    /// What a budget says is taken for money.
    KeeperUnasked {
        fn asks_keeper(_has_keeper: bool) -> bool { false }
    }
    /// Whoever copies a budget may spend it.
    CopiesAccepted {
        fn may_pay_with(_is_payer: bool) -> bool { true }
    }
    /// An action goes as far as it is handed on.
    HopsUnchecked {
        fn hops_fit(_fits: bool) -> bool { true }
    }
    /// A lease keeps nobody out.
    LeasesIgnored {
        fn lease_is_over(_is_over: bool) -> bool { true }
    }
    /// Every owner has the same epoch.
    EpochsStand {
        fn epoch_after(epoch: u64) -> u64 { epoch }
    }
    /// Anybody speaks for a resource.
    OwnersUnchecked {
        fn is_owner(_owns: bool) -> bool { true }
    }
    /// The fence lets everybody pass.
    FenceOpen {
        fn passes_fence(_is_recent: bool) -> bool { true }
    }
    /// A holder acts until the end of its lease and beyond.
    HoldersOverrun {
        fn holder_is_in_time(_ends_in_time: bool) -> bool { true }
    }
    /// Everything goes direct.
    NothingDecided {
        fn must_decide(_changes_shared_state: bool) -> bool { false }
    }
    /// Whoever proposes may do so in another's name.
    NamesBorrowed {
        fn may_propose(_is_own: bool) -> bool { true }
    }
    /// Anybody passes the seats of others on, or ends them.
    SeatsForTheTaking {
        fn may_reseat(_is_by_owner_or_root: bool) -> bool { true }
    }
    /// Ballots of other epochs count.
    EpochsUnchecked {
        fn ballot_is_of_epoch(_is_same: bool) -> bool { true }
    }
    /// Strangers vote.
    StrangersVote {
        fn voter_is_member(_is_member: bool) -> bool { true }
    }
    /// Ballots need no signature.
    BallotsUnsigned {
        fn ballot_is_signed(_verified: bool) -> bool { true }
    }
    /// A voter votes as often as it likes.
    VotesRepeat {
        fn ballot_counts(_has_voted: bool) -> bool { true }
    }
    /// A quorum of nobody is nothing.
    QuorumMayBeZero {
        fn quorum_of(votes: usize) -> usize { votes }
    }
    /// Half the votes decide.
    HalfDecides {
        fn quorum_of(votes: usize) -> usize { votes.div_ceil(2).max(1) }
    }
    /// Any certificate is taken.
    CertificatesUnchecked {
        fn certificate_holds(_is_valid: bool) -> bool { true }
    }
    /// Whoever answers is the one looked for.
    AnyoneAnswers {
        fn is_expected_peer(_is_expected: bool) -> bool { true }
    }
    /// Sessions outlive their time.
    SessionsEternal {
        fn session_is_over(_is_over: bool) -> bool { false }
    }
    /// Renewal knows no end.
    RenewedForEver {
        fn renewed_until(wanted: LocalTime, _longest: LocalTime) -> LocalTime { wanted }
    }
    /// JSON is read as if it were running text.
    StructureUnread {
        fn reads_structure() -> bool { false }
    }
    /// Names of fields say nothing.
    NamesUnread {
        fn reads_names() -> bool { false }
    }
    /// Each field is read on its own.
    FieldsUnjoined {
        fn joins_fields() -> bool { false }
    }
    /// Escapes are read as they stand.
    EscapesUndecoded {
        fn decodes_escapes() -> bool { false }
    }
    /// Characters of other width are other characters.
    WidthsUnfolded {
        fn folds_widths() -> bool { false }
    }
    /// Invisible characters part a word.
    InvisibleKept {
        fn drops_invisible() -> bool { false }
    }
    /// Blanks part a word, however many.
    SpacesKept {
        fn closes_up_spaces() -> bool { false }
    }
    /// What is encoded is not looked at.
    EncodingsUnopened {
        fn opens_encodings() -> bool { false }
    }
    /// Whatever is found passes.
    EverythingPasses {
        fn action_taken(_by_policy: Action) -> Action { Action::Pass }
    }
    /// What should be blocked is cut out instead, and the rest leaves.
    BlockedLeaves {
        fn refuses_blocked(_holds_blocked: bool) -> bool { false }
    }
    /// Check digits are not looked at.
    CardsUnchecked {
        fn card_holds(_check_digit_is_right: bool) -> bool { true }
    }
    /// A document for a roster is sanitised for its most trusted member.
    HighestOfRoster {
        fn level_of_roster(members: &[Level]) -> Level {
            members.iter().copied().max().unwrap_or(Level::Privileged)
        }
    }
    /// Whatever is suspected is handed on.
    ContentUnscreened {
        fn refuses_content(_direction: Direction, _weight: u32, _from: u32) -> bool { false }
    }
    /// What goes out is not screened.
    OutboundUnscreened {
        fn refuses_content(direction: Direction, weight: u32, from: u32) -> bool {
            direction == Direction::Inbound && weight >= from
        }
    }
    /// Records do not say what they follow.
    ChainCut {
        fn link_to(_hash: Digest) -> Digest { Digest([0; 32]) }
    }
    /// Effects come before their intents are durable.
    IntentAfterEffect {
        fn acts_after_intent(_is_durable: bool) -> bool { true }
    }
    /// Bytes leave before the sender's record is durable.
    RecordAfterSend {
        fn sends_after_record(_is_durable: bool) -> bool { true }
    }
    /// Refusals leave no record.
    RefusalsUnrecorded {
        fn records_refusals() -> bool { false }
    }
    /// A crash is passed over in silence.
    CrashUnmentioned {
        fn owns_up_after_crash() -> bool { false }
    }
    /// Anybody's word is kept as an answer.
    AnswersUnchecked {
        fn keeps_answer(_verified: bool) -> bool { true }
    }
    /// Heads are countersigned whoever signed them.
    HeadsUnchecked {
        fn witnesses_signed(_verified: bool) -> bool { true }
    }
    /// Heads are countersigned in any order.
    LogsShrink {
        fn witnesses_growth(_is_later: bool) -> bool { true }
    }
    /// What contradicts a signed head is passed over.
    ContradictionsIgnored {
        fn contradicts(_differs: bool) -> bool { false }
    }
}
