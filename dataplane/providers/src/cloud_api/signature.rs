//! Is it Meta? The verification request carries our token; each webhook is signed with the app's secret, over the raw
//! bytes (Meta, "Webhooks", 2026-09). Both fail closed and compare in constant time.

use hmac::{Hmac, KeyInit, Mac};
use http::HeaderMap;
use sha2::Sha256;

use super::SIGNATURE_HEADER;
use crate::{Refusal, Verified};

/// Answers `GET …?hub.mode=subscribe&hub.challenge=…&hub.verify_token=…` with the challenge, which is opaque.
pub(super) fn challenge(verify_token: &str, query: &str) -> Result<String, Refusal> {
    let parameter = |name: &'static str| {
        let mut pairs = form_urlencoded::parse(query.as_bytes());
        let value = pairs.find(|(key, _)| key == name).map(|(_, value)| value.into_owned());
        value.ok_or(Refusal::ParameterMissing(name))
    };
    if parameter("hub.mode")? != "subscribe" {
        return Err(Refusal::ModeUnknown);
    }
    if verify_token.is_empty() {
        return Err(Refusal::SecretEmpty);
    }
    if !same(verify_token.as_bytes(), parameter("hub.verify_token")?.as_bytes()) {
        return Err(Refusal::TokenWrong);
    }
    parameter("hub.challenge")
}

/// Whether a token is ours. An empty one is nobody's.
pub(super) fn is_verify_token(verify_token: &str, token: &str) -> bool {
    !verify_token.is_empty() && same(verify_token.as_bytes(), token.as_bytes())
}

/// Holds the signature in the headers against the bytes.
pub(super) fn verify<'a>(app_secret: &str, headers: &HeaderMap, body: &'a [u8]) -> Result<Verified<'a>, Refusal> {
    let header = headers.get(SIGNATURE_HEADER).ok_or(Refusal::SignatureMissing)?;
    let digits = header.as_bytes().strip_prefix(b"sha256=").ok_or(Refusal::SignatureMalformed)?;
    let mut signature = [0; 32];
    hex::decode_to_slice(digits, &mut signature).map_err(|_| Refusal::SignatureMalformed)?;
    if app_secret.is_empty() {
        return Err(Refusal::SecretEmpty);
    }
    let mac = keyed(app_secret.as_bytes()).chain_update(body);
    mac.verify_slice(&signature).map_err(|_| Refusal::SignatureWrong)?;
    Ok(Verified(body))
}

/// Whether two texts are equal, in a time that tells nothing of where they differ: their MACs are compared.
fn same(ours: &[u8], theirs: &[u8]) -> bool {
    let mac = |text: &[u8]| keyed(b"verify token").chain_update(text).finalize();
    mac(ours) == mac(theirs)
}

fn keyed(key: &[u8]) -> Hmac<Sha256> {
    Hmac::new_from_slice(key).unwrap_or_else(|_| unreachable!("HMAC takes keys of any length"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    const BODY: &[u8] = br#"{"object":"whatsapp_business_account","entry":[]}"#;
    const SPACED: &[u8] = br#"{"object": "whatsapp_business_account", "entry": []}"#;
    const OF_BODY: &str = "dec6a680679a968e7e0319355b23599cbfc54502c0784668e9618baa0c633756";
    const OF_SPACED: &str = "56cbbaf4961c6cfdae48b7f116c047e5eb513d2c931baae63a2bc1afd26f803a";
    const OF_BODY_BY_ANOTHER: &str = "769b03d8c2ae6498f2d1e1f7299c0ba55448c69d741e7b0bb243d852d8a8d8c7";

    fn refusal(secret: &str, header: &str, body: &[u8]) -> Option<Refusal> {
        let headers = HeaderMap::from_iter([(SIGNATURE_HEADER.parse().unwrap(), header.parse().unwrap())]);
        verify(secret, &headers, body).err()
    }

    #[test]
    fn a_signature_is_over_exactly_these_bytes_with_exactly_this_secret() {
        assert_eq!(refusal("test_app_secret", &format!("sha256={OF_BODY}"), BODY), None);
        assert_eq!(refusal("test_app_secret", &format!("sha256={OF_SPACED}"), SPACED), None);
        assert_eq!(refusal("otro_secreto", &format!("sha256={OF_BODY_BY_ANOTHER}"), BODY), None);
        let wrong = Some(Refusal::SignatureWrong);
        assert_eq!(refusal("test_app_secret", &format!("sha256={OF_BODY}"), SPACED), wrong);
        assert_eq!(refusal("test_app_secret", &format!("sha256={OF_BODY_BY_ANOTHER}"), BODY), wrong);
    }

    #[test]
    fn without_a_whole_signature_nothing_is_verified() {
        assert_eq!(verify("s", &HeaderMap::new(), BODY).err(), Some(Refusal::SignatureMissing));
        for header in ["", "sha256=", "sha1=00", OF_BODY, &format!("sha256={}", &OF_BODY[..62]), "sha256=zz"] {
            assert_eq!(refusal("test_app_secret", header, BODY), Some(Refusal::SignatureMalformed), "{header}");
        }
    }

    #[test]
    fn an_empty_secret_verifies_nothing() {
        let signature = hex::encode(keyed(b"").chain_update(BODY).finalize().into_bytes());
        assert_eq!(refusal("", &format!("sha256={signature}"), BODY), Some(Refusal::SecretEmpty));
        let query = "hub.mode=subscribe&hub.verify_token=&hub.challenge=1";
        assert_eq!(challenge("", query), Err(Refusal::SecretEmpty));
    }

    #[test]
    fn only_the_whole_verify_token_is_one_and_an_empty_one_never() {
        assert!(is_verify_token("abc", "abc"));
        for (ours, theirs) in [("abc", "ab"), ("abc", "abcd"), ("abc", ""), ("", "")] {
            assert!(!is_verify_token(ours, theirs), "{ours:?} {theirs:?}");
        }
    }

    #[test]
    fn the_challenge_comes_back_as_it_was_whatever_it_is() {
        let query = "hub.mode=subscribe&hub.challenge=00%3Ca%26b%3E+1&hub.verify_token=s%C3%AD";
        assert_eq!(challenge("sí", query).as_deref(), Ok("00<a&b> 1"));
    }

    #[test]
    fn a_verification_request_with_anything_missing_or_wrong_is_refused() {
        for (query, refusal) in [
            ("", Refusal::ParameterMissing("hub.mode")),
            ("hub.mode=unsubscribe&hub.challenge=1&hub.verify_token=t", Refusal::ModeUnknown),
            ("hub.mode=subscribe&hub.challenge=1", Refusal::ParameterMissing("hub.verify_token")),
            ("hub.mode=subscribe&hub.challenge=1&hub.verify_token=T", Refusal::TokenWrong),
            ("hub.mode=subscribe&hub.challenge=1&hub.verify_token=", Refusal::TokenWrong),
            ("hub.mode=subscribe&hub.verify_token=t", Refusal::ParameterMissing("hub.challenge")),
        ] {
            assert_eq!(challenge("t", query), Err(refusal), "{query}");
        }
    }
}
