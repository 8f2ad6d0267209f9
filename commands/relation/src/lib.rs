//! Commands on relations: friends, applications, friend lists, block lists, and who follows whom.

pub mod checks;
pub mod follow_follow_add;
pub mod follow_follow_check;
pub mod follow_follow_delete;
pub mod follow_follow_get;
pub mod follow_follow_get_info;
mod follows;
mod shown;
pub mod sns_black_list_add;
pub mod sns_black_list_check;
pub mod sns_black_list_delete;
pub mod sns_black_list_get;
pub mod sns_friend_add;
pub mod sns_friend_check;
pub mod sns_friend_delete;
pub mod sns_friend_delete_all;
pub mod sns_friend_get;
pub mod sns_friend_get_list;
pub mod sns_friend_get_specified;
pub mod sns_friend_import;
pub mod sns_friend_response;
pub mod sns_friend_update;
pub mod sns_group_add;
pub mod sns_group_delete;
pub mod sns_group_get;
pub mod sns_group_update;
pub mod sns_pendency_delete;
pub mod sns_pendency_get;
pub mod sns_pendency_report;
pub mod wire;

use command::{AnyCommand, Erased};

/// Every command of this noun.
#[must_use]
pub fn commands() -> Vec<Box<dyn AnyCommand>> {
    vec![
        Erased::<follow_follow_add::Follow>::boxed(),
        Erased::<follow_follow_check::CheckFollows>::boxed(),
        Erased::<follow_follow_delete::Unfollow>::boxed(),
        Erased::<follow_follow_get::GetFollows>::boxed(),
        Erased::<follow_follow_get_info::GetFollowCounts>::boxed(),
        Erased::<sns_black_list_add::Block>::boxed(),
        Erased::<sns_black_list_check::CheckBlocked>::boxed(),
        Erased::<sns_black_list_delete::Unblock>::boxed(),
        Erased::<sns_black_list_get::GetBlocked>::boxed(),
        Erased::<sns_friend_add::AddFriends>::boxed(),
        Erased::<sns_friend_check::CheckFriends>::boxed(),
        Erased::<sns_friend_delete::DeleteFriends>::boxed(),
        Erased::<sns_friend_delete_all::DeleteAllFriends>::boxed(),
        Erased::<sns_friend_get::GetFriends>::boxed(),
        Erased::<sns_friend_get_list::GetFriendList>::boxed(),
        Erased::<sns_friend_get_specified::GetSpecified>::boxed(),
        Erased::<sns_friend_import::ImportFriends>::boxed(),
        Erased::<sns_friend_response::Respond>::boxed(),
        Erased::<sns_friend_update::UpdateFriends>::boxed(),
        Erased::<sns_group_add::AddGroups>::boxed(),
        Erased::<sns_group_delete::DeleteGroups>::boxed(),
        Erased::<sns_group_get::GetGroups>::boxed(),
        Erased::<sns_group_update::UpdateGroup>::boxed(),
        Erased::<sns_pendency_delete::DeletePending>::boxed(),
        Erased::<sns_pendency_get::GetPending>::boxed(),
        Erased::<sns_pendency_report::ReportPending>::boxed(),
    ]
}
