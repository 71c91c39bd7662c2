//! Both stream examples, run as a newcomer would.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]
#![allow(clippy::disallowed_methods, reason = "the programs run in real time")]

use scaigrid_emulator::{Emulator, Fault, StreamFault};
use std::process::{Command, Stdio};

const BOTH: [&str; 2] = [env!("CARGO_BIN_EXE_stream_chat"), env!("CARGO_BIN_EXE_stream_chat_blocking")];

fn command(program: &str) -> Command {
    let mut command = Command::new(program);
    command.env_remove("SCAIGRID_API_KEY").env_remove("SCAIGRID_BASE_URL").stdin(Stdio::null());
    command
}

#[test]
fn a_reply_is_printed_with_its_usage() {
    for program in BOTH {
        let output = command(program).arg("Guanciale is cured pork cheek.").output().unwrap();
        let [stdout, stderr] =
            [&output.stdout, &output.stderr].map(|bytes| String::from_utf8_lossy(bytes).into_owned());
        assert!(output.status.success() && stdout.to_lowercase().contains("guanciale"), "{stdout} {stderr}");
        assert!(stderr.contains("request id: req_") && stderr.contains("tokens: 6 in"), "{stderr}");
    }
}

/// Ctrl-C while the gateway is silent: the program ends well and shows what had come.
#[cfg(unix)]
#[test]
fn ctrl_c_stops_cleanly() {
    use std::io::Read;
    for program in BOTH {
        let emulator = Emulator::start().unwrap();
        emulator.faults().push(Fault::stream(StreamFault::stall().after_chunks(3)));
        let mut child = command(program)
            .arg("Guanciale is cured pork cheek.")
            .env("SCAIGRID_API_KEY", emulator.api_key())
            .env("SCAIGRID_BASE_URL", emulator.base_url())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // Something has been printed: the stream is open, and the handler is in place.
        let mut first = [0; 1];
        child.stdout.as_mut().unwrap().read_exact(&mut first).unwrap();
        let killed = Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
        assert!(killed.success());
        let output = child.wait_with_output().unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{stderr}");
        assert!(
            stderr.contains("stopped; arrived so far: \"You") && stderr.contains("not known"),
            "{stderr}"
        );
        let client_left = || emulator.requests().iter().all(|request| request.client_left);
        // The emulator notices a moment later.
        let noticed = (0..200).any(|_| {
            std::thread::sleep(std::time::Duration::from_millis(5));
            client_left()
        });
        assert!(noticed);
    }
}
