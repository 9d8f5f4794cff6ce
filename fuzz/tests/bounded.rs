//! Calls the functions of `cargo fuzz` with random changes of the corpus: the same inputs in each
//! run, for a bounded time. It uses no coverage, so it finds less, but needs no nightly Rust.

use std::path::Path;
use std::time::Duration;

use fastrand::Rng;
use podtap_fuzz::TARGETS;
use tokio::time::Instant;

/// Number of inputs for each function, and the time after which no more are tried.
const INPUTS: u32 = 4_000;
const LIMIT: Duration = Duration::from_secs(5);

/// Bytes with a meaning in one of the formats.
const TELLING: &[u8] = b"\0\x01\x7f\x80\xff\"\\{}[],:;%&=+-*@<> \n\r\t09ezZ";

/// Maximum size of an input, in bytes.
const MAX_BYTES: usize = 16 * 1024;

fn corpus(name: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("corpus")
        .join(name);
    let files = folder.read_dir().expect("a corpus");
    let mut paths: Vec<_> = files.map(|file| file.expect("a file").path()).collect();
    paths.sort();
    paths
        .iter()
        .map(|path| std::fs::read(path).expect("a file"))
        .collect()
}

/// Returns an input of the corpus with a few changes.
fn mutate_input(corpus: &[Vec<u8>], rng: &mut Rng) -> Vec<u8> {
    let mut input = corpus[rng.usize(..corpus.len())].clone();
    for _ in 0..rng.usize(1..=6) {
        let at = rng.usize(..=input.len());
        let end = rng.usize(at..=input.len().min(at + 64));
        match rng.u8(..7) {
            0 if at < input.len() => input[at] ^= 1 << rng.u8(..8),
            1 if at < input.len() => input[at] = TELLING[rng.usize(..TELLING.len())],
            2 => input.insert(at, TELLING[rng.usize(..TELLING.len())]),
            3 => drop(input.drain(at..end)),
            4 => {
                let copy = input[at..end].repeat(rng.usize(1..4));
                input.splice(at..at, copy);
            }
            5 => {
                let other = &corpus[rng.usize(..corpus.len())];
                let from = rng.usize(..=other.len());
                input.splice(at..end, other[from..].iter().copied());
            }
            _ => input.truncate(at),
        }
        input.truncate(MAX_BYTES);
    }
    input
}

/// Prints the input if a function panics.
struct PanicPrinter<'a>(&'a str, &'a [u8]);

impl Drop for PanicPrinter<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("{}: {}", self.0, self.1.escape_ascii());
        }
    }
}

/// Returns the names of the programs in `Cargo.toml`, which `cargo fuzz` builds.
fn programs() -> Vec<String> {
    let manifest: toml::Table = include_str!("../Cargo.toml").parse().expect("a manifest");
    let programs = manifest["bin"].as_array().expect("programs");
    let name = |program: &toml::Value| program["name"].as_str().expect("a name").to_owned();
    programs.iter().map(name).collect()
}

#[test]
fn each_program_of_cargo_fuzz_calls_a_function_that_is_tested_here() {
    let tested: Vec<_> = TARGETS.iter().map(|(name, _)| *name).collect();
    assert_eq!(programs(), tested);
    for (name, _) in TARGETS {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("fuzz_targets/{name}.rs"));
        let program = std::fs::read_to_string(file).expect("its source");
        assert!(
            program.contains(&format!("podtap_fuzz::{name}(data)")),
            "{name}"
        );
    }
}

#[test]
fn no_bytes_from_outside_make_a_reader_panic() {
    for (name, function) in TARGETS {
        let corpus = corpus(name);
        assert!(!corpus.is_empty());
        for input in &corpus {
            let _shown = PanicPrinter(name, input);
            function(input);
        }
        let (mut rng, start) = (Rng::with_seed(1), Instant::now());
        for _ in 0..INPUTS {
            if start.elapsed() > LIMIT {
                break;
            }
            let input = mutate_input(&corpus, &mut rng);
            let _shown = PanicPrinter(name, &input);
            function(&input);
        }
    }
}
