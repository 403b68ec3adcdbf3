//! Arithmetic: whole numbers stay whole, and a whole number with another gives the other kind.

use std::cmp::Ordering;

use serde_json::{Number, Value};

use super::{EvaluateError, ast::Operator};

/// A number of JSON.
#[derive(Clone, Copy, Debug)]
pub(super) enum Num {
    Int(i64),
    Float(f64),
}

impl Num {
    /// The number that a text spells: digits with an optional sign, point and exponent.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        if let Ok(int) = text.parse() {
            return Some(Self::Int(int));
        }
        // Rust's own reader takes `inf` and `nan` too.
        let digits = text.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '+' | '-' | '.'));
        text.parse().ok().filter(|float: &f64| digits && float.is_finite()).map(Self::Float)
    }

    pub fn float(self) -> f64 {
        match self {
            Self::Int(int) => int as f64,
            Self::Float(float) => float,
        }
    }

    /// The whole part.
    pub fn truncate(self) -> Result<i64, EvaluateError> {
        match self {
            Self::Int(int) => Ok(int),
            Self::Float(float) if float.abs() < 9.2e18 =>
            {
                #[allow(clippy::cast_possible_truncation, reason = "within i64, as was just checked")]
                Ok(float as i64)
            }
            Self::Float(_) => Err(EvaluateError::Overflow),
        }
    }

    pub fn negate(self) -> Result<Value, EvaluateError> {
        match self {
            Self::Int(int) => int.checked_neg().map(Value::from).ok_or(EvaluateError::Overflow),
            Self::Float(float) => Self::Float(-float).value(),
        }
    }

    /// The number as JSON, which knows no infinity.
    pub fn value(self) -> Result<Value, EvaluateError> {
        match self {
            Self::Int(int) => Ok(int.into()),
            Self::Float(float) => Number::from_f64(float).map(Value::Number).ok_or(EvaluateError::Overflow),
        }
    }

    /// `self operator other`; the operator is one of arithmetic.
    pub fn calculate(self, operator: Operator, other: Self) -> Result<Value, EvaluateError> {
        if let (Self::Int(a), Self::Int(b)) = (self, other) {
            let result = match operator {
                Operator::Add => a.checked_add(b),
                Operator::Subtract => a.checked_sub(b),
                Operator::Multiply => a.checked_mul(b),
                _ if b == 0 => return Err(EvaluateError::DivisionByZero),
                Operator::Divide => a.checked_div(b),
                _ => a.checked_rem(b),
            };
            return result.map(Value::from).ok_or(EvaluateError::Overflow);
        }
        let (a, b) = (self.float(), other.float());
        let result = match operator {
            Operator::Add => a + b,
            Operator::Subtract => a - b,
            Operator::Multiply => a * b,
            _ if b == 0.0 => return Err(EvaluateError::DivisionByZero),
            Operator::Divide => a / b,
            _ => a % b,
        };
        Self::Float(result).value()
    }
}

impl From<&Number> for Num {
    fn from(number: &Number) -> Self {
        match number.as_i64() {
            Some(int) => Self::Int(int),
            None => Self::Float(number.as_f64().unwrap_or(f64::NAN)),
        }
    }
}

impl PartialOrd for Num {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        match (self, other) {
            (Self::Int(a), Self::Int(b)) => Some(a.cmp(b)),
            (a, b) => a.float().partial_cmp(&b.float()),
        }
    }
}

impl PartialEq for Num {
    fn eq(&self, other: &Self) -> bool {
        self.partial_cmp(other) == Some(Ordering::Equal)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_spells_a_number_is_read_as_one() {
        assert_eq!(Num::parse(" 12 "), Some(Num::Int(12)));
        assert_eq!(Num::parse("-1.5"), Some(Num::Float(-1.5)));
        assert_eq!(Num::parse("99999999999999999999"), Some(Num::Float(1e20)));
        for text in ["", "inf", "nan", "NaN", "1e999", "1,5", "12 kg", "0x1f", "-"] {
            assert_eq!(Num::parse(text), None, "{text:?}");
        }
    }
}
