//! What the examples share: their arguments, a gateway where there is no API key, and how they end.

mod arguments;
mod ending;
mod gateway;

pub use arguments::{Arguments, Options, standard_input};
pub use ending::{Stop, exit_code, print_now};
pub use gateway::{emulator_without_key, emulator_without_key_from, with_gateway};
