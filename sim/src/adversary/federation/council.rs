//! What a liar puts to the council across organisations as a client of it, under its own signature.

use fedsim_protocols::PeerId;
use fedsim_protocols::federation::identity::IdentityRecord;
use fedsim_protocols::federation::rules::Rules;
use fedsim_protocols::pbft::{Operation, PbftMessage, Request, Timestamp};
use fedsim_protocols::stack::{Load, Proposal, StackPeer};

use super::StackMeans;
use super::actions::{pick, say};

/// Numbers of proposals that no user of a peer reaches.
const INVENTED: u64 = 1 << 40;

/// Proposes something in the name of another.
pub(super) fn propose_for_another<R: Rules>(
    machine: &mut StackPeer<R>,
    means: &mut StackMeans<'_, R>,
) {
    for _ in 0..means.settings.amount() {
        let Some(proposer) = pick(&means.targets(), means) else {
            return;
        };
        let number = INVENTED | means.dice.below(INVENTED);
        let content = b"borrowed".to_vec();
        let proposal = Proposal {
            proposer,
            number,
            content,
        };
        let value = proposal.bytes();
        put(Operation::Enter { value }, machine, means);
    }
}

/// Wants the roster to follow a record.
pub(super) fn rekey<R: Rules>(
    record: &IdentityRecord,
    machine: &mut StackPeer<R>,
    means: &mut StackMeans<'_, R>,
) {
    let proof = borsh::to_vec(record).expect("writing to memory does not fail");
    put(Operation::Rekey { proof }, machine, means);
}

/// Asks everybody, as a client does who got no answer from the primary. What its machine asks for later
/// is older than this, and stays undone.
fn put<R: Rules>(operation: Operation, machine: &mut StackPeer<R>, means: &mut StackMeans<'_, R>) {
    let timestamp = Timestamp(means.now.as_nanos().unsigned_abs());
    let request = means.sign(Request {
        client: means.me,
        timestamp,
        operation,
        read_only: false,
    });
    let others: Vec<PeerId> = means.others.to_vec();
    for to in others {
        let message = PbftMessage::Request {
            request: request.clone(),
        };
        say(to, machine, means, |_, _| Some(Load::Pbft { message }));
    }
}
