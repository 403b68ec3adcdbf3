//! The key by which a message that is delivered again is known.

use sha2::{Digest, Sha256};

use crate::TenantKey;

/// The first 16 bytes of SHA-256 over what names a message: short enough for a narrow unique index, and of one
/// length whatever ids a provider makes up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DedupeKey(pub [u8; 16]);

impl DedupeKey {
    /// The key of a message. `adapter` is the kind of provider and not its name, which users change; `channel` is
    /// the provider's id of our number.
    #[must_use]
    pub fn of_message(tenant: &TenantKey, adapter: &str, channel: &str, provider_id: &str) -> Self {
        Self::of(&[
            tenant.as_str().as_bytes(),
            adapter.as_bytes(),
            channel.as_bytes(),
            b"message",
            provider_id.as_bytes(),
        ])
    }

    /// The key of something that has no id: over its bytes.
    #[must_use]
    pub fn of_bytes(tenant: &TenantKey, adapter: &str, raw: &[u8]) -> Self {
        Self::of(&[tenant.as_str().as_bytes(), adapter.as_bytes(), b"", b"raw", raw])
    }

    fn of(parts: &[&[u8]]) -> Self {
        let mut hash = Sha256::new();
        for part in parts {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part);
        }
        let mut key = [0; 16];
        key.copy_from_slice(&hash.finalize()[..16]);
        Self(key)
    }
}
