//! The `nextbnb-gateway` executable; everything is in the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    nextbnb_gateway::cli::run()
}
