//! Bounds on what one HTTP/2 connection may ask for.

/// Bounds on one HTTP/2 connection, each with the reason for its default.
///
/// Dead clients are found by the system's own probes, as over HTTP/1: an HTTP/2 PING would wait
/// behind megabytes that a slow client still takes, and cut it.
#[derive(Debug, Clone, Copy)]
pub struct Http2Limits {
    /// Requests at once, as in nginx; browsers ask for no more.
    pub concurrent_streams: u32,
    /// Requests that a client may have taken back before they were looked at (rapid reset,
    /// CVE-2023-44487); one more ends the connection. A browser takes back as many when it leaves a
    /// page.
    pub pending_reset_streams: usize,
    /// Streams that a client may bring the gateway to reset (`MadeYouReset`, CVE-2025-8671); one
    /// more ends the connection.
    pub local_error_resets: usize,
    /// Bytes of a request's fields, names and values and 32 for each (RFC 9113 §6.5.2): what Node
    /// takes. More is answered with 431.
    pub header_list_bytes: u32,
    /// Bytes of one request's body that wait here for the upstream.
    pub stream_window_bytes: u32,
    /// Bytes of all bodies of a connection that wait here.
    pub connection_window_bytes: u32,
    /// Bytes of one answer that wait here for the client.
    pub send_buffer_bytes: usize,
}

impl Default for Http2Limits {
    fn default() -> Self {
        Self {
            concurrent_streams: 128,
            pending_reset_streams: 64,
            local_error_resets: 64,
            header_list_bytes: 16 * 1024,
            stream_window_bytes: 256 * 1024,
            connection_window_bytes: 1024 * 1024,
            send_buffer_bytes: 64 * 1024,
        }
    }
}
