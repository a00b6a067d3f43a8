//! A machine whose runs vary as those that were measured.

use rand::{SeedableRng, rngs::Xoshiro256PlusPlus};
use rand_distr::{Distribution, StandardNormal};

use crate::verdict::{Block, BlockState, Comparison, End, Pair, Plan, Sample, ServerMicros, Stage};

/// Coefficients of variation of single runs of 1.5 s, measured in 60 rounds on two shared
/// cores: throughput, median, 99th percentile.
const VARIATION: [f64; 3] = [0.018, 0.013, 0.14];

/// The part of their variance that whole blocks share. With it, unpaired tests of equal
/// servers come out at p < .05 in 1.8 of 100 comparisons, as was measured, not in 5.
const SHARED: f64 = 0.3;

/// How much of a block's drift is left in the next.
const PERSISTENCE: f64 = 0.8;

/// What a side does beside the other, as ratios.
#[derive(Debug, Clone, Copy)]
pub(super) struct Effect {
    pub(super) throughput: f64,
    pub(super) p50: f64,
    pub(super) p99: f64,
}

impl Effect {
    pub(super) const NONE: Self = Self::latency(1.0);
    /// As measured: throughput falls by 3.9 %, for the client's own time stays.
    pub(super) const SERVICE_5: Self = Self {
        throughput: 0.961,
        ..Self::latency(1.05)
    };
    pub(super) const SERVICE_2: Self = Self {
        throughput: 0.984,
        ..Self::latency(1.02)
    };
    pub(super) const SERVICE_10: Self = Self {
        throughput: 0.925,
        ..Self::latency(1.10)
    };

    pub(super) const fn latency(ratio: f64) -> Self {
        Self {
            throughput: 1.0 / ratio,
            p50: ratio,
            p99: ratio,
        }
    }
}

pub(super) struct Machine {
    random: Xoshiro256PlusPlus,
    drift: [f64; 3],
}

impl Machine {
    pub(super) fn new(seed: u64) -> Self {
        let mut machine = Self {
            random: Xoshiro256PlusPlus::seed_from_u64(seed),
            drift: [0.0; 3],
        };
        machine.drift = machine.draw();
        machine
    }

    /// Runs in pairs, with the effect on `b`.
    pub(super) fn pairs(&mut self, count: usize, effect: Effect) -> Vec<(Sample, Sample)> {
        let pair = |_| {
            let moved = self.draw();
            for (drift, moved) in self.drift.iter_mut().zip(moved) {
                *drift = PERSISTENCE * *drift + (1.0 - PERSISTENCE * PERSISTENCE).sqrt() * moved;
            }
            (self.run(Effect::NONE), self.run(effect))
        };
        (0..count).map(pair).collect()
    }

    /// Runs in pairs with the server's stages, where `b` takes longer in one of them.
    pub(super) fn staged(&mut self, count: usize, slow: Stage, by: f64) -> Vec<(Sample, Sample)> {
        let mut pairs = self.pairs(count, Effect::NONE);
        for (a, b) in &mut pairs {
            self.stages(a, slow, 0.0);
            self.stages(b, slow, by);
        }
        pairs
    }

    /// Splits the run's median over the stages in the shares that Triton showed with 64
    /// connections, each with a noise of its own; the client has 2 %, the network the rest.
    fn stages(&mut self, run: &mut Sample, slow: Stage, by: f64) {
        let mut part = |stage: Stage, share: f64| {
            let noise: f64 = StandardNormal.sample(&mut self.random);
            let extra = if stage == slow { by } else { 0.0 };
            run.p50_micros * (share * (1.0 + 0.03 * noise) + extra)
        };
        let server = ServerMicros {
            queue: part(Stage::Queue, 0.31),
            input: part(Stage::Input, 0.10),
            infer: part(Stage::Compute, 0.24),
            output: part(Stage::Output, 0.23),
        };
        run.client_micros = Some(part(Stage::Client, 0.02));
        run.server = Some(server);
        run.p50_micros *= 1.0 + by;
        run.throughput /= 1.0 + by;
    }

    fn run(&mut self, effect: Effect) -> Sample {
        let own = self.draw();
        let slow = |metric: usize| {
            let both = SHARED.sqrt() * self.drift[metric] + (1.0 - SHARED).sqrt() * own[metric];
            (VARIATION[metric] * both).exp()
        };
        let p50 = 2000.0 * slow(1) * effect.p50;
        Sample {
            throughput: 1980.0 / slow(0) * effect.throughput,
            p50_micros: p50,
            p95_micros: p50 * 1.2,
            p99_micros: 2900.0 * slow(2) * effect.p99,
            server: None,
            client_micros: None,
            cold_start_micros: None,
        }
    }

    /// Three standard normals; the first follows the second, as throughput follows the
    /// median where a fixed number of connections waits for answers.
    fn draw(&mut self) -> [f64; 3] {
        let mut normal = || -> f64 { StandardNormal.sample(&mut self.random) };
        let (own, median, tail) = (normal(), normal(), normal());
        [0.8 * median + 0.6 * own, median, tail]
    }
}

pub(super) fn borrowed(pairs: &[(Sample, Sample)]) -> Vec<Pair<'_>> {
    pairs.iter().map(|(a, b)| Pair { a, b }).collect()
}

/// A comparison in which all went well.
pub(super) fn complete(plan: &Plan, pairs: &[(Sample, Sample)]) -> Comparison {
    let schedule = plan.schedule();
    let blocks = pairs.iter().zip(schedule.turns()).enumerate();
    Comparison {
        plan: plan.clone(),
        blocks: blocks
            .map(|(index, ((a, b), turn))| Block {
                number: index + 1,
                order: turn.order,
                seed: turn.seed,
                a: Some(*a),
                b: Some(*b),
                canary: Some(250_000.0),
                state: BlockState::Counted,
            })
            .collect(),
        end: End::Complete,
    }
}
