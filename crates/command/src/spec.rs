//! What a command declares about itself.

use model::{Error, ErrorCode};

/// Who may call a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Callers {
    /// An administrator of the app, over REST.
    pub administrator: bool,
    /// A logged-in account, over the socket.
    pub account: bool,
    /// A connection without login.
    pub nobody: bool,
}

impl Callers {
    /// Administrators only.
    pub const ADMINISTRATOR: Self = Self { administrator: true, account: false, nobody: false };
    /// Logged-in accounts only.
    pub const ACCOUNT: Self = Self { administrator: false, account: true, nobody: false };
    /// Both.
    pub const BOTH: Self = Self { administrator: true, account: true, nobody: false };
    /// Any connection, logged in or not.
    pub const ANYBODY: Self = Self { administrator: false, account: true, nobody: true };
}

/// The error numbers that a family of commands uses for what every command can meet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Family {
    /// A field is missing or wrong, and no number of its own is declared for it.
    pub bad_request: ErrorCode,
    /// The caller is no administrator.
    pub not_administrator: ErrorCode,
    /// Something failed inside.
    pub internal: ErrorCode,
    /// Whether answers carry `ErrorDisplay`.
    pub has_display: bool,
    /// Whether `ErrorInfo` says `OK` where nothing failed; otherwise it is empty.
    pub says_ok: bool,
}

impl Family {
    /// Messages, `openim`.
    pub const MESSAGE: Self = Self {
        bad_request: ErrorCode::MessageBadJson,
        not_administrator: ErrorCode::MessageNotAdministrator,
        internal: ErrorCode::MessageServiceUnavailable,
        has_display: false,
        says_ok: false,
    };
    /// Accounts, `im_open_login_svc`.
    pub const ACCOUNT: Self = Self {
        bad_request: ErrorCode::AccountBadParameter,
        not_administrator: ErrorCode::AccountNotAdministrator,
        internal: ErrorCode::AccountInternal,
        has_display: false,
        says_ok: false,
    };
    /// Configuration, `openconfigsvr`.
    pub const CONFIG: Self = Self {
        bad_request: ErrorCode::ConfigBadJson,
        not_administrator: ErrorCode::NotAdministrator,
        internal: ErrorCode::ConfigInternal,
        has_display: false,
        says_ok: false,
    };
    /// Profiles, `profile`.
    pub const PROFILE: Self = Self {
        bad_request: ErrorCode::ProfileBadParameter,
        not_administrator: ErrorCode::ProfileNotAdministrator,
        internal: ErrorCode::ProfileInternal,
        has_display: true,
        says_ok: false,
    };
    /// Relations, `sns` and `follow`.
    pub const RELATION: Self = Self {
        bad_request: ErrorCode::RelationBadParameter,
        not_administrator: ErrorCode::RelationNotAdministrator,
        internal: ErrorCode::RelationInternal,
        has_display: true,
        says_ok: false,
    };
    /// Robots, `openim_robot_http_svc`.
    pub const ROBOT: Self = Self {
        bad_request: ErrorCode::RobotBadParameter,
        not_administrator: ErrorCode::RobotRefused,
        internal: ErrorCode::RobotInternal,
        has_display: false,
        says_ok: false,
    };
    /// Content moderation, `im_msg_audit`.
    pub const MODERATION: Self = Self {
        bad_request: ErrorCode::ModerationBadParameter,
        not_administrator: ErrorCode::NotAdministrator,
        internal: ErrorCode::ModerationInternal,
        has_display: false,
        says_ok: false,
    };
    /// Archives of messages, `open_msg_svc`. Their commands go to back ends only; 1002 would tell an account that it was
    /// kicked.
    pub const ARCHIVE: Self = Self {
        bad_request: ErrorCode::ArchiveBadParameter,
        not_administrator: ErrorCode::NotAdministrator,
        internal: ErrorCode::ArchiveInternal,
        has_display: false,
        says_ok: false,
    };
    /// Conversations, `recentcontact`.
    pub const CONTACT: Self = Self {
        bad_request: ErrorCode::ContactBadParameter,
        not_administrator: ErrorCode::ContactNotAdministrator,
        internal: ErrorCode::ContactInternal,
        has_display: true,
        says_ok: false,
    };
}

/// Numbers for internal errors that parts of the engine answer whoever asks.
const INTERNAL: [ErrorCode; 3] =
    [ErrorCode::MessageServiceUnavailable, ErrorCode::AccountInternal, ErrorCode::ConfigInternal];

impl Family {
    /// An error as callers of this family are told of it: with the family's own number for what failed inside.
    #[must_use]
    pub fn tell(self, error: Error) -> Error {
        if error.code == self.internal || !INTERNAL.contains(&error.code) {
            return error;
        }
        Error { code: self.internal, info: self.internal.sentence().into(), ..error }
    }
}

/// What a command declares about itself.
#[derive(Clone, Copy, Debug)]
pub struct Spec {
    /// `<service>/<command>`, as in the address of a REST call; over the socket with a dot.
    pub name: &'static str,
    /// Further names by which it is called.
    pub aliases: &'static [&'static str],
    /// Who may call it.
    pub callers: Callers,
    /// Calls per second and app over REST.
    pub calls_per_second: u32,
    /// Its family's error numbers.
    pub family: Family,
    /// Error numbers of single fields.
    pub field_errors: &'static [(&'static str, ErrorCode)],
    /// The errors that it answers besides those of its family and of the pipeline.
    pub errors: &'static [ErrorCode],
}

impl Spec {
    /// A command of this name and family, for administrators, 200 times a second.
    #[must_use]
    pub const fn new(name: &'static str, family: Family) -> Self {
        Self {
            name,
            aliases: &[],
            callers: Callers::ADMINISTRATOR,
            calls_per_second: 200,
            family,
            field_errors: &[],
            errors: &[],
        }
    }

    /// Which further names it has.
    #[must_use]
    pub const fn aliases(mut self, names: &'static [&'static str]) -> Self {
        self.aliases = names;
        self
    }

    /// Who may call it.
    #[must_use]
    pub const fn callers(mut self, callers: Callers) -> Self {
        self.callers = callers;
        self
    }

    /// How often per second and app it may be called over REST.
    #[must_use]
    pub const fn per_second(mut self, calls: u32) -> Self {
        self.calls_per_second = calls;
        self
    }

    /// Which numbers single fields have when they are missing or wrong.
    #[must_use]
    pub const fn fields(mut self, errors: &'static [(&'static str, ErrorCode)]) -> Self {
        self.field_errors = errors;
        self
    }

    /// Which errors it answers.
    #[must_use]
    pub const fn fails_with(mut self, errors: &'static [ErrorCode]) -> Self {
        self.errors = errors;
        self
    }

    /// Service and command.
    #[must_use]
    pub fn parts(&self) -> (&'static str, &'static str) {
        self.name.split_once('/').unwrap_or((self.name, ""))
    }
}
