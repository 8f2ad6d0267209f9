//! Commands that search: messages, accounts, and what there will be of groups.

pub mod group_member_search_query;
pub mod group_search_query;
pub mod message_search_query;
pub mod user_search_query;
pub mod wire;

use command::{AnyCommand, Erased};

/// Every command of this noun.
#[must_use]
pub fn commands() -> Vec<Box<dyn AnyCommand>> {
    vec![
        Erased::<group_member_search_query::SearchMembers>::boxed(),
        Erased::<group_search_query::SearchGroups>::boxed(),
        Erased::<message_search_query::SearchMessages>::boxed(),
        Erased::<user_search_query::SearchAccounts>::boxed(),
    ]
}
