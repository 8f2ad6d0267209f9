//! Commands on conversations: the list, and what an account sets for its entries.

pub mod im_msg_db_logic_ws_get_do_not_disturb;
pub mod im_msg_db_logic_ws_set_do_not_disturb;
pub mod openim_get_c2c_peer_mute_notifications;
pub mod openim_get_peer_read_time;
pub mod openim_set_c2c_peer_mute_notifications;
mod paging;
pub mod recentcontact_batch_delete;
pub mod recentcontact_clear_msg;
pub mod recentcontact_create_contact_group;
pub mod recentcontact_del_contact_group;
pub mod recentcontact_delete;
pub mod recentcontact_get_contact_group;
pub mod recentcontact_get_list;
pub mod recentcontact_mark_contact;
pub mod recentcontact_page_get;
pub mod recentcontact_search_contact_group;
pub mod recentcontact_top;
pub mod recentcontact_update_contact_group;
pub mod whimbrel_conversation_erase;
mod wire;

use command::{AnyCommand, Call, Erased};
use model::{ErrorCode, Result};

/// Every command of this noun.
#[must_use]
pub fn commands() -> Vec<Box<dyn AnyCommand>> {
    vec![
        Erased::<im_msg_db_logic_ws_get_do_not_disturb::GetDoNotDisturb>::boxed(),
        Erased::<im_msg_db_logic_ws_set_do_not_disturb::SetDoNotDisturb>::boxed(),
        Erased::<openim_get_c2c_peer_mute_notifications::GetRemindTypes>::boxed(),
        Erased::<openim_get_peer_read_time::GetPeerReadTimes>::boxed(),
        Erased::<openim_set_c2c_peer_mute_notifications::SetRemindType>::boxed(),
        Erased::<recentcontact_batch_delete::DeleteConversations>::boxed(),
        Erased::<recentcontact_clear_msg::ClearHistory>::boxed(),
        Erased::<recentcontact_create_contact_group::CreateGroup>::boxed(),
        Erased::<recentcontact_del_contact_group::DeleteGroup>::boxed(),
        Erased::<recentcontact_delete::DeleteConversation>::boxed(),
        Erased::<recentcontact_get_contact_group::GetMarked>::boxed(),
        Erased::<recentcontact_get_list::ListConversations>::boxed(),
        Erased::<recentcontact_mark_contact::Mark>::boxed(),
        Erased::<recentcontact_page_get::PageConversations>::boxed(),
        Erased::<recentcontact_search_contact_group::SearchMarked>::boxed(),
        Erased::<recentcontact_top::Pin>::boxed(),
        Erased::<recentcontact_update_contact_group::UpdateGroup>::boxed(),
        Erased::<whimbrel_conversation_erase::EraseConversation>::boxed(),
    ]
}

/// Refuses global do not disturb where the app has switched it off.
///
/// # Errors
/// `GlobalDoNotDisturbOff`.
fn global_do_not_disturb_is_on(call: &Call) -> Result<()> {
    if call.app.settings.global_do_not_disturb {
        Ok(())
    } else {
        Err(ErrorCode::GlobalDoNotDisturbOff.into())
    }
}

pub use wire::{Contact, ContactResult, GroupItem, MarkedContact, marks_text};
