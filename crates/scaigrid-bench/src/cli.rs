//! The command line.

use crate::decode::EventDecoder;
use crate::harness::Job;
use crate::measure::{self, Counter};
use crate::rig::{Rig, counting};
use crate::{allocations, compare, counts, decode, growth, harness, idle, scenarios, side, sides, sizes};
use lexopt::{Arg, ValueExt as _};
use serde_json::{Map, Value};
use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

/// What `--help` prints.
pub const HELP: &str = "\
What the SDK costs, beside raw HTTP clients and other SDKs.

Usage: scaigrid-bench [OPTIONS]

Without a section, it compares the sides: each in a process of its own on the first core, against a server on loopback
on the second, all in each round. Ratios are to raw reqwest in the same round; tables show medians. All figures also go
to a JSON file.

Sections (any number; the comparison is left out when there is one):
  --compare         the comparison, too
  --allocations     allocations for a chunk and for a call
  --decode          event streams and the JSON of chunks, without a network
  --idle            1,000 open streams that are mostly silent: memory and processor for each
  --growth          longer streams, larger bodies, longer lists: cost for each unit
  --counts          instructions of small tasks, by valgrind; fails when one takes 10 % more than the table says
  --sizes           packages, seconds of a cold build, size of a one-call program; takes many minutes

Options:
  --rounds N        rounds of the comparison and of --decode; 7 by default
  --only A,B        sides that take part: ours-async, ours-hyper, ours-blocking, raw-hyper, raw-reqwest, raw-ureq, peers
  --scenario TEXT   scenarios, or programs of --sizes, whose name holds TEXT
  --seed N          the seed of varied shapes; 1 by default, 0 is refused: that is the plain shape
  --quick           a tenth of the calls: shows that all works, and no figure to trust
  --spread          sides take all cores, and share them with the server
  --peer NAME=PATH  a program that runs another SDK
  --decoders PATH   a program with other decoders, for --decode
  --update          with --counts: write the table anew
  --out FILE        where the JSON goes; bench.json beside the folder of this program by default
";

/// What was asked for.
struct Options {
    sections: Vec<String>,
    rounds: usize,
    only: Vec<String>,
    scenario: String,
    seed: u64,
    divisor: usize,
    spread: bool,
    peers: Vec<(String, PathBuf)>,
    decoders: Option<PathBuf>,
    update: bool,
    out: Option<PathBuf>,
}

/// Runs the program. `counter`: how it counts allocations, if it does.
pub fn main(counter: Option<Counter>) -> ExitCode {
    end(run(counter))
}

/// Runs a program of one more side, which understands the command `work` only.
pub fn peer<S: side::AsyncSide>(name: &str, counter: Option<Counter>) -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    end(match &arguments[..] {
        [command, side, job] if command == "work" && side == name => {
            work(job, |job| harness::run_async::<S>(job, counter))
        }
        _ => Err(format!("this is the side {name} of scaigrid-bench, and is started by it").into()),
    })
}

/// Runs a program that sets other decoders beside ours, which understands the command `decode` only.
pub fn decoders(others: &[EventDecoder], counter: Option<Counter>) -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    end(match &arguments[..] {
        [command, rounds, seed, file] if command == "decode" => decode([rounds, seed, file], others, counter),
        _ => Err("these are the decoders of scaigrid-bench, and are started by it".into()),
    })
}

/// Measures decoders, prints tables, and leaves the figures in a file.
fn decode(
    [rounds, seed, file]: [&str; 3],
    others: &[EventDecoder],
    counter: Option<Counter>,
) -> Result<(), Box<dyn Error>> {
    let figures = decode::run(others, counter, rounds.parse()?, seed.parse()?);
    Ok(std::fs::write(file, serde_json::to_string(&figures)?)?)
}

fn end(result: Result<(), Box<dyn Error>>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Does a job and prints what it took.
fn work(job: &str, run: impl FnOnce(&Job) -> harness::Outcome) -> Result<(), Box<dyn Error>> {
    // A task that fails ends the process, and with it the others that would wait for it.
    std::panic::set_hook(Box::new(|panic| {
        eprintln!("{panic}");
        std::process::exit(101);
    }));
    let job: Job = serde_json::from_str(job)?;
    measure::raise_open_files();
    if let Some(core) = job.core {
        measure::pin(core);
    }
    println!("{}", serde_json::to_string(&run(&job))?);
    Ok(())
}

fn run(counter: Option<Counter>) -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match &arguments[..] {
        // The processes of a run.
        [command, side, job] if command == "work" => {
            return work(job, |job| {
                sides::run(side, job, counter).unwrap_or_else(|| panic!("no side {side}"))
            });
        }
        [command, task, times] if command == "repeat" => {
            counts::repeat(task, times.parse()?);
            return Ok(());
        }
        [command, rounds, seed, file] if command == "decode" => {
            return decode([rounds, seed, file], &[], counter);
        }
        _ => {}
    }
    let Some(options) = parse()? else {
        print!("{HELP}");
        return Ok(());
    };
    sections(&options)
}

fn parse() -> Result<Option<Options>, Box<dyn Error>> {
    let mut options = Options {
        sections: Vec::new(),
        rounds: 7,
        only: Vec::new(),
        scenario: String::new(),
        seed: 1,
        divisor: 1,
        spread: false,
        peers: Vec::new(),
        decoders: None,
        update: false,
        out: None,
    };
    let mut arguments = lexopt::Parser::from_env();
    while let Some(argument) = arguments.next()? {
        match argument {
            Arg::Long(
                section @ ("compare" | "allocations" | "decode" | "idle" | "growth" | "counts" | "sizes"),
            ) => options.sections.push(section.to_owned()),
            Arg::Long("rounds") => options.rounds = arguments.value()?.parse()?,
            Arg::Long("only") => {
                options.only = arguments.value()?.string()?.split(',').map(str::to_owned).collect();
            }
            Arg::Long("scenario") => options.scenario = arguments.value()?.string()?,
            Arg::Long("seed") => options.seed = arguments.value()?.parse()?,
            Arg::Long("quick") => options.divisor = 10,
            Arg::Long("spread") => options.spread = true,
            Arg::Long("peer") => {
                let peer = arguments.value()?.string()?;
                let (name, path) = peer.split_once('=').ok_or("--peer needs NAME=PATH")?;
                options.peers.push((name.to_owned(), path.into()));
            }
            Arg::Long("decoders") => options.decoders = Some(arguments.value()?.into()),
            Arg::Long("update") => options.update = true,
            Arg::Long("out") => options.out = Some(arguments.value()?.into()),
            Arg::Long("help") | Arg::Short('h') => return Ok(None),
            other => return Err(format!("{}\n\n{HELP}", other.unexpected()).into()),
        }
    }
    if options.seed == 0 || options.rounds == 0 {
        return Err("--seed and --rounds begin with 1".into());
    }
    if options.update && !options.sections.iter().any(|section| section == "counts") {
        return Err("--update goes with --counts".into());
    }
    if options.sections.is_empty() {
        options.sections.push("compare".to_owned());
    }
    Ok(Some(options))
}

fn sections(options: &Options) -> Result<(), Box<dyn Error>> {
    let own = std::env::current_exe()?;
    let folder = own.parent().and_then(|release| release.parent()).ok_or("this program has no folder")?;
    let out = options.out.clone().unwrap_or_else(|| folder.join("bench.json"));
    let rig = Rig::start(&options.peers, &options.only, options.spread, options.divisor)?;
    if rig.core.is_none() && !options.spread {
        eprintln!("there is one core only: server and clients share it");
    }
    let mut figures = Map::new();
    figures.insert("rounds".to_owned(), options.rounds.into());
    figures.insert("seed".to_owned(), options.seed.into());
    let mut failed = None;
    for section in &options.sections {
        let value = match &**section {
            "allocations" => allocations::run(&rig, options.seed),
            "decode" => decoded(options, folder, &own)?,
            "idle" => idle::run(&rig),
            "growth" => growth::run(&rig),
            "counts" => match counts::run(folder, options.update) {
                Ok(value) => value,
                Err(error) => {
                    failed = Some(error);
                    Value::Null
                }
            },
            "sizes" => sizes::run(&folder.join("bench-sizes"), &rig.base, &options.scenario),
            _ => {
                let scenarios = scenarios::all(options.seed);
                let chosen =
                    scenarios.into_iter().filter(|scenario| scenario.name.contains(&options.scenario));
                let chosen: Vec<_> = chosen.collect();
                if chosen.is_empty() {
                    return Err(format!("no scenario's name holds {:?}", options.scenario).into());
                }
                compare::run(&rig, &chosen, options.rounds)
            }
        };
        figures.insert(section.clone(), value);
    }
    std::fs::write(&out, serde_json::to_string_pretty(&figures)?)?;
    println!("\nAll figures: {}", out.display());
    failed.map_or(Ok(()), |error| Err(error.into()))
}

/// Times and allocations of decoders, each from a program that is told what to do as a side is.
fn decoded(options: &Options, folder: &Path, own: &Path) -> Result<Value, Box<dyn Error>> {
    let program = options.decoders.as_deref().unwrap_or(own);
    let file = folder.join("bench-decode.json");
    let mut figures = Map::new();
    for (name, program, rounds) in
        [("times", program.to_owned(), options.rounds), ("allocations", counting(program), 1)]
    {
        let arguments = ["decode".to_owned(), rounds.to_string(), options.seed.to_string()];
        let status = Command::new(&program).args(arguments).arg(&file).status()?;
        if !status.success() {
            return Err(format!("{}: {status}", program.display()).into());
        }
        figures.insert(name.to_owned(), serde_json::from_slice(&std::fs::read(&file)?)?);
    }
    std::fs::remove_file(&file)?;
    Ok(figures.into())
}
