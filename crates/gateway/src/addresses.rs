//! Counts connections per address.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use hashbrown::HashMap;
use parking_lot::Mutex;

use crate::limits::Limits;

#[derive(Clone, Copy, Default)]
struct Counts {
    open: usize,
    unauthenticated: usize,
}

/// Counts of every address that has a connection.
#[derive(Default)]
pub(crate) struct Addresses {
    counts: Mutex<HashMap<IpAddr, Counts>>,
}

/// A counted connection; uncounted when it is dropped.
pub(crate) struct Ticket {
    addresses: Arc<Addresses>,
    address: IpAddr,
    is_authenticated: AtomicBool,
}

impl Addresses {
    /// Counts a connection, unless its address has too many.
    pub(crate) fn admit(self: &Arc<Self>, address: IpAddr, limits: &Limits) -> Option<Ticket> {
        let mut counts = self.counts.lock();
        let of_address = counts.entry(address).or_default();
        if of_address.open >= limits.connections_per_address_max
            || of_address.unauthenticated >= limits.unauthenticated_per_address_max
        {
            return None;
        }
        of_address.open += 1;
        of_address.unauthenticated += 1;
        Some(Ticket { addresses: Arc::clone(self), address, is_authenticated: AtomicBool::new(false) })
    }
}

impl Ticket {
    /// Where the connection comes from.
    pub(crate) const fn address(&self) -> IpAddr {
        self.address
    }

    /// The connection has logged in or made a REST call that was let in.
    pub(crate) fn authenticated(&self) {
        if !self.is_authenticated.swap(true, Ordering::AcqRel)
            && let Some(counts) = self.addresses.counts.lock().get_mut(&self.address)
        {
            counts.unauthenticated = counts.unauthenticated.saturating_sub(1);
        }
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        self.authenticated();
        let mut counts = self.addresses.counts.lock();
        if let Some(of_address) = counts.get_mut(&self.address) {
            of_address.open = of_address.open.saturating_sub(1);
            if of_address.open == 0 {
                counts.remove(&self.address);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    #[test]
    fn an_address_gets_its_number_of_connections_and_others_theirs() {
        let limits = Limits {
            connections_per_address_max: 3,
            unauthenticated_per_address_max: 2,
            ..Limits::default()
        };
        let addresses = Arc::new(Addresses::default());
        let admit = |last: u8| addresses.admit(IpAddr::V4(Ipv4Addr::new(127, 0, 0, last)), &limits);
        let (first, second) = (admit(1).unwrap(), admit(1).unwrap());
        assert!(admit(1).is_none(), "two that have not logged in");
        assert!(admit(2).is_some());
        first.authenticated();
        first.authenticated();
        let third = admit(1).unwrap();
        third.authenticated();
        assert!(admit(1).is_none(), "three in all");
        drop((first, second, third));
        assert!(admit(1).is_some());
    }
}
