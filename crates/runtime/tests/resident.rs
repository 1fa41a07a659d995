//! How much memory a program has in the end is seen by the system alone. A binary of its own, as that counts for the
//! process.
#![cfg(target_os = "linux")]

use geometry::ConvDesc;
use graph::{NetworkBuilder, passes};
use runtime::{Program, Run, RuntimeOptions, initialise};

/// The most memory that the process had so far, and what it has now, in bytes.
fn resident() -> [usize; 2] {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    ["VmHWM:", "VmRSS:"].map(|key| {
        let line = status.lines().find_map(|line| line.strip_prefix(key));
        let number = line.unwrap().trim().trim_end_matches("kB").trim();
        number.parse::<usize>().unwrap() << 10
    })
}

#[test]
fn packed_weights_take_the_place_of_the_weights() {
    let (channels, layers) = (1024, 16);
    let mut network = NetworkBuilder::new("deep", [1, channels, 2, 2]);
    let mut x = network.input();
    for layer in 0..layers {
        let desc = ConvDesc::new(channels, 1);
        x = network
            .conv(&format!("conv{layer}"), x, desc, true)
            .unwrap();
    }
    let graph = passes::inference(&network.finish(x).unwrap()).unwrap();
    let options = RuntimeOptions {
        threads: 1,
        ..RuntimeOptions::default()
    };
    let mut program = Program::new(graph, &options).unwrap();
    initialise(&mut program, 3);
    let weights = 4 * layers * channels * channels;
    assert!(program.memory().parameters >= weights);
    assert!(program.arena_bytes() >= weights, "they are packed");

    let [_, before] = resident();
    let mut program = program.into_inference();
    program.input_f32(0).fill(1.0);
    program.run(Run::default());
    let [peak, after] = resident();
    assert!(program.output(0).iter().any(|&value| value != 0.0));
    let more = peak.saturating_sub(before);
    assert!(
        more < weights / 2,
        "{more} bytes more, to pack weights of {weights}"
    );
    let more = after.saturating_sub(before);
    assert!(
        more < weights / 8,
        "{more} bytes more, with weights of {weights} packed"
    );
}
