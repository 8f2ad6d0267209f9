//! What an export says of each record.

use model::{AccountNumber, UserId};
use serde_json::{Value, json};

use crate::contact_groups::ContactGroupsFact;
use crate::do_not_disturb::DoNotDisturbFact;
use crate::facts::{BlockFact, ContactFact, InstanceFact, WatchFact};
use crate::follow::FollowFact;
use crate::relations::{FriendFact, RelationsFact, RequestFact, Way};

/// A record that an export tells of.
pub(super) trait Told {
    /// The other account that it names by number.
    fn other(&self) -> Option<AccountNumber>;

    /// What it says.
    fn tell(&self, other: Option<&UserId>) -> Value;
}

impl Told for InstanceFact {
    fn other(&self) -> Option<AccountNumber> {
        None
    }

    fn tell(&self, _: Option<&UserId>) -> Value {
        json!({
            "type": "login",
            "platform": self.platform,
            "client": self.client,
            "logged_in_at": self.logged_in_at.seconds(),
            "valid_until": self.valid_until,
        })
    }
}

impl Told for BlockFact {
    fn other(&self) -> Option<AccountNumber> {
        None
    }

    fn tell(&self, _: Option<&UserId>) -> Value {
        json!({"type": "blocked", "user": self.user, "since": self.since})
    }
}

impl Told for ContactFact {
    fn other(&self) -> Option<AccountNumber> {
        Some(self.peer)
    }

    fn tell(&self, other: Option<&UserId>) -> Value {
        let settings = &self.settings;
        json!({
            "type": "conversation settings",
            "with": other,
            "pinned_at": settings.pinned_at,
            "remind": settings.remind,
            "marks": settings.marks,
            "custom": settings.custom,
            "groups": settings.groups,
            "marked_at": settings.marked_at,
        })
    }
}

impl Told for ContactGroupsFact {
    fn other(&self) -> Option<AccountNumber> {
        None
    }

    fn tell(&self, _: Option<&UserId>) -> Value {
        json!({"type": "conversation groups", "groups": self.groups})
    }
}

impl Told for DoNotDisturbFact {
    fn other(&self) -> Option<AccountNumber> {
        None
    }

    fn tell(&self, _: Option<&UserId>) -> Value {
        json!({"type": "do not disturb", "times": self.times})
    }
}

impl Told for WatchFact {
    fn other(&self) -> Option<AccountNumber> {
        Some(self.watched)
    }

    fn tell(&self, other: Option<&UserId>) -> Value {
        json!({"type": "status subscription", "user": other})
    }
}

impl Told for FollowFact {
    fn other(&self) -> Option<AccountNumber> {
        Some(self.followed)
    }

    fn tell(&self, other: Option<&UserId>) -> Value {
        json!({"type": "follow", "user": other, "since": self.since, "follows_back": self.is_mutual})
    }
}

impl Told for FriendFact {
    fn other(&self) -> Option<AccountNumber> {
        None
    }

    fn tell(&self, _: Option<&UserId>) -> Value {
        json!({
            "type": "friend",
            "user": self.user,
            "since": self.added_at,
            "source": self.source,
            "wording": self.wording,
            "remark": self.remark,
            "lists": self.groups,
            "own_fields": self.custom,
        })
    }
}

impl Told for RequestFact {
    fn other(&self) -> Option<AccountNumber> {
        None
    }

    fn tell(&self, _: Option<&UserId>) -> Value {
        json!({
            "type": "application for friendship",
            "user": self.user,
            "direction": if self.way == Way::Made { "made" } else { "received" },
            "time": self.at,
            "source": self.source,
            "wording": self.wording,
            "remark": self.remark,
            "list": self.group,
        })
    }
}

impl Told for RelationsFact {
    fn other(&self) -> Option<AccountNumber> {
        None
    }

    fn tell(&self, _: Option<&UserId>) -> Value {
        let lists: Vec<Value> =
            self.groups.iter().map(|group| json!({"number": group.id, "name": group.name})).collect();
        json!({"type": "friend lists", "lists": lists, "applications_seen_up_to": self.requests_read_to})
    }
}
