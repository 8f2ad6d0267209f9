//! Commands on relations: block lists, and the start-up questions about friends.

pub mod sns_black_list_add;
pub mod sns_black_list_check;
pub mod sns_black_list_delete;
pub mod sns_black_list_get;
pub mod start_up;

use command::{AnyCommand, Erased};

/// Every command of this noun.
#[must_use]
pub fn commands() -> Vec<Box<dyn AnyCommand>> {
    vec![
        Erased::<sns_black_list_add::Block>::boxed(),
        Erased::<sns_black_list_check::CheckBlocked>::boxed(),
        Erased::<sns_black_list_delete::Unblock>::boxed(),
        Erased::<sns_black_list_get::GetBlocked>::boxed(),
        Erased::<start_up::GetFriends>::boxed(),
        Erased::<start_up::GetFriendGroups>::boxed(),
        Erased::<start_up::GetPending>::boxed(),
    ]
}

/// The result of one account in a batch.
#[derive(Debug, serde::Serialize, schemars::JsonSchema)]
pub struct ItemResult {
    /// Who.
    #[serde(rename = "To_Account")]
    pub name: String,
    /// 0, or why not.
    #[serde(rename = "ResultCode")]
    pub code: i64,
    /// The reason.
    #[serde(rename = "ResultInfo")]
    pub info: String,
}

impl ItemResult {
    /// Done.
    #[must_use]
    pub const fn done(name: String) -> Self {
        Self { name, code: 0, info: String::new() }
    }

    /// Not done.
    #[must_use]
    pub fn failed(name: String, code: model::ErrorCode, info: &str) -> Self {
        Self { name, code: code.number(), info: info.to_owned() }
    }
}

/// The results of a batch.
#[derive(Debug, Default, serde::Serialize, schemars::JsonSchema)]
pub struct Results {
    /// In the order of the request.
    #[serde(rename = "ResultItem")]
    pub items: Vec<ItemResult>,
    /// The accounts that failed.
    #[serde(rename = "Fail_Account", skip_serializing_if = "Vec::is_empty")]
    pub failed: Vec<String>,
}

impl Results {
    /// Adds a result.
    pub fn push(&mut self, item: ItemResult) {
        if item.code != 0 {
            self.failed.push(item.name.clone());
        }
        self.items.push(item);
    }
}
