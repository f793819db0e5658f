//! What handling an input costs, and the queue in front of a peer's processor.
//!
//! The engine asks when an input can be handled, has it handled then, and pays for the work that
//! was done; outputs leave when it is paid. Must not know what the work is for.

use fedsim_protocols::SimDuration;
use fedsim_scenarios::spec::CpuSpec;

use crate::time::SimTime;

/// What one input made a peer do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Work {
    /// Messages handled: 1 for a delivery, 0 for a timer.
    pub messages: u32,
    /// Bytes of the message handled.
    pub bytes: u32,
    /// Messages sent.
    pub sends: u32,
    /// Signatures made.
    pub signatures: u32,
    /// Signatures verified.
    pub verifications: u32,
}

/// What `work` takes on a processor of `spec`, the slowing of a fault left out.
pub fn cost(spec: &CpuSpec, work: &Work) -> SimDuration {
    spec.per_message * u64::from(work.messages)
        + spec.per_kib.scale(u64::from(work.bytes), 1_024)
        + spec.per_send * u64::from(work.sends)
        + spec.per_signature * u64::from(work.signatures)
        + spec.per_verification * u64::from(work.verifications)
}

/// One peer's processor: does one thing after the other, in order of arrival.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cpu {
    busy_until: SimTime,
    per_input: SimDuration,
}

impl Cpu {
    /// When what arrives at `arrived` is begun.
    #[inline]
    pub fn begins(&self, arrived: SimTime) -> SimTime {
        arrived.max(self.busy_until)
    }

    /// Pays for `work` that was begun at `begun`; gives when it is done.
    #[inline]
    pub fn spend(&mut self, spec: &CpuSpec, begun: SimTime, work: &Work) -> SimTime {
        self.busy_until = begun.max(self.busy_until) + cost(spec, work) + self.per_input;
        self.busy_until
    }

    /// True if nothing is ever queued: every cost is zero.
    pub fn is_free(&self, spec: &CpuSpec) -> bool {
        *spec == CpuSpec::default() && self.per_input.is_zero()
    }

    /// From now on every input takes so much longer; zero for none.
    pub fn slow(&mut self, per_input: SimDuration) {
        self.per_input = per_input;
    }

    /// Forgets what was queued: a crash does.
    pub fn crash(&mut self) {
        self.busy_until = SimTime::ZERO;
    }
}
