//! Random weather, then calm: agreement throughout, and everybody served in the end.

use super::*;
use crate::random::{Probability, RunKey, Stream, StreamLabel};

/// What the network does during the storm.
struct Weather {
    dice: Stream,
    loss: Probability,
    /// The two sides of a cut; equal sides hear each other.
    side: Vec<u64>,
    /// Replicas from which nobody ever hears again.
    dead: BTreeSet<u32>,
    calm: bool,
}

impl Weather {
    fn carries(&mut self, from: PeerId, to: PeerId) -> bool {
        let dead = self.dead.contains(&from.0);
        let cut = self.side[from.index()] != self.side[to.index()];
        let lost = self.dice.chance(self.loss);
        !dead && (self.calm || (!cut && !lost))
    }
}

fn random_config(dice: &mut Stream) -> PbftConfig {
    PbftConfig {
        batch_max: 1 + dice.below(4) as usize,
        tentative: dice.below(3) == 0,
        read_only: dice.below(3) == 0,
        client_multicasts: dice.below(3) == 0,
        minimum_rate: (dice.below(4) == 0).then(MinimumRate::default),
        max_timeout: SimDuration::from_secs(8),
        ..short_window()
    }
}

fn operation(dice: &mut Stream) -> Operation {
    let key = dice.below(3);
    match dice.below(3) {
        0 => read(key),
        1 => write(key, &[dice.below(256) as u8]),
        _ => Operation::Append {
            key,
            value: vec![dice.below(256) as u8],
        },
    }
}

/// One run: 20 s of loss, cuts and restarts with at most f dead, then up to 120 s of calm.
fn run<R: Rules>(seed: u64) -> Result<(), String> {
    let label = StreamLabel::global("test/pbft");
    let mut dice = Stream::new(RunKey::from_seed(seed), label);
    let n = 4 + dice.below(7) as u32;
    let clients = 3;
    let config = random_config(&mut dice);
    let mut group = Group::<R>::with_rules(n, clients, config);
    let dead = (0..group.roster.f()).map(|_| dice.below(u64::from(n)) as u32);
    let weather = Rc::new(RefCell::new(Weather {
        dead: dead.collect(),
        loss: Probability::from_f64([0.0, 0.05, 0.3][dice.below(3) as usize]).unwrap(),
        side: vec![0; (n + clients) as usize],
        calm: false,
        dice: Stream::new(RunKey::from_seed(seed ^ 1), label),
    }));
    let sky = Rc::clone(&weather);
    group
        .table
        .carry_if(move |from, to, _| sky.borrow_mut().carries(from, to));
    for _ in 0..10 {
        for client in 0..clients {
            (0..3).for_each(|_| group.ask(client, operation(&mut dice)));
        }
        let cut = dice.below(2) == 0;
        for side in &mut weather.borrow_mut().side {
            *side = if cut { dice.below(2) } else { 0 };
        }
        if dice.below(3) == 0 {
            group.restart(dice.below(u64::from(n)) as u32);
        }
        group.run_ms(1_000 + dice.below(2_000));
    }
    weather.borrow_mut().calm = true;
    let wanted = clients as usize * 30;
    for _ in 0..120 {
        if group.table.replies.len() == wanted {
            break;
        }
        group.run_ms(1_000);
    }
    if let Some(sequence) = group.disagreement() {
        return Err(format!("seed {seed}: disagreement at {sequence}"));
    }
    if group.table.replies.len() < wanted {
        let (got, views) = (group.table.replies.len(), group.views());
        return Err(format!(
            "seed {seed}, n = {n}: {got} of {wanted} replies, views {views:?}"
        ));
    }
    Ok(())
}

#[test]
fn agreement_always_and_service_once_the_weather_is_calm() {
    // Safety at every seed, and liveness within 120 s of calm, eight times the largest timeout
    // and more: a request that is still unanswered then would wait for ever.
    let failures: Vec<String> = (0..60)
        .filter_map(|seed| run::<Paper>(seed).err())
        .collect();
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}
