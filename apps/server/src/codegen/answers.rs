//! Which errors a call can be answered with, from what commands declare and from what stands before them.

use std::collections::BTreeSet;

use command::AnyCommand;
use model::ErrorCode;

use super::schemas;

/// What a REST call can be answered before its command is found: see `gateway::rest` and `gateway::http`.
pub(super) const BEFORE_REST: &[ErrorCode] = &[
    ErrorCode::BadIdentifier,
    ErrorCode::BadSignatureParameter,
    ErrorCode::AppUnknown,
    ErrorCode::AppDisabled,
    ErrorCode::BadHttp,
    ErrorCode::CommandUnknown,
    ErrorCode::NotAdministrator,
    ErrorCode::AppMissing,
    ErrorCode::BadQuery,
    ErrorCode::UserSigExpired,
    ErrorCode::UserSigEmpty,
    ErrorCode::UserSigMalformed,
    ErrorCode::UserSigKeyMismatch,
    ErrorCode::UserSigAccountMismatch,
    ErrorCode::UserSigAppMismatch,
    ErrorCode::UserSigRevoked,
    ErrorCode::MessageServiceUnavailable,
];

/// What a frame can be answered before its command is found: see `gateway::socket`.
pub(super) const BEFORE_SOCKET: &[ErrorCode] = &[
    ErrorCode::Kicked,
    ErrorCode::BadJson,
    ErrorCode::BadIdentifier,
    ErrorCode::AppUnknown,
    ErrorCode::AppDisabled,
    ErrorCode::CommandUnknown,
    ErrorCode::UserSigExpired,
    ErrorCode::UserSigEmpty,
    ErrorCode::UserSigMalformed,
    ErrorCode::UserSigKeyMismatch,
    ErrorCode::UserSigAccountMismatch,
    ErrorCode::UserSigAppMismatch,
    ErrorCode::UserSigRevoked,
    ErrorCode::NoSuchApp,
    ErrorCode::MessageServiceUnavailable,
    ErrorCode::NotLoggedIn,
];

/// What the pipeline answers over REST in place of any command.
pub(super) const PIPELINE_REST: &[ErrorCode] = &[ErrorCode::CommandTooOften, ErrorCode::FrameTooDeep];

/// What the pipeline answers over the socket in place of any command.
pub(super) const PIPELINE_SOCKET: &[ErrorCode] = &[ErrorCode::FrameTooDeep];

/// What the commands of the command line answer: see `whimbrel app`.
pub(super) const COMMAND_LINE: &[ErrorCode] =
    &[ErrorCode::NoSuchApp, ErrorCode::SettingUnknown, ErrorCode::SettingInvalid, ErrorCode::HoldUnknown];

/// What a command itself answers, in the order of the numbers.
pub(super) fn of_command(command: &dyn AnyCommand) -> BTreeSet<ErrorCode> {
    let spec = command.spec();
    let fields = schemas::fields(command);
    let of_fields =
        spec.field_errors.iter().filter(|(name, _)| fields.contains(*name)).map(|(_, code)| *code);
    let mut codes: BTreeSet<ErrorCode> = spec.errors.iter().copied().chain(of_fields).collect();
    codes.extend([spec.family.bad_request, spec.family.internal]);
    codes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_answers_what_it_declares_and_only_for_fields_that_it_has() {
        let table = crate::commands::table();
        let (_, send) = table.find("openim/sendmsg").unwrap();
        let codes = of_command(send);
        assert!(codes.contains(&ErrorCode::ReceiverMissing));
        assert!(codes.contains(&ErrorCode::MessageTooLong));
        assert!(codes.contains(&ErrorCode::MessageBadJson));
        assert!(!codes.contains(&ErrorCode::SyncFromOldSystemMissing));
    }
}
