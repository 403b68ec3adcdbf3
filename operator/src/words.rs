//! Names in sentences.

/// `"a"`, `"a" and "b"`, `"a", "b" and "c"`.
pub fn quoted<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    let names: Vec<_> = names.into_iter().map(|name| format!("{name:?}")).collect();
    match names.as_slice() {
        [] => String::new(),
        [one] => one.clone(),
        [most @ .., last] => format!("{} and {last}", most.join(", ")),
    }
}

/// Ends what somebody else wrote as a sentence.
pub fn sentence(text: &str) -> String {
    let text = text.trim();
    if text.ends_with(['.', '!', '?']) { text.to_owned() } else { format!("{text}.") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_read_as_in_a_sentence() {
        assert_eq!(quoted(["a"]), r#""a""#);
        assert_eq!(quoted(["a", "b"]), r#""a" and "b""#);
        assert_eq!(quoted(["a", "b", "c"]), r#""a", "b" and "c""#);
    }
}
