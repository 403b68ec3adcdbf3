//! Numbers in words: `treinta y cinco`, `vinte e cinco`, `two thousand`.

use super::{
    lexicon::{Lexicon, Part},
    token::Token,
};

/// A number in words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Numeral {
    pub value: i64,
    /// What a half that follows is half of: 1, or the thousand in `dos mil`.
    pub of: i64,
    /// How many tokens it takes.
    pub taken: usize,
}

/// The numeral at the beginning of some tokens.
pub(super) fn numeral(tokens: &[Token<'_>], lexicon: &Lexicon) -> Option<Numeral> {
    let mut sum = Sum { total: 0, current: 0, below: 1_000, times_below: i64::MAX, of: 1 };
    let mut taken = 0;
    loop {
        let joined =
            taken > 0 && tokens.get(taken).and_then(Token::word).is_some_and(|word| lexicon.and.contains(&word));
        let at = taken + usize::from(joined);
        let part = tokens.get(at).and_then(Token::word).and_then(|word| lexicon.numeral(word));
        if !part.is_some_and(|part| sum.take(part, taken == 0)) {
            break;
        }
        taken = at + 1;
    }
    (taken > 0).then_some(Numeral { value: sum.total + sum.current, of: sum.of, taken })
}

/// What was read so far. Each part must be smaller than the one before it, or it begins another number.
struct Sum {
    /// Up to the last thousand or million.
    total: i64,
    /// Since then.
    current: i64,
    /// The next part is less than this,
    below: i64,
    /// and the next multiple less than this.
    times_below: i64,
    of: i64,
}

impl Sum {
    /// Adds a part, if the number can go on with it.
    fn take(&mut self, part: Part, is_first: bool) -> bool {
        let (value, below) = match part {
            Part::Unit(0) if !is_first => return false,
            Part::Unit(value) => (value, 0),
            Part::Ten(value) => (value, 10),
            Part::Hundred(value) => (value, 100),
            Part::Hundreds if self.current < 100 => {
                (self.current, self.below, self.of) = (self.current.max(1) * 100, 100, 100);
                return true;
            }
            Part::Times(by) if by < self.times_below => {
                self.total += self.current.max(1) * by;
                (self.current, self.below, self.times_below, self.of) = (0, by.min(1_000), by, by);
                return true;
            }
            Part::Hundreds | Part::Times(_) => return false,
        };
        if value >= self.below {
            return false;
        }
        (self.current, self.below, self.of) = (self.current + value, below, 1);
        true
    }
}
