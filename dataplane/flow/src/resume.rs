//! URLs by which a program outside resumes a conversation: `https://HOST/resume/TOKEN`. The token says which session,
//! node and visit, and is signed with a key of the tenant; whoever has it needs nothing else.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use uuid::Uuid;
use wigwag_domain::{SessionId, SignalId};

/// Bytes of the signature: 128 bits of HMAC-SHA256.
const SIGNATURE: usize = 16;
const SESSION: usize = 16;
const VISIT: usize = 4;

/// The key of a tenant with which tokens are signed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct ResumeKey([u8; 32]);

/// What a token stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resume {
    /// The session.
    pub session: SessionId,
    /// Its `waitFor` node; with the called flow's name in front (`FLOW/NODE`) where it is not the session's own.
    pub node: String,
    /// Which visit of it, counted from 1.
    pub visit: u32,
}

impl ResumeKey {
    /// A key of 32 random bytes.
    #[must_use]
    pub const fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Signs a token.
    #[must_use]
    pub fn token(&self, resume: &Resume) -> String {
        let mut bytes = resume.session.0.as_bytes().to_vec();
        bytes.extend(resume.visit.to_be_bytes());
        bytes.extend(resume.node.as_bytes());
        let signature = self.mac(&bytes).finalize().into_bytes();
        bytes.extend(&signature[..SIGNATURE]);
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// Reads a token; `None` where this key did not sign it.
    #[must_use]
    pub fn read(&self, token: &str) -> Option<Resume> {
        let bytes = URL_SAFE_NO_PAD.decode(token).ok()?;
        let (said, signature) = bytes.split_at_checked(bytes.len().checked_sub(SIGNATURE)?)?;
        self.mac(said).verify_truncated_left(signature).ok()?;
        let (session, rest) = said.split_at_checked(SESSION)?;
        let (visit, node) = rest.split_at_checked(VISIT)?;
        Some(Resume {
            session: SessionId(Uuid::from_slice(session).ok()?),
            visit: u32::from_be_bytes(visit.try_into().ok()?),
            node: std::str::from_utf8(node).ok()?.to_owned(),
        })
    }

    fn mac(&self, said: &[u8]) -> Hmac<Sha256> {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.0).unwrap_or_else(|_| unreachable!("HMAC takes any key"));
        mac.update(b"resume");
        mac.update(said);
        mac
    }
}

impl Resume {
    /// The id of the call that resumes there.
    #[must_use]
    pub fn signal(&self) -> SignalId {
        SignalId::of_visit(self.session, &self.node, self.visit)
    }
}

impl std::fmt::Debug for ResumeKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ResumeKey(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resume() -> Resume {
        Resume { session: SessionId(Uuid::from_u128(7)), node: "pagó".to_owned(), visit: 2 }
    }

    #[test]
    fn a_token_says_what_it_was_made_of() {
        let key = ResumeKey::new([1; 32]);
        let token = key.token(&resume());
        assert_eq!(key.read(&token), Some(resume()));
        assert!(token.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_'), "{token}");
    }

    #[test]
    fn a_token_of_another_key_or_with_one_letter_changed_is_none() {
        let key = ResumeKey::new([1; 32]);
        let token = key.token(&resume());
        assert_eq!(ResumeKey::new([2; 32]).read(&token), None);
        for at in 0..token.len() {
            let other = if token.as_bytes()[at] == b'A' { "B" } else { "A" };
            let changed = format!("{}{other}{}", &token[..at], &token[at + 1..]);
            assert_ne!(key.read(&changed), Some(resume()), "letter {at}");
        }
        for odd in ["", "A", "AAAAAAAAAAAAAAAAAAAAAAAAAAAA", "ñ"] {
            assert_eq!(key.read(odd), None, "{odd:?}");
        }
    }
}
