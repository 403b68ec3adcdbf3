//! Kubernetes quantities, as far as comparing two of them goes: `1024Mi` is `1Gi`, `1000m` is `1`.

/// Whether two quantities amount to the same; `false` where one does not read.
pub fn same(a: &str, b: &str) -> bool {
    nanos(a).is_some_and(|amount| Some(amount) == nanos(b))
}

/// The amount in billionths, the smallest unit that Kubernetes has. Like the API server, rounds up what is smaller.
fn nanos(text: &str) -> Option<i128> {
    let split = text.find(|c: char| !matches!(c, '0'..='9' | '.' | '+' | '-')).unwrap_or(text.len());
    let (number, suffix) = text.split_at(split);
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let digits: i128 = format!("{whole}{fraction}").parse().ok()?;
    let unit = unit_in_nanos(suffix)?;
    let scale = 10_i128.checked_pow(u32::try_from(fraction.len()).ok()?)?;
    let scaled = digits.checked_mul(unit)?;
    Some(scaled.div_euclid(scale) + i128::from(scaled.rem_euclid(scale) != 0))
}

fn unit_in_nanos(suffix: &str) -> Option<i128> {
    const ONE: i128 = 1_000_000_000;
    let decimal = |power: u32| ONE.checked_mul(1000_i128.checked_pow(power)?);
    let binary = |power: u32| ONE.checked_mul(1024_i128.checked_pow(power)?);
    match suffix {
        "n" => Some(1),
        "u" => Some(1_000),
        "m" => Some(1_000_000),
        "" => Some(ONE),
        "k" => decimal(1),
        "M" => decimal(2),
        "G" => decimal(3),
        "T" => decimal(4),
        "P" => decimal(5),
        "E" => decimal(6),
        "Ki" => binary(1),
        "Mi" => binary(2),
        "Gi" => binary(3),
        "Ti" => binary(4),
        "Pi" => binary(5),
        "Ei" => binary(6),
        exponent => {
            let power: u32 = exponent.strip_prefix(['e', 'E'])?.parse().ok()?;
            ONE.checked_mul(10_i128.checked_pow(power)?)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_api_server_writes_for_a_quantity_is_the_same_quantity() {
        for (given, stored) in [("1024Mi", "1Gi"), ("1000m", "1"), ("0.5", "500m"), ("1.5Gi", "1536Mi"), ("1e3", "1k")]
        {
            assert!(same(given, stored), "{given} and {stored}");
        }
        assert!(!same("1G", "1Gi"));
        assert!(!same("1", "1m"));
    }

    #[test]
    fn what_is_no_quantity_is_like_nothing() {
        for text in ["", "Gi", "1Zi", "1..5", "one", "--1", "1e99"] {
            assert!(!same(text, text), "{text:?}");
        }
    }
}
