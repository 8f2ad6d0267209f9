//! `sns.pendency_delete`: takes applications out of the caller's view.

use command::scalar::AnyName;
use command::{Call, Callers, Command, Family, Spec};
use model::{AccountNumber, ErrorCode, Result, UserId};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::sns_pendency_get::{PAGE_MAX, PendingKind};
use crate::wire::{Results, account, batch, check_batch};

/// Takes up to 100 applications out of the caller's view. The other side keeps its own.
#[derive(Deserialize, JsonSchema)]
pub struct DeletePending {
    /// The caller.
    #[serde(rename = "From_Account", default)]
    pub owner: Option<UserId>,
    /// Which ones.
    #[serde(rename = "PendencyType", default)]
    pub kind: PendingKind,
    /// The other sides.
    #[serde(rename = "To_Account")]
    pub others: Vec<AnyName>,
}

impl Command for DeletePending {
    const SPEC: Spec =
        Spec::new("sns/pendency_delete", Family::RELATION).callers(Callers::ACCOUNT).fails_with(&[
            ErrorCode::RelationAccountUnknown,
            ErrorCode::RelationConflict,
            ErrorCode::RequestUnknown,
            ErrorCode::DiskFull,
        ]);

    type Reply = Results;

    async fn run(self, call: &Call) -> Result<Results> {
        let owner =
            call.actor("From_Account", self.owner.as_ref(), ErrorCode::RelationAccountUnknown).await?;
        check_batch("To_Account", self.others.len(), PAGE_MAX)?;
        let mut items = Vec::with_capacity(self.others.len());
        for name in self.others {
            let found = account(call, &name).await?;
            items.push((name.0, found.map(|other| (other.number, other.user.clone()))));
        }
        let way = self.kind.way();
        batch(items, async |others: Vec<(AccountNumber, UserId)>| {
            let was_there = call.engine.delete_requests(&call.app, &owner, &others, way).await?;
            let unknown = || ErrorCode::RequestUnknown.into();
            Ok(was_there.into_iter().map(|was_there| was_there.then_some(()).ok_or_else(unknown)).collect())
        })
        .await
    }
}
