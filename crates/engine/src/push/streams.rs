//! Frames about streams.

use bytes::Bytes;
use model::{Message, Seconds};

use super::{Copy, Shown, write_message};

/// A frame with a piece of a stream. It is an item of its own: a client that does not know it passes it over, and gets the whole
/// message when the stream ends. A message push with an element that such a client does not know would show it as an empty one.
#[must_use]
pub fn stream_piece(message: &Message, time: Seconds, shown: Shown<'_>, copy: Copy) -> Bytes {
    let mut out = Vec::with_capacity(512 + message.content.counted_bytes());
    out.extend_from_slice(br#"{"head":{"servcmd":"im_open_push.msg_push","seq":0},"body":{"EventArray":[{"Event":9,"C2cStreamMsgArray":["#);
    write_message(&mut out, message, time, shown, copy);
    out.extend_from_slice(b"]}]}}");
    out.into()
}
