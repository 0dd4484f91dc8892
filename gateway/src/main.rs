//! The `nextbnb-gateway` executable; everything is in the library.

use std::process::ExitCode;

use mimalloc::MiMalloc;

/// A request allocates some fifteen times, for which this takes a third of what glibc's does. Without
/// huge pages (`no_thp`), with which it would hold 16 MiB more from the start.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    nextbnb_gateway::cli::run()
}
