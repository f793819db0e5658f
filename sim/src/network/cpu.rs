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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::fixture::ms;

    const SPEC: CpuSpec = CpuSpec {
        per_message: SimDuration::from_millis(2),
        per_send: SimDuration::from_millis(1),
        per_kib: SimDuration::from_millis(4),
        per_signature: SimDuration::from_millis(10),
        per_verification: SimDuration::from_millis(20),
    };

    fn at(millis: u64) -> SimTime {
        SimTime::from(ms(millis))
    }

    const DELIVERY: Work = Work {
        messages: 1,
        bytes: 0,
        sends: 0,
        signatures: 0,
        verifications: 0,
    };

    #[test]
    fn a_cost_is_the_sum_of_its_parts() {
        // 2 + 512/1,024 of 4 + 3 * 1 + 10 + 2 * 20, in milliseconds.
        let work = Work {
            messages: 1,
            bytes: 512,
            sends: 3,
            signatures: 1,
            verifications: 2,
        };
        assert_eq!(cost(&SPEC, &work), ms(57));
        assert_eq!(cost(&SPEC, &Work::default()), SimDuration::ZERO);
    }

    #[test]
    fn work_queues_up_in_order_of_arrival() {
        // Three messages at 0, 1 and 9 ms at 2 ms each: done at 2, 4 and, after a pause, 11.
        let mut cpu = Cpu::default();
        let mut done = Vec::new();
        for arrived in [0, 1, 9] {
            let begun = cpu.begins(at(arrived));
            done.push((begun, cpu.spend(&SPEC, begun, &DELIVERY)));
        }
        assert_eq!(done, [(at(0), at(2)), (at(2), at(4)), (at(9), at(11))]);
    }

    #[test]
    fn slowness_is_added_to_every_input_and_taken_away_again() {
        let mut cpu = Cpu::default();
        cpu.slow(ms(5));
        assert_eq!(cpu.spend(&CpuSpec::default(), at(0), &DELIVERY), at(5));
        assert!(!cpu.is_free(&CpuSpec::default()));
        cpu.slow(SimDuration::ZERO);
        assert!(cpu.is_free(&CpuSpec::default()));
        assert_eq!(cpu.spend(&CpuSpec::default(), at(7), &DELIVERY), at(7));
    }

    #[test]
    fn a_crash_empties_the_queue() {
        let mut cpu = Cpu::default();
        cpu.spend(&SPEC, at(0), &DELIVERY);
        cpu.crash();
        assert_eq!(cpu.begins(at(1)), at(1));
    }
}
