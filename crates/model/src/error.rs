//! The error table: one number, one name and one sentence each.
//!
//! Numbers are those of the service's documentation (pages 1047/34348 and 269/1671). Numbers of our own start at
//! 200,000. A number never changes or returns to use; a sentence may be improved. Where the documents
//! give one number to several services ([`ErrorCode::SHARED`]), each of its meanings has a name of its own.

use std::borrow::Cow;
use std::fmt;

/// The result of anything that can be refused.
pub type Result<T> = std::result::Result<T, Error>;

/// A refusal: its documented number, and what was wrong in this case.
#[derive(Clone, PartialEq, Eq)]
pub struct Error {
    /// The documented number.
    pub code: ErrorCode,
    /// What was wrong with which field, for the caller. Holds no secret and no body.
    pub info: Cow<'static, str>,
    /// Why it failed, for the log only.
    pub cause: Option<Box<str>>,
    /// JSON fields (without braces) that the answer carries beside the number, as some errors do.
    pub details: Option<Box<str>>,
}

impl Error {
    /// Adds the cause that goes to the log, never to the caller.
    #[must_use]
    pub fn caused_by(mut self, cause: impl fmt::Display) -> Self {
        self.cause = Some(cause.to_string().into());
        self
    }

    /// Adds fields to the answer, as JSON without braces: `"KickType":1`.
    #[must_use]
    pub fn with_details(mut self, fields: impl Into<Box<str>>) -> Self {
        self.details = Some(fields.into());
        self
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.code.number(), self.info)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")?;
        if let Some(cause) = &self.cause {
            write!(f, " ({cause})")?;
        }
        Ok(())
    }
}

impl std::error::Error for Error {}

impl From<ErrorCode> for Error {
    fn from(code: ErrorCode) -> Self {
        Self { code, info: Cow::Borrowed(code.sentence()), cause: None, details: None }
    }
}

macro_rules! error_table {
    ($($number:literal $name:ident $sentence:literal;)*) => {
        /// Every error that this server answers.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum ErrorCode {
            $(#[doc = concat!(stringify!($number), ": ", $sentence)] $name,)*
        }

        impl ErrorCode {
            /// The whole table in the order of the numbers.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The number on the wire.
            #[must_use]
            pub const fn number(self) -> i64 {
                match self { $(Self::$name => $number,)* }
            }

            /// What the error means in general.
            #[must_use]
            pub const fn sentence(self) -> &'static str {
                match self { $(Self::$name => $sentence,)* }
            }

            /// The name in the code and in `api/errors.md`.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$name => stringify!($name),)* }
            }
        }
    };
}

error_table! {
    1001 ArchiveAddressWrong "this is the address of no archive";
    1002 Kicked "this login was ended by another one";
    1002 ArchiveBadParameter "a parameter is wrong";
    1003 ArchiveInternal "internal error, or others read archives at this moment: try again";
    1004 ArchiveEmpty "the hour is not over yet, or nothing was sent in it";
    1005 ArchiveExpired "archives are there for seven days, and an address is good for an hour";
    2001 ModerationInternal "internal error, try again";
    2003 ModerationBadParameter "a parameter is wrong";
    2015 ModerationOff "nothing here looks at content of this kind";
    2016 TooManyKeywords "1 to 10 keywords at once";
    10002 RobotInternal "internal error, try again";
    10004 RobotBadParameter "a parameter is wrong, or there is no such robot";
    10008 RobotRefused "only an administrator of the app may do this, and an app has at most 20 robots";
    20003 MessageAccountUnknown "the sender or the receiver does not exist";
    20007 BlockedByReceiver "the receiver has blocked the sender";
    20009 NotFriends "neither has the other on its list of friends, as the app demands";
    20010 SenderNotFriend "the sender is not on the receiver's list of friends, as the app demands";
    20011 ReceiverNotFriend "the receiver is not on the sender's list of friends, as the app demands";
    20012 Muted "the sender is muted";
    20016 RecallTooLate "the time to recall this message has passed";
    20022 RecallMessageMissing "the message to recall does not exist";
    20023 AlreadyRecalled "the message is already recalled";
    20026 ModifiedMissing "the message to modify does not exist";
    20027 ModifyConflict "somebody else has modified the message meanwhile";
    23001 ExtensionConflict "the extension was changed meanwhile: read it and try again";
    23004 ExtensionMissing "the message has no extension with this key";
    23005 TooManyReactions "a message has at most 10 different reactions";
    23006 TooManyReacted "a reaction has at most 100 accounts";
    23007 AlreadyReacted "the account has put this reaction there already";
    23008 ReactionMissing "the message has no such reaction";
    23009 NotReacted "the account has not put this reaction there";
    30001 RelationBadParameter "a parameter is wrong, or the entry is already or not in the list";
    30003 RelationAccountUnknown "the account does not exist";
    30004 RelationNotAdministrator "only an administrator of the app may do this";
    30005 RelationRefused "following is switched off for this app, or a text holds a keyword that the app refuses";
    30006 RelationInternal "internal error, try again";
    30008 RelationConflict "others changed the same relations at this moment: use one batch, or try again";
    30009 MayNotAsk "this account may not ask for friendship";
    30010 FriendsFull "the list of friends is full";
    30011 FriendGroupsFull "an account has at most 32 friend lists";
    30012 RequestsFull "100 applications wait already, those made by one side or those for the other";
    30013 BlockListFull "the block list is full";
    30014 OtherFriendsFull "the other side's list of friends is full";
    30515 BlockedByOwner "the account is on the caller's own block list";
    30516 DeniesEverybody "the account wants no new friends";
    30525 BlockedByOther "the caller is on the account's block list";
    30539 WaitsForConfirmation "the account was asked and has to agree";
    30614 RequestUnknown "there is no such application";
    31704 NotAFriend "the account is not a friend";
    32207 FriendGroupExists "there is a friend list of this name";
    32216 NotAFriendForGroup "the account is not a friend and cannot be put into a list";
    40001 ProfileBadParameter "a parameter is wrong";
    40002 ProfileNoAccount "no account is given";
    40003 ProfileAccountUnknown "the account does not exist";
    40004 ProfileNotAdministrator "only an administrator of the app may do this";
    40005 ProfileTextRefused "the value holds a keyword that the app refuses";
    40006 ProfileInternal "internal error, try again";
    40007 ProfileNotReadable "this field may not be read by this caller";
    40008 ProfileNotWritable "this field may not be written by this caller";
    40009 ProfileTagUnknown "the profile has no such field";
    40601 ProfileValueTooLong "a profile value has at most 500 bytes";
    40605 ProfileValueIllegal "the value is not allowed for this profile field";
    40610 ProfileValueType "the value has the wrong type for this profile field";
    50001 ContactAccountUnknown "the account does not exist";
    50002 ContactBadParameter "a parameter is wrong";
    50003 ContactNotAdministrator "only an administrator of the app may do this";
    50004 ContactInternal "internal error, try again";
    51006 TooManyConversations "an operation takes 1 to 100 conversations";
    51007 GroupConversationMissing "the group of this conversation is gone, or does not let the account in";
    51008 TooManyMarkedConversations "at most 1000 conversations carry marks or custom data, or are in conversation groups";
    51009 ContactGroupUnknown "there is no conversation group of this name";
    51010 TooManyContactGroups "an account has at most 20 conversation groups";
    51011 ContactGroupNameLength "the name of a conversation group has 1 to 32 bytes";
    51012 TooManyPinned "at most 50 conversations are pinned";
    60003 BadJson "the body is not valid JSON";
    60004 BadIdentifier "the identifier is not a UserID";
    60005 BadSignatureParameter "the signature is missing or wrong";
    60006 AppUnknown "the SDKAppID is not valid";
    60007 CommandTooOften "this command is called too often";
    60008 BadHttp "the HTTP request is wrong or took too long";
    60009 CommandUnknown "this command does not exist here";
    60010 NotAdministrator "the identifier is not an administrator of the app";
    60012 AppMissing "the SDKAppID is missing";
    60016 AppDisabled "the app is suspended or terminated";
    60020 FeatureMissing "this server does not offer this";
    60025 BadQuery "sdkappid, identifier, usersig or contenttype is wrong";
    70001 UserSigExpired "the UserSig has expired";
    70002 UserSigEmpty "the UserSig is empty";
    70003 UserSigMalformed "the UserSig cannot be decoded";
    70009 UserSigKeyMismatch "the UserSig was not made with a key of the app";
    70013 UserSigAccountMismatch "the UserSig belongs to another account";
    70014 UserSigAppMismatch "the UserSig belongs to another app";
    70020 NoSuchApp "the app does not exist";
    70052 UserSigRevoked "the UserSig was made before the account was kicked";
    70107 AccountUnknown "the account does not exist";
    70206 AccountBatchSize "the number of accounts in the batch is wrong";
    70398 AccountQuota "the app's package has no room for another account";
    70402 AccountBadParameter "a parameter is wrong";
    70403 AccountNotAdministrator "only an administrator of the app may do this";
    70500 AccountInternal "internal error, try again";
    72001 StatusOff "user status is switched off for this app";
    72011 GlobalDoNotDisturbOff "global do not disturb is switched off for this app";
    80001 TextRefused "the text holds a keyword that the app refuses";
    80002 MessageTooLong "the message has more than 12 KB";
    90001 MessageBadJson "the JSON is wrong";
    90002 MessageBodyMalformed "MsgBody is malformed: an element needs MsgType and MsgContent";
    90003 ReceiverMissing "To_Account is missing or no UserID";
    90005 RandomMissing "MsgRandom is missing or no 32-bit number";
    90006 TimeStampMissing "MsgTimeStamp is missing or no 32-bit number";
    90007 BodyNotArray "MsgBody is not an array";
    90008 SenderUnknown "From_Account is missing, no UserID, or unknown";
    90009 MessageNotAdministrator "only an administrator of the app may do this";
    90010 ElementMalformed "an element of MsgBody does not fit its type";
    90011 TooManyReceivers "at most 500 receivers at once";
    90012 ReceiverUnknown "To_Account does not exist";
    90018 TooManyAccounts "too many accounts in the request";
    90026 LifeTimeTooLong "MsgLifeTime is outside 0 to 604800 seconds";
    90030 SyncFromOldSystemMissing "SyncFromOldSystem is missing or neither 2 nor 5";
    90031 SyncOtherMachineType "SyncOtherMachine is not an integer";
    90043 OfflinePushInfoMalformed "OfflinePushInfo is not an object";
    90044 LifeTimeType "MsgLifeTime is not an integer";
    90054 KeyMalformed "the MsgKey is malformed";
    90057 BatchTooOften "more than 12000 receivers within a minute";
    91000 MessageServiceUnavailable "the service cannot do this at the moment, try again";
    93000 ContentTooLong "the content to look at has more than 8 KB";
    93005 ContentKindUnknown "a batch takes texts and images only";
    93007 ContentIdTwice "two contents of the batch have the same ContentId";
    93008 TooManyContents "1 to 10 contents at once";
    130_001 ConfigBadJson "the JSON is wrong";
    130_004 MuteAccountMissing "Set_Account or Get_Account is missing";
    130_005 MuteAccountInvalid "Set_Account or Get_Account is no UserID, or does not exist";
    130_008 MuteTimeMissing "neither C2CmsgNospeakingTime nor GroupmsgNospeakingTime is given";
    130_011 StatisticsUnreadable "the statistics cannot be read, try again";
    130_014 ConfigInternal "internal error, try again";
    200_001 FrameTooDeep "objects and arrays nest too deep";
    200_002 DiskFull "free space is below the floor: nothing new is stored, reading goes on; try again later";
    200_004 NotLoggedIn "log in first";
    200_005 SettingUnknown "the app has no such setting";
    200_006 SettingInvalid "the value is not allowed for this setting";
    200_007 NotStored "the app stores no data of this class";
    200_008 NobodyOnline "the app stores no messages and the receiver is not online";
    200_009 ProposalUnknown "there is no such proposal, it is older than an hour, or something else is in effect by now";
    200_010 HoldUnknown "there is no such legal hold";
    200_011 ExportUnknown "there is no such export, its time is over, or its account was erased";
    200_012 SettingsChanged "the settings were changed meanwhile: read them and try again";
    200_013 StreamOver "there is no such stream, or it has ended";
    200_014 StreamsFull "the app has 1000 open streams: end some, or try again";
}

impl ErrorCode {
    /// Numbers that the documents use for several errors: which one is meant, the command that answers says.
    pub const SHARED: &'static [i64] = &[1002];

    /// This error, with what was wrong in this case.
    #[must_use]
    pub fn because(self, info: impl Into<Cow<'static, str>>) -> Error {
        Error { code: self, info: info.into(), cause: None, details: None }
    }

    /// This error, naming the field that was wrong.
    #[must_use]
    pub fn in_field(self, field: &str, what: impl fmt::Display) -> Error {
        self.because(format!("{field}: {what}"))
    }

    /// Whether the number is one of ours rather than the documentation's.
    #[must_use]
    pub const fn is_ours(self) -> bool {
        self.number() >= 200_000
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_rise_and_are_used_once() {
        for pair in ErrorCode::ALL.windows(2) {
            let (one, other) = (pair[0].number(), pair[1].number());
            // Services that the documents give the same number stand beside each other.
            assert!(one < other || one == other && ErrorCode::SHARED.contains(&one), "{one} {other}");
        }
        for shared in ErrorCode::SHARED {
            assert!(ErrorCode::ALL.iter().filter(|code| code.number() == *shared).count() > 1, "{shared}");
        }
    }

    #[test]
    fn no_number_lies_in_the_ranges_that_clients_use_or_webhooks_own() {
        for code in ErrorCode::ALL {
            let number = code.number();
            // Those of content moderation go to back ends only: an account that calls its commands is refused with 60010.
            let is_for_back_ends = (2001..=2100).contains(&number);
            let is_of_the_sdk = (2000..4000).contains(&number) && !is_for_back_ends;
            assert!(!is_of_the_sdk, "{number} is produced by the SDK itself");
            assert!(!(10_100..=10_200).contains(&number), "{number} means a webhook's verdict");
            assert!(!(120_001..=130_000).contains(&number), "{number} means a webhook's verdict");
        }
    }

    #[test]
    fn the_cause_is_for_the_log_and_the_sentence_for_the_caller() {
        let error = Error::from(ErrorCode::MessageServiceUnavailable).caused_by("disk on fire");
        assert_eq!(error.to_string(), "91000 the service cannot do this at the moment, try again");
        assert!(format!("{error:?}").contains("disk on fire"));
    }
}
