//! Who writes to whom, how fast and how much.

use std::time::Duration;

/// Who writes to whom.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pattern {
    /// `u0` and `u1` write to each other, `u2` and `u3`, and so on.
    Pairs,
    /// Each account talks with `fan` neighbours on either side, in turn: accounts times `fan` conversations.
    Ring {
        /// Neighbours on one side.
        fan: usize,
    },
}

impl Pattern {
    /// Whom the account `index` of `accounts` writes its message number `count` to.
    pub(crate) fn receiver(self, index: usize, accounts: usize, count: u64) -> usize {
        match self {
            Self::Pairs => index ^ 1,
            Self::Ring { fan } => {
                let turn = usize::try_from(count % (2 * fan as u64)).unwrap_or(0);
                let distance = turn / 2 + 1;
                let forward = if turn % 2 == 0 { distance } else { accounts - distance };
                (index + forward) % accounts
            }
        }
    }
}

/// When the next message is sent.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Pace {
    /// Each connection keeps so many requests in flight.
    Closed {
        /// Requests in flight.
        depth: usize,
    },
    /// A fixed schedule, whatever the answers do.
    Open {
        /// Messages a second, over all connections.
        per_second: f64,
    },
}

/// When it ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Extent {
    /// After a warm-up that is not measured and a window that is.
    Timed {
        /// Not measured.
        warm_up: Duration,
        /// Measured.
        window: Duration,
    },
    /// After so many messages, all measured.
    Counted {
        /// Messages in all.
        messages: u64,
        /// Sending ends then, however many there were.
        time_max: Duration,
    },
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn pairs_write_to_each_other() {
        assert_eq!(Pattern::Pairs.receiver(0, 4, 9), 1);
        assert_eq!(Pattern::Pairs.receiver(3, 4, 9), 2);
    }

    #[test]
    fn a_ring_has_the_promised_number_of_conversations() {
        let (accounts, fan) = (25, 4);
        let mut conversations = HashSet::new();
        for index in 0..accounts {
            for count in 0..8 {
                let other = Pattern::Ring { fan }.receiver(index, accounts, count);
                assert_ne!(other, index);
                conversations.insert((index.min(other), index.max(other)));
            }
        }
        assert_eq!(conversations.len(), accounts * fan);
    }
}
