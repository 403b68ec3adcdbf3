//! E-mail addresses.

use super::token::plain;

/// The longest address that mail servers take, in characters (RFC 5321, 4.5.3.1.3, without the brackets).
const MAX_ADDRESS: usize = 254;
/// The longest part before the `@` (RFC 5321, 4.5.3.1.1).
const MAX_LOCAL: usize = 64;
/// The longest label of a domain (RFC 1035, 2.3.4).
const MAX_LABEL: usize = 63;

/// The one e-mail address in a text, its domain in small letters. The same one twice is one; two are none.
///
/// Addresses are taken as mail services give them out: ASCII letters, digits and `._%+-` before the `@`, and a domain
/// with a dot. Quoted ones and those in other scripts are not read.
pub(crate) fn email(text: &str) -> Option<String> {
    let text = plain(text);
    let pieces = text
        .split(|c: char| c.is_whitespace() || matches!(c, ',' | ';' | ':' | '/' | '<' | '>' | '(' | ')' | '[' | ']'));
    let mut addresses = pieces.filter_map(address);
    let first = addresses.next()?;
    addresses.all(|other| other == first).then_some(first)
}

/// The address that a piece of text is, but for the marks around it.
fn address(piece: &str) -> Option<String> {
    let is_mark = |c: char| !c.is_alphanumeric() && !matches!(c, '_' | '%' | '+' | '-' | '@' | '.');
    let piece = piece.trim_start_matches(is_mark).trim_end_matches(|c: char| !c.is_alphanumeric());
    let (local, domain) = piece.split_once('@')?;
    let is_local = (1..=MAX_LOCAL).contains(&local.len())
        && local.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '%' | '+' | '-'))
        && local.split('.').all(|part| !part.is_empty());
    if !is_local || piece.len() > MAX_ADDRESS {
        return None;
    }
    let is_label = |label: &str| {
        (1..=MAX_LABEL).contains(&label.len())
            && label.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let (_, top) = domain.rsplit_once('.')?;
    let is_domain =
        domain.split('.').all(is_label) && top.len() >= 2 && top.starts_with(|c: char| c.is_ascii_alphabetic());
    is_domain.then(|| format!("{local}@{}", domain.to_ascii_lowercase()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_found_in_what_is_written_around_it() {
        for (text, expected) in [
            ("ana@example.com", "ana@example.com"),
            ("  Ana.Perez+wa@Example.COM.AR ", "Ana.Perez+wa@example.com.ar"),
            ("mi mail es ana@example.com.", "ana@example.com"),
            ("<ana@example.com>", "ana@example.com"),
            ("mailto:ana@example.com", "ana@example.com"),
            ("*ana@example.com*, gracias!", "ana@example.com"),
            ("\"ana@example.com\"", "ana@example.com"),
            ("'ana@example.com'", "ana@example.com"),
            ("_ana_@example.com…", "_ana_@example.com"),
            ("ana＠example.com", "ana@example.com"),
            ("ana@example.com o sea ana@EXAMPLE.com", "ana@example.com"),
            ("soy @ana, ana@example.com", "ana@example.com"),
            ("a1@b-c.io", "a1@b-c.io"),
        ] {
            assert_eq!(email(text).as_deref(), Some(expected), "{text:?}");
        }
    }

    #[test]
    fn what_is_no_address_or_two_is_none() {
        let long = format!("{}@example.com", "a".repeat(65));
        let label = format!("ana@{}.com", "a".repeat(64));
        for text in [
            "",
            "ana",
            "ana@",
            "@ana",
            "ana@example",
            "ana example.com",
            "ana @example.com",
            "ana@@example.com",
            "ana@example..com",
            "ana..p@example.com",
            ".ana@example.com",
            "ana.@example.com",
            "ana@-example.com",
            "ana@example.c",
            "ana@1.2.3.4",
            "muñoz@example.com",
            "o'brien@example.com",
            "ana@éxample.com",
            "ana@example.com o pedro@example.com",
            "ana@example,com",
            "\"ana p\"@example.com",
            &long,
            &label,
        ] {
            assert_eq!(email(text), None, "{text:?}");
        }
    }
}
