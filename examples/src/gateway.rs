//! Where the examples call.
#![allow(clippy::print_stderr, reason = "command-line programs talk to people on stderr")]

use scaigrid::GenericClientBuilder;
use scaigrid_emulator::{Emulator, EmulatorBuilder, Fault};
use std::error::Error;

/// An embedded emulator when `SCAIGRID_API_KEY` is not set, and a line on stderr that says so. `None` when it is set:
/// then the program talks to that gateway, and nothing else changes.
///
/// # Errors
/// When the emulator does not start, or should fail although a real gateway is used.
pub fn emulator_without_key(fail_twice: bool) -> Result<Option<Emulator>, Box<dyn Error>> {
    let emulator = emulator_without_key_from(Emulator::builder())?;
    if fail_twice {
        let Some(emulator) = &emulator else {
            return Err("--fail-twice needs the embedded emulator: unset SCAIGRID_API_KEY".into());
        };
        emulator.faults().repeat(Fault::error("BACKEND_ERROR"), 2);
    }
    Ok(emulator)
}

/// As [`emulator_without_key`], with settings of the program's own.
///
/// # Errors
/// When the emulator does not start.
pub fn emulator_without_key_from(builder: EmulatorBuilder) -> Result<Option<Emulator>, Box<dyn Error>> {
    if std::env::var_os("SCAIGRID_API_KEY").is_some() {
        return Ok(None);
    }
    let emulator = builder.start()?;
    eprintln!(
        "SCAIGRID_API_KEY is not set: using an emulator inside this process at {}. It follows rules and is no AI.",
        emulator.base_url()
    );
    Ok(Some(emulator))
}

/// A client, async or blocking, for the embedded emulator, or for the gateway that the environment names.
pub fn with_gateway<C>(
    client: GenericClientBuilder<C>,
    emulator: &Option<Emulator>,
) -> GenericClientBuilder<C> {
    match emulator {
        Some(emulator) => client.base_url(emulator.base_url()).api_key(emulator.api_key()),
        None => client.env(),
    }
}
