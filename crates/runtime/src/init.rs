//! The first values of parameters and states.

use std::f64::consts::TAU;

use graph::Init;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

use crate::{Program, Slot};

/// Draws every parameter as the network asks for, and sets every state to its start.
///
/// What a parameter starts with is a function of the seed, its name and its shape: neither other
/// layers, nor their order, nor the machine's threads change it.
pub fn initialise(program: &mut Program, seed: u64) {
    initialise_where(program, seed, |_| true);
}

/// As [`initialise`], of the parameters and states with certain names alone: drawing millions of numbers
/// takes longer than reading them, so what is read from a file is better not drawn before.
pub fn initialise_where(program: &mut Program, seed: u64, wanted: impl Fn(&str) -> bool) {
    let slots = program.slots().to_vec();
    let parameters = program.parameters_mut();
    for slot in slots.iter().filter(|slot| wanted(&slot.name)) {
        fill(slot, seed, &mut parameters[slot.range.clone()]);
    }
    let states = program.states().to_vec();
    let state = program.state_mut();
    for slot in states.into_iter().filter(|slot| wanted(&slot.name)) {
        state[slot.range].fill(slot.init);
    }
}

fn fill(slot: &Slot, seed: u64, values: &mut [f32]) {
    // Of a weight `[o, i, kernel…]`: one output sums over i·kernel products, one input is in o·kernel.
    let outputs = slot.shape.first().copied().unwrap_or(1) as f64;
    let inputs = slot.shape.get(1).copied().unwrap_or(1) as f64;
    let kernel: f64 = slot
        .shape
        .iter()
        .skip(2)
        .map(|&extent| extent as f64)
        .product();
    let mut source = Source::new(seed, &slot.name);
    match slot.init {
        Init::Constant(value) => values.fill(value),
        Init::Normal { mean, deviation } => {
            let (mean, deviation) = (f64::from(mean), f64::from(deviation));
            values.fill_with(|| (mean + deviation * source.normal()) as f32);
        }
        Init::KaimingNormalFanIn => {
            let deviation = (2.0 / (inputs * kernel)).sqrt();
            values.fill_with(|| (deviation * source.normal()) as f32);
        }
        Init::KaimingUniformFanIn => {
            let bound = (6.0 / (inputs * kernel)).sqrt();
            values.fill_with(|| source.within(bound));
        }
        Init::KaimingNormalFanOut => {
            let deviation = (2.0 / (outputs * kernel)).sqrt();
            values.fill_with(|| (deviation * source.normal()) as f32);
        }
        Init::UniformFanIn { fan_in } => {
            let bound = 1.0 / (fan_in as f64).sqrt();
            values.fill_with(|| source.within(bound));
        }
        Init::XavierUniform => {
            let bound = glorot((inputs + outputs) * kernel);
            values.fill_with(|| source.within(bound));
        }
        Init::XavierUniformFans { fan_in, fan_out } => {
            let bound = glorot(fan_in as f64 + fan_out as f64);
            values.fill_with(|| source.within(bound));
        }
    }
}

/// The bound of Glorot and Bengio's uniform law, of both fans together.
fn glorot(fans: f64) -> f64 {
    (6.0 / fans).sqrt()
}

/// The random numbers of one parameter.
struct Source(ChaCha8Rng);

impl Source {
    fn new(seed: u64, name: &str) -> Self {
        let mut key = [0; 32];
        key[..8].copy_from_slice(&seed.to_le_bytes());
        key[8..16].copy_from_slice(&fnv1a(name).to_le_bytes());
        key[16..24].copy_from_slice(&(name.len() as u64).to_le_bytes());
        Self(ChaCha8Rng::from_seed(key))
    }

    /// Uniform in `[0, 1)`, on the grid of 2⁻⁵³.
    fn unit(&mut self) -> f64 {
        (self.0.next_u64() >> 11) as f64 * 2f64.powi(-53)
    }

    /// Uniform within `± bound`.
    fn within(&mut self, bound: f64) -> f32 {
        (bound * (2.0 * self.unit() - 1.0)) as f32
    }

    /// Standard normal (Box and Muller 1958).
    fn normal(&mut self) -> f64 {
        // 1 − u is in (0, 1], where the logarithm is finite.
        let radius = (-2.0 * (1.0 - self.unit()).ln()).sqrt();
        radius * (TAU * self.unit()).cos()
    }
}

/// Fowler–Noll–Vo hash 1a, 64 bits.
fn fnv1a(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}
