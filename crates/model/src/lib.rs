//! What Whimbrel talks about: identifiers, messages, profiles, settings, errors and data classes.
//!
//! Nothing here does I/O, reads a clock or rolls a die.

mod base64_bytes;
pub mod element;
pub mod error;
pub mod id;
pub mod json;
pub mod keyword;
pub mod message;
pub mod profile;
pub mod relation;
pub mod settings;
pub mod stamp;
pub mod time;
pub mod usersig;

pub use error::{Error, ErrorCode, Result};
pub use id::{AccountNumber, ConversationId, InstanceId, MessageKey, SdkAppId, UserId};
pub use message::{Content, HistoryKey, Message, Modification, Position, Sealed};
pub use settings::AppSettings;
pub use stamp::{DataClass, Expiry, Medium, Stamp, Subject};
pub use time::{Millis, Seconds};
