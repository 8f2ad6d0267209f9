//! Requests as the Web SDK 3.6.6 writes them, field by field and in its order.

use std::time::{SystemTime, UNIX_EPOCH};

use super::frame::{self, opcode};
use super::number;

const HEAD_START: &[u8] =
    br#"{"head":{"ver":"v4","platform":7,"websdkappid":537048168,"websdkversion":"1.7.3","#;
const HEAD_ABILITY: &[u8] = br#","sdkability":75689843,"sdkability_ext":"","cappid":0,"cs":"#;
/// What stands between the message's elements and its time in every message that sets no push options.
const PUSH_INFO: &[u8] = br#","CloudCustomData":"","From_AccountNick":"","From_AccountHeadurl":"","OfflinePushInfo":{"PushFlag":0,"Title":"","Desc":"","Ext":"","ApnsInfo":{"Sound":"","BadgeMode":0,"Image":"","InterruptionLevel":"active","ContentAvailable":0},"AndroidInfo":{"Sound":"","XiaoMiChannelID":"","OPPOChannelID":"","GoogleChannelID":"","VIVOClassification":1,"VIVOCategory":"","HuaWeiCategory":"","OPPOCategory":"","HuaWeiImage":"","HonorImage":"","GoogleImage":"","HonorImportance":""}},"SendMsgControl":[],"MsgClientTime":"#;
/// The same for `Shape::Short`.
const NO_PUSH_INFO: &[u8] = br#","MsgClientTime":"#;
const MESSAGE_END: &[u8] = br#","IsNeedReadReceipt":1,"SupportMessageExtension":0,"IsRelayMsg":0}"#;

/// How a message frame looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub(crate) enum Shape {
    /// As the SDK sends it, push options and all: about 1.3 KB.
    #[default]
    Sdk,
    /// Without push options: about 700 bytes. Only to compare with measurements made with short frames.
    Short,
}

/// Who speaks, and with which session. Before the login `a2` is empty and `usersig` is sent in its place.
#[derive(Debug, Clone, Default)]
pub(crate) struct Speaker {
    /// The app.
    pub(crate) sdkappid: u64,
    /// The account.
    pub(crate) user: String,
    /// Its signature.
    pub(crate) usersig: String,
    /// The session key of the login answer.
    pub(crate) a2: String,
    /// The account number of the login answer.
    pub(crate) tinyid: String,
    /// The instance number of the login answer.
    pub(crate) instance: u64,
}

/// A message to be sent.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Outgoing<'a> {
    /// The receiver.
    pub(crate) to: &'a str,
    /// `MsgSeq`, unique per sender.
    pub(crate) number: u32,
    /// `MsgRandom`.
    pub(crate) random: u32,
    /// The text, which must need no JSON escapes.
    pub(crate) text: &'a str,
}

/// Composes frames into buffers that are reused.
#[derive(Debug)]
pub(crate) struct Composer {
    shape: Shape,
    body: Vec<u8>,
    payload: Vec<u8>,
    randomness: u64,
}

impl Composer {
    /// A composer whose masks and `MsgRandom` values follow from `seed`.
    pub(crate) fn new(shape: Shape, seed: u64) -> Self {
        Self { shape, body: Vec::new(), payload: Vec::new(), randomness: seed | 1 }
    }

    /// The next pseudo-random number: the upper half of the state, which is the better half.
    pub(crate) fn random(&mut self) -> u32 {
        self.randomness ^= self.randomness << 13;
        self.randomness ^= self.randomness >> 7;
        self.randomness ^= self.randomness << 17;
        (self.randomness >> 32) as u32
    }

    /// Appends the masked frame of any command with the given body text.
    pub(crate) fn command(
        &mut self,
        out: &mut Vec<u8>,
        speaker: &Speaker,
        command: &str,
        seq: u64,
        body: &str,
    ) {
        self.body.clear();
        self.body.extend_from_slice(body.as_bytes());
        self.finish(out, speaker, command.as_bytes(), seq, unix_seconds());
    }

    /// Appends the masked frame of `openim.sendmsg`.
    pub(crate) fn message(
        &mut self,
        out: &mut Vec<u8>,
        speaker: &Speaker,
        seq: u64,
        message: Outgoing<'_>,
        now_seconds: u64,
    ) {
        let body = &mut self.body;
        body.clear();
        body.extend_from_slice(br#"{"From_Account":""#);
        body.extend_from_slice(speaker.user.as_bytes());
        body.extend_from_slice(br#"","To_Account":""#);
        body.extend_from_slice(message.to.as_bytes());
        body.extend_from_slice(br#"","MsgSeq":"#);
        number::append(body, u64::from(message.number));
        body.extend_from_slice(br#","MsgRandom":"#);
        number::append(body, u64::from(message.random));
        body.extend_from_slice(br#","MsgBody":[{"MsgType":"TIMTextElem","MsgContent":{"Text":""#);
        body.extend_from_slice(message.text.as_bytes());
        body.extend_from_slice(br#""}}]"#);
        body.extend_from_slice(match self.shape {
            Shape::Sdk => PUSH_INFO,
            Shape::Short => NO_PUSH_INFO,
        });
        number::append(body, now_seconds);
        body.extend_from_slice(MESSAGE_END);
        self.finish(out, speaker, b"openim.sendmsg", seq, now_seconds);
    }

    fn finish(&mut self, out: &mut Vec<u8>, speaker: &Speaker, command: &[u8], seq: u64, now_seconds: u64) {
        let payload = &mut self.payload;
        payload.clear();
        payload.extend_from_slice(HEAD_START);
        if !speaker.a2.is_empty() {
            payload.extend_from_slice(br#""a2":""#);
            payload.extend_from_slice(speaker.a2.as_bytes());
            payload.extend_from_slice(br#"","tinyid":""#);
            payload.extend_from_slice(speaker.tinyid.as_bytes());
            payload.extend_from_slice(br#"","#);
        }
        payload.extend_from_slice(br#""status_instid":"#);
        number::append(payload, speaker.instance);
        payload.extend_from_slice(br#","sdkappid":"#);
        number::append(payload, speaker.sdkappid);
        payload.extend_from_slice(br#","contenttype":"json","reqtime":"#);
        number::append(payload, now_seconds);
        if speaker.a2.is_empty() {
            payload.extend_from_slice(br#","identifier":""#);
            payload.extend_from_slice(speaker.user.as_bytes());
            payload.extend_from_slice(br#"","usersig":""#);
            payload.extend_from_slice(speaker.usersig.as_bytes());
            payload.push(b'"');
        }
        payload.extend_from_slice(HEAD_ABILITY);
        let is_unchecked = command == b"heartbeat.alive" || command == b"im_open_status.wslogin";
        number::append(payload, if is_unchecked { 0 } else { u64::from(crc32fast::hash(&self.body)) });
        payload.extend_from_slice(br#","servcmd":""#);
        payload.extend_from_slice(command);
        payload.extend_from_slice(br#"","seq":"#);
        number::append(payload, seq);
        payload.extend_from_slice(br#"},"body":"#);
        payload.extend_from_slice(&self.body);
        payload.push(b'}');
        let key = self.random().to_ne_bytes();
        frame::append_masked(out, opcode::BINARY, &self.payload, key);
    }
}

/// The time of day, as the protocol counts it.
pub(crate) fn unix_seconds() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |passed| passed.as_secs())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn speaker() -> Speaker {
        Speaker {
            sdkappid: 1_400_000_001,
            user: "bob".into(),
            usersig: "<signature>".into(),
            a2: "<a2key>".into(),
            tinyid: "144115000000000002".into(),
            instance: 1020,
        }
    }

    #[test]
    fn a_message_is_byte_for_byte_what_the_sdk_sends() {
        let mut composer = Composer::new(Shape::Sdk, 7);
        let mut out = Vec::new();
        let message =
            Outgoing { to: "alice", number: 2_157_230_001, random: 13_094_310, text: "hello alice" };
        composer.message(&mut out, &speaker(), 62_205_539, message, 1_795_298_242);
        let found = frame::locate(&mut out).unwrap().unwrap();
        let text = std::str::from_utf8(&out[found.payload]).unwrap();
        // The example of the protocol reference; its request and client times differ by a second.
        let expected = concat!(
            r#"{"head":{"ver":"v4","platform":7,"websdkappid":537048168,"websdkversion":"1.7.3","a2":"<a2key>","tinyid":"144115000000000002","status_instid":1020,"sdkappid":1400000001,"contenttype":"json","reqtime":1795298242,"sdkability":75689843,"sdkability_ext":"","cappid":0,"cs":1903434603,"servcmd":"openim.sendmsg","seq":62205539},"#,
            r#""body":{"From_Account":"bob","To_Account":"alice","MsgSeq":2157230001,"MsgRandom":13094310,"MsgBody":[{"MsgType":"TIMTextElem","MsgContent":{"Text":"hello alice"}}],"CloudCustomData":"","From_AccountNick":"","From_AccountHeadurl":"","OfflinePushInfo":{"PushFlag":0,"Title":"","Desc":"","Ext":"","ApnsInfo":{"Sound":"","BadgeMode":0,"Image":"","InterruptionLevel":"active","ContentAvailable":0},"AndroidInfo":{"Sound":"","XiaoMiChannelID":"","OPPOChannelID":"","GoogleChannelID":"","VIVOClassification":1,"VIVOCategory":"","HuaWeiCategory":"","OPPOCategory":"","HuaWeiImage":"","HonorImage":"","GoogleImage":"","HonorImportance":""}},"SendMsgControl":[],"MsgClientTime":1795298242,"IsNeedReadReceipt":1,"SupportMessageExtension":0,"IsRelayMsg":0}}"#,
        );
        assert_eq!(text, expected);
    }

    #[test]
    fn a_login_carries_the_signature_and_no_session() {
        let mut composer = Composer::new(Shape::Sdk, 7);
        let mut out = Vec::new();
        let speaker = Speaker { a2: String::new(), ..speaker() };
        composer.command(&mut out, &speaker, "im_open_status.wslogin", 1, r#"{"State":"Online"}"#);
        let found = frame::locate(&mut out).unwrap().unwrap();
        let value: serde_json::Value = serde_json::from_slice(&out[found.payload]).unwrap();
        assert_eq!(value["head"]["usersig"], "<signature>");
        assert_eq!(value["head"]["cs"], 0);
        assert!(value["head"].get("a2").is_none());
    }
}
