//! Limits of the edge. All are configurable; none is stricter by default than what the documented clients do.

use std::time::Duration;

/// Limits of connections, frames and bodies.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Open connections of one address.
    pub connections_per_address_max: usize,
    /// Open connections of one address that have not logged in.
    pub unauthenticated_per_address_max: usize,
    /// Bytes of one frame from a client, inflated if it is compressed.
    pub frame_bytes_max: usize,
    /// Frames to clients that can inflate are compressed from so many bytes on; 0: none is.
    pub compress_bytes_min: usize,
    /// Bytes of the body of a REST call.
    pub body_bytes_max: usize,
    /// Requests of one connection that run at the same time; further ones wait in the socket.
    pub requests_in_flight_max: usize,
    /// How long the header of a request may take.
    pub header_time_max: Duration,
    /// How long the body of a request may take.
    pub body_time_max: Duration,
    /// How long a client may be silent. Clients send a heartbeat after 10 seconds of silence.
    pub silence_max: Duration,
    /// How long a write to a client may take.
    pub write_time_max: Duration,
    /// Whether `/metrics` answers other addresses than this machine's own.
    pub metrics_are_public: bool,
    /// Origins (`https://example.com`) from which browsers may connect; empty: any. Nothing that a browser sends by
    /// itself logs anybody in, so this is a second fence.
    pub origins: Vec<String>,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections_per_address_max: 10_000,
            unauthenticated_per_address_max: 256,
            frame_bytes_max: 1 << 20,
            compress_bytes_min: 2048,
            body_bytes_max: 2 << 20,
            requests_in_flight_max: 32,
            header_time_max: Duration::from_secs(10),
            body_time_max: Duration::from_secs(30),
            silence_max: Duration::from_secs(75),
            write_time_max: Duration::from_secs(10),
            metrics_are_public: false,
            origins: Vec::new(),
        }
    }
}
