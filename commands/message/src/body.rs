//! What the sending commands share: the content of a message and its options.

use command::scalar::Flag;
use model::message::{MessageFlags, OFFLINE_PUSH_INFO_BYTES_MAX, OFFLINE_PUSH_INFO_UNSET};
use model::{ErrorCode, Result};
use serde_json::value::RawValue;

/// Options of a message; a client names them in an array.
pub const SEND_CONTROLS: [&str; 4] = ["NoUnread", "NoLastMsg", "WithMuteNotifications", "NoMsgCheck"];

/// Webhooks that a message may ask not to be sent to.
pub const FORBIDDEN_CALLBACKS: [&str; 2] = ["ForbidBeforeSendMsgCallback", "ForbidAfterSendMsgCallback"];

/// The longest keep time of a message for absent receivers, in seconds.
pub const LIFE_SECONDS_MAX: i64 = 604_800;

/// Declares a request with the content and options that every sending command takes.
///
/// They stand in the request itself: a flattened struct could not keep JSON as it came.
macro_rules! sending_request {
    ($(#[$meta:meta])* pub struct $name:ident { $($(#[$field_meta:meta])* pub $field:ident: $type:ty,)* }) => {
        $(#[$meta])*
        #[derive(serde::Deserialize, schemars::JsonSchema)]
        pub struct $name {
            $($(#[$field_meta])* pub $field: $type,)*
            /// Elements, see the reference of message formats.
            #[serde(rename = "MsgBody")]
            #[schemars(with = "Vec<serde_json::Map<String, serde_json::Value>>")]
            pub body: Box<serde_json::value::RawValue>,
            /// The app's own text, at most 8 KB.
            #[serde(rename = "CloudCustomData", default)]
            pub cloud_custom_data: Option<String>,
            /// For push vendors; kept as it is, and shown to the sender's and the receiver's clients: the SDK reads it from messages.
            #[serde(rename = "OfflinePushInfo", default)]
            #[schemars(with = "Option<serde_json::Map<String, serde_json::Value>>")]
            pub offline_push_info: Option<$crate::body::PushInfo>,
            /// `NoUnread`, `NoLastMsg`; `NoMsgCheck`: nobody looks for the app's keywords, and accounts may ask for that as well as back
            /// ends, since the SDK offers it; `WithMuteNotifications`, which has no effect yet: nothing is pushed to
            /// devices that are offline, which is what do-not-disturb is about.
            #[serde(rename = "SendMsgControl", default)]
            pub send_control: Vec<String>,
            /// `ForbidBeforeSendMsgCallback`, `ForbidAfterSendMsgCallback`; checked, and without effect: there are no webhooks yet.
            #[serde(rename = "ForbidCallbackControl", default)]
            pub forbid_callbacks: Vec<String>,
            /// Whether extensions may be set on the message later.
            #[serde(rename = "SupportMessageExtension", default)]
            pub supports_extension: command::scalar::Flag,
            /// Whether the sender wants a read receipt.
            #[serde(rename = "IsNeedReadReceipt", default)]
            pub needs_receipt: command::scalar::Flag,
            /// Whether the message was forwarded or merged.
            #[serde(rename = "IsRelayMsg", default)]
            pub is_relayed: command::scalar::Flag,
        }

        impl $name {
            /// Content and options, without the rest of the request.
            fn take_content(&mut self) -> $crate::body::Content {
                $crate::body::Content {
                    body: std::mem::take(&mut self.body),
                    cloud_custom_data: self.cloud_custom_data.take(),
                    offline_push_info: self.offline_push_info.take(),
                    send_control: std::mem::take(&mut self.send_control),
                    forbid_callbacks: std::mem::take(&mut self.forbid_callbacks),
                    supports_extension: self.supports_extension,
                    needs_receipt: self.needs_receipt,
                    is_relayed: self.is_relayed,
                }
            }
        }
    };
}
pub(crate) use sending_request;

/// Content and options of a message, as they came.
pub struct Content {
    /// `MsgBody`.
    pub body: Box<RawValue>,
    /// `CloudCustomData`.
    pub cloud_custom_data: Option<String>,
    /// `OfflinePushInfo`.
    pub offline_push_info: Option<PushInfo>,
    /// `SendMsgControl`.
    pub send_control: Vec<String>,
    /// `ForbidCallbackControl`.
    pub forbid_callbacks: Vec<String>,
    /// `SupportMessageExtension`.
    pub supports_extension: Flag,
    /// `IsNeedReadReceipt`.
    pub needs_receipt: Flag,
    /// `IsRelayMsg`.
    pub is_relayed: Flag,
}

/// Content as it will be stored.
pub struct Checked {
    /// What it says.
    pub content: model::Content,
    /// What it carries.
    pub medium: model::Medium,
    /// Properties.
    pub flags: MessageFlags,
    /// Whether it is looked through for keywords where an account sends it: its sender may ask that it is not.
    pub is_moderated: bool,
}

impl Content {
    /// Checks the content.
    ///
    /// # Errors
    /// `BodyNotArray`, `MessageBodyMalformed`, `ElementMalformed`, `MessageTooLong`, `OfflinePushInfoMalformed`,
    /// `MessageBadJson` for an unknown `SendMsgControl` or `ForbidCallbackControl`.
    pub fn check(self) -> Result<Checked> {
        let (body, medium) = model::element::normalise(&self.body)?;
        let content = model::Content {
            body: body.into(),
            cloud_custom_data: self.cloud_custom_data.unwrap_or_default().into(),
            offline_push_info: self.offline_push_info.map(PushInfo::check).transpose()?.flatten(),
        };
        engine::messages::check_size(&content)?;
        check_names("SendMsgControl", &self.send_control, &SEND_CONTROLS)?;
        check_names("ForbidCallbackControl", &self.forbid_callbacks, &FORBIDDEN_CALLBACKS)?;
        let has = |name: &str| self.send_control.iter().any(|control| control == name);
        let flags = MessageFlags {
            needs_receipt: self.needs_receipt.0,
            supports_extension: self.supports_extension.0,
            relayed: self.is_relayed.0,
            uncounted: has("NoUnread"),
            not_last: has("NoLastMsg"),
            ..MessageFlags::default()
        };
        Ok(Checked { content, medium, flags, is_moderated: !has("NoMsgCheck") })
    }
}

fn check_names(field: &str, names: &[String], known: &[&str]) -> Result<()> {
    match names.iter().position(|name| !known.contains(&name.as_str())) {
        None => Ok(()),
        Some(unknown) => {
            Err(ErrorCode::MessageBadJson.because(format!("{field}[{unknown}]: one of {}", known.join(", "))))
        }
    }
}

/// `OfflinePushInfo` as it came; none of it where the sender set nothing.
#[derive(Clone, Debug)]
pub struct PushInfo(Option<Box<str>>);

impl<'de> serde::Deserialize<'de> for PushInfo {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        let info = <&'de RawValue>::deserialize(deserializer)?.get();
        // Half of what would be stored of a short message, and it says nothing.
        Ok(Self((info != OFFLINE_PUSH_INFO_UNSET).then(|| info.into())))
    }
}

impl PushInfo {
    fn check(self) -> Result<Option<Box<str>>> {
        let Some(info) = self.0 else { return Ok(None) };
        if !info.starts_with('{') {
            return Err(ErrorCode::OfflinePushInfoMalformed.into());
        }
        if info.len() > OFFLINE_PUSH_INFO_BYTES_MAX {
            return Err(ErrorCode::OfflinePushInfoMalformed.because("OfflinePushInfo: at most 8 KB"));
        }
        Ok(Some(info))
    }
}

/// Whether `MsgLifeTime` or `OnlineOnlyFlag` ask for a message that is not stored.
///
/// # Errors
/// `LifeTimeTooLong` for a negative time. More than seven days count as seven.
pub fn is_online_only(life_seconds: Option<i64>, online_only: Option<Flag>) -> Result<bool> {
    if life_seconds.is_some_and(|seconds| seconds < 0) {
        return Err(ErrorCode::LifeTimeTooLong.into());
    }
    Ok(life_seconds == Some(0) || online_only == Some(Flag(true)))
}

/// Whether the sender keeps no copy: `SyncOtherMachine` 2.
///
/// # Errors
/// `SyncOtherMachineType` for anything but 1 and 2.
pub fn is_receiver_only(sync_other_machine: Option<i64>) -> Result<bool> {
    match sync_other_machine {
        None | Some(0 | 1) => Ok(false),
        Some(2) => Ok(true),
        Some(_) => Err(ErrorCode::SyncOtherMachineType.because("SyncOtherMachine: 1 or 2")),
    }
}
