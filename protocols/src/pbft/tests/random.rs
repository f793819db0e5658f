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
    /// What the dead overheard, for lies; some of the last messages.
    overheard: Vec<PbftMessage>,
}

impl Weather {
    fn carries(&mut self, from: PeerId, to: PeerId, message: &PbftMessage) -> bool {
        if self.overheard.len() >= 64 {
            let place = self.dice.below(64) as usize;
            self.overheard.swap_remove(place);
        }
        self.overheard.push(message.clone());
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

/// One of the dead tells somebody a small change of what it overheard, signed by itself.
fn tell_a_lie<R: Rules>(group: &mut Group<R>, weather: &RefCell<Weather>, dice: &mut Stream) {
    let weather = weather.borrow();
    let liars: Vec<u32> = weather.dead.iter().copied().collect();
    if weather.overheard.is_empty() || liars.is_empty() {
        return;
    }
    let liar = liars[dice.below(liars.len() as u64) as usize];
    let heard = weather.overheard.len() as u64;
    let pick = |dice: &mut Stream| weather.overheard[dice.below(heard) as usize].clone();
    let (message, other) = (pick(dice), pick(dice));
    let to = dice.below(u64::from(group.n)) as u32;
    drop(weather);
    let lie = lie(liar, message, &other, dice);
    group.hand(liar, to, lie);
}

fn nudged(number: u64, dice: &mut Stream) -> u64 {
    (number + dice.below(3)).saturating_sub(1)
}

fn digest_of(message: &PbftMessage) -> Option<Digest> {
    match message {
        PbftMessage::PrePrepare { pre_prepare, .. } => Some(pre_prepare.digest),
        PbftMessage::Prepare { prepare } => Some(prepare.digest),
        PbftMessage::Commit { commit } => Some(commit.digest),
        PbftMessage::Checkpoint { checkpoint } => Some(checkpoint.digest),
        _ => None,
    }
}

/// View or sequence number one off, another message's digest, certificates left out; other kinds
/// are replayed as they were.
fn lie(liar: u32, message: PbftMessage, other: &PbftMessage, dice: &mut Stream) -> PbftMessage {
    let replica = ReplicaId(liar as u16);
    let digest = digest_of(other);
    match message {
        PbftMessage::PrePrepare { pre_prepare, batch } => {
            let mut content = pre_prepare.content().clone();
            content.view = View(nudged(content.view.0, dice));
            content.sequence = Sequence(nudged(content.sequence.0, dice));
            let pre_prepare = sign(liar, content);
            PbftMessage::PrePrepare { pre_prepare, batch }
        }
        PbftMessage::Prepare { prepare } => {
            let mut content = prepare.content().clone();
            content.replica = replica;
            content.view = View(nudged(content.view.0, dice));
            content.digest = digest.unwrap_or(content.digest);
            let prepare = sign(liar, content);
            PbftMessage::Prepare { prepare }
        }
        PbftMessage::Commit { commit } => {
            let mut content = commit.content().clone();
            content.replica = replica;
            content.sequence = Sequence(nudged(content.sequence.0, dice));
            content.digest = digest.unwrap_or(content.digest);
            let commit = sign(liar, content);
            PbftMessage::Commit { commit }
        }
        PbftMessage::Checkpoint { checkpoint } => {
            let mut content = checkpoint.content().clone();
            content.replica = replica;
            content.digest = digest.unwrap_or(content.digest);
            let checkpoint = sign(liar, content);
            PbftMessage::Checkpoint { checkpoint }
        }
        PbftMessage::ViewChange { view_change } => {
            let mut content = view_change.content().clone();
            content.replica = replica;
            content.view = View(nudged(content.view.0, dice));
            content.prepared.truncate(dice.below(3) as usize);
            let view_change = sign(liar, content);
            PbftMessage::ViewChange { view_change }
        }
        PbftMessage::NewView { new_view } => {
            let mut content = new_view.content().clone();
            content.view = View(nudged(content.view.0, dice));
            content.pre_prepares.truncate(dice.below(3) as usize);
            let new_view = sign(liar, content);
            PbftMessage::NewView { new_view }
        }
        replayed => replayed,
    }
}

/// One run: 10 s of loss, cuts, restarts and the lies of at most f colluders, who are otherwise
/// silent; then up to 120 s of calm.
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
        overheard: Vec::new(),
        dice: Stream::new(RunKey::from_seed(seed ^ 1), label),
    }));
    let sky = Rc::clone(&weather);
    group
        .table
        .carry_if(move |from, to, message| sky.borrow_mut().carries(from, to, message));
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
        for _ in 0..1 + dice.below(40) {
            tell_a_lie(&mut group, &weather, &mut dice);
            group.run_ms(dice.below(100));
        }
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
    let failures: Vec<String> = (0..100)
        .filter_map(|seed| run::<Paper>(seed).err())
        .collect();
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}
