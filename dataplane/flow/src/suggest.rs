//! What a misspelled name was meant to be.

/// The known name that a word comes closest to, if any is close: at most a third of its letters away.
pub(crate) fn closest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    // Longer names than any that people write are not worth the work.
    let limit = word.chars().count().clamp(3, 30) / 3;
    known
        .into_iter()
        .filter(|name| name.len().abs_diff(word.len()) <= 4 && word.len() <= 120)
        .map(|name| (distance(word, name), name))
        .filter(|(distance, _)| *distance <= limit)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, name)| name)
}

/// Levenshtein's distance, case aside.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.to_lowercase().chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.to_lowercase().chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, to) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(from != *to);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_of_the_pen_is_recognised_and_another_word_is_not() {
        assert_eq!(closest("welcom", ["shop", "welcome"]), Some("welcome"));
        assert_eq!(closest("startswith", ["startsWith", "endsWith"]), Some("startsWith"));
        assert_eq!(closest("thanks", ["shop", "welcome"]), None);
        assert_eq!(closest("", ["shop"]), None);
    }
}
