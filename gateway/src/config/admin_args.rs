//! Where operators are answered, as typed.

use clap::Args;

/// Where operators are answered.
#[derive(Debug, Args)]
#[command(next_help_heading = "Logs and operators")]
pub struct AdminArgs {
    /// Tell operators at this place, and nowhere else, of metrics (`/metrics`, for Prometheus),
    /// health with its details (`/health`), readiness (`/ready`) and life (`/live`): a port of this
    /// machine's own (127.0.0.1), `host:port`, or `unix:/path`. Whoever can connect can read
    /// [default: nowhere]
    #[arg(long, env = "NEXTBNB_ADMIN", value_name = "PLACE")]
    pub admin: Option<String>,
}
