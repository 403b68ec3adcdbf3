//! An address of 127.0.0.0/8 for each Pod, so that all of them may listen on the same port.

use std::collections::BTreeSet;
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex, PoisonError};

use rand::Rng;

/// A random 127.A.B.0/24, because other sandboxes may run on this machine.
#[derive(Debug)]
pub(super) struct Addresses {
    network: [u8; 3],
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    last: u8,
    taken: BTreeSet<u8>,
}

/// An address that is nobody else's until this is dropped.
#[derive(Debug)]
pub(super) struct Lease {
    addresses: Arc<Addresses>,
    host: u8,
}

impl Addresses {
    pub(super) fn new() -> Arc<Self> {
        let network = [127, rand::rng().random_range(16..=250), rand::rng().random()];
        Arc::new(Self { network, state: Mutex::default() })
    }
}

impl Lease {
    /// The next address; one that was given back is taken again as late as possible. None when all 254 are taken.
    pub(super) fn of(addresses: &Arc<Addresses>) -> Option<Self> {
        let mut state = addresses.state.lock().unwrap_or_else(PoisonError::into_inner);
        let last = state.last;
        let mut hosts = (1..=254).cycle().skip(usize::from(last)).take(254);
        let host = hosts.find(|host| !state.taken.contains(host))?;
        state.last = host;
        state.taken.insert(host);
        Some(Self { addresses: addresses.clone(), host })
    }

    pub(super) fn address(&self) -> Ipv4Addr {
        let [a, b, c] = self.addresses.network;
        Ipv4Addr::new(a, b, c, self.host)
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.addresses.state.lock().unwrap_or_else(PoisonError::into_inner).taken.remove(&self.host);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn every_pod_has_an_address_of_its_own_and_a_freed_one_comes_back_last() {
        let addresses = Addresses::new();
        let mut leases: Vec<_> = (0..254).map(|_| Lease::of(&addresses).unwrap()).collect();
        let distinct: BTreeSet<_> = leases.iter().map(Lease::address).collect();
        assert_eq!(distinct.len(), 254);
        assert!(distinct.iter().all(Ipv4Addr::is_loopback));
        assert!(Lease::of(&addresses).is_none());

        let freed = leases.remove(7).address();
        assert_eq!(Lease::of(&addresses).unwrap().address(), freed);
        drop(leases);
        let (one, two) = (Lease::of(&addresses).unwrap().address(), Lease::of(&addresses).unwrap().address());
        assert_ne!(one, two, "an address came back at once");
    }
}
