//! Which kinds of records there are.

use ports::{Kind, Record as _};

use crate::annotations::{AnnotationsFact, ExtensionFact, ReactionFact};
use crate::contact_groups::ContactGroupsFact;
use crate::conversation_erasure::ErasedConversationFact;
use crate::do_not_disturb::DoNotDisturbFact;
use crate::erased::ErasedFact;
use crate::erasure::RecalledFact;
use crate::export::ExportFact;
use crate::facts::{
    AccountFact, AppFact, BlockFact, ContactFact, InstallationFact, InstanceFact, ProfileFact, RevokedFact,
    WatchFact,
};
use crate::follow::{FollowCountsFact, FollowFact};
use crate::merged::{MergedFact, MergedUseFact};
use crate::moderation::KeywordFact;
use crate::preserve::{AccessFact, HoldFact, PreservedFact};
use crate::receipts::ReceiptFact;
use crate::relations::{FriendFact, RelationsFact, RequestFact};
use crate::retention::{ChangeFact, ProposalFact, ShortenedFact};
use crate::robots::RobotFact;
use crate::search::{IndexFact, ProgressFact};
use crate::settings::SettingsFact;
use crate::statistics::DailyFact;
use crate::streams::{PieceFact, StreamFact};
use crate::termination::TombstoneFact;

/// Every kind of record that the engine keeps, in the order of their numbers.
#[must_use]
pub fn kinds() -> Vec<Kind> {
    vec![
        AppFact::KIND,
        InstallationFact::KIND,
        AccountFact::KIND,
        ProfileFact::KIND,
        InstanceFact::KIND,
        BlockFact::KIND,
        ContactFact::KIND,
        WatchFact::KIND,
        RevokedFact::KIND,
        RecalledFact::KIND,
        ErasedFact::KIND,
        ProposalFact::KIND,
        ShortenedFact::KIND,
        ChangeFact::KIND,
        ReceiptFact::KIND,
        TombstoneFact::KIND,
        HoldFact::KIND,
        PreservedFact::KIND,
        AccessFact::KIND,
        ExportFact::KIND,
        ErasedConversationFact::KIND,
        SettingsFact::KIND,
        FriendFact::KIND,
        RelationsFact::KIND,
        FollowFact::KIND,
        FollowCountsFact::KIND,
        ContactGroupsFact::KIND,
        DoNotDisturbFact::KIND,
        ExtensionFact::KIND,
        AnnotationsFact::KIND,
        ReactionFact::KIND,
        RobotFact::KIND,
        KeywordFact::KIND,
        MergedFact::KIND,
        DailyFact::KIND,
        RequestFact::KIND,
        StreamFact::KIND,
        PieceFact::KIND,
        MergedUseFact::KIND,
        ProgressFact::KIND,
        IndexFact::KIND,
    ]
}
