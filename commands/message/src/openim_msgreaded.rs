//! `openim.msgreaded`: reports what was read.

use command::{Call, Callers, Command, Done, Family, Spec};
use model::{ErrorCode, Result, Seconds, UserId};
use schemars::JsonSchema;
use serde::Deserialize;

/// The most conversations in one report.
pub const ITEMS_MAX: usize = 100;

/// Reports up to where conversations were read.
#[derive(Deserialize, JsonSchema)]
pub struct ReportRead {
    /// The report.
    #[serde(rename = "C2CMsgReaded")]
    pub report: Report,
}

/// A report about one-to-one conversations.
#[derive(Deserialize, JsonSchema)]
pub struct Report {
    /// One item per conversation.
    #[serde(rename = "C2CMsgReadedItem")]
    pub items: Vec<Item>,
}

/// A conversation.
#[derive(Deserialize, JsonSchema)]
pub struct Item {
    /// The other side.
    #[serde(rename = "To_Account")]
    pub peer: UserId,
    /// The time of the last message that was read.
    #[serde(rename = "LastedMsgTime")]
    pub up_to: Seconds,
}

impl Command for ReportRead {
    const SPEC: Spec = Spec::new("openim/msgreaded", Family::MESSAGE)
        .callers(Callers::ACCOUNT)
        .fails_with(&[ErrorCode::TooManyAccounts, ErrorCode::ReceiverMissing]);

    type Reply = Done;

    async fn run(self, call: &Call) -> Result<Done> {
        if self.report.items.len() > ITEMS_MAX {
            return Err(ErrorCode::TooManyAccounts
                .because(format!("C2CMsgReadedItem: at most {ITEMS_MAX} conversations")));
        }
        let reader = call.actor("From_Account", None, ErrorCode::SenderUnknown).await?;
        for item in self.report.items {
            let peer = call.account("To_Account", &item.peer, ErrorCode::ReceiverMissing).await?;
            call.engine.read(&call.app, &reader, &peer, item.up_to, call.instance()).await?;
        }
        Ok(Done {})
    }
}
