//! Packages: what the editions of the service allow (pages 1047/34349 and 269/9346), for owners who want to bill by them.

use serde::{Deserialize, Serialize};

/// What an app may use. Nothing is sold here: an app has everything unless its operator says otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Package {
    /// To try: 100 accounts, 20 friends each, 100 recent conversations.
    Trial,
    /// Without paid abilities; 100 recent conversations.
    Standard,
    /// Everything; 500 recent conversations.
    Pro,
    /// Everything; 500 recent conversations.
    ProPlus,
    /// Everything; 500 recent conversations.
    Enterprise,
    /// Everything.
    Unlimited,
}

/// The ability bits that the standard package lacks: status, marks, conversation groups, extensions, counters, reactions,
/// following, and those of live rooms and communities (page 1047/34349; bits as in the client).
const PAID_BITS: [u32; 13] = [1, 2, 3, 4, 6, 7, 9, 10, 11, 13, 15, 48, 52];

impl Package {
    /// The most accounts, if there is a limit.
    #[must_use]
    pub const fn accounts_max(self) -> Option<u32> {
        match self {
            Self::Trial => Some(100),
            _ => None,
        }
    }

    /// The most friends of an account, if the package sets it.
    #[must_use]
    pub const fn friends_max(self) -> Option<u32> {
        match self {
            Self::Trial => Some(20),
            _ => None,
        }
    }

    /// The most recent conversations, if the package sets it.
    #[must_use]
    pub const fn conversations_max(self) -> Option<u32> {
        match self {
            Self::Trial | Self::Standard => Some(100),
            _ => None,
        }
    }

    /// The abilities that are left of these: characters `0` and `1`, the rightmost is bit 0.
    #[must_use]
    pub fn abilities(self, bits: &str) -> String {
        if self != Self::Standard {
            return bits.to_owned();
        }
        let length = bits.len();
        let is_paid = |index: usize| {
            PAID_BITS.iter().any(|bit| usize::try_from(*bit).ok() == length.checked_sub(index + 1))
        };
        bits.chars().enumerate().map(|(index, bit)| if is_paid(index) { '0' } else { bit }).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_standard_package_lacks_what_is_paid_for() {
        let bits = Package::Standard.abilities(&"1".repeat(64));
        let bit = |number: usize| bits.as_bytes()[63 - number];
        assert_eq!((bit(0), bit(7), bit(9), bit(52), bit(5)), (b'1', b'0', b'0', b'0', b'1'));
        assert_eq!((bit(47), bit(48), bit(49)), (b'1', b'0', b'1'), "reactions are paid for");
        assert_eq!(Package::Unlimited.abilities("101"), "101");
        assert_eq!(Package::Standard.abilities("111"), "001");
    }
}
