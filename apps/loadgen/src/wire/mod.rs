//! What goes over the wire: WebSocket frames, the opening handshake, and the JSON of the client protocol.

pub(crate) mod frame;
pub(crate) mod handshake;
pub(crate) mod http;
pub(crate) mod number;
pub(crate) mod request;
pub(crate) mod scan;
