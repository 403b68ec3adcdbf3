//! What each error code of the Graph API asks of us. Codes decide, never HTTP statuses or titles: Meta answers the same
//! error with 400 here and 429 there (Meta, "Error codes", 2026-09).

use std::time::Duration;

/// What to do about an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Class {
    /// Try again, with back-off.
    Retry,
    /// Try again, this recipient only more slowly.
    Pair,
    /// Try again, the whole number more slowly.
    Throttle,
    /// Try again after this time and not sooner.
    Later(Duration),
    /// Send nothing more until the token is another: it was refused.
    Token,
    /// Send nothing more until someone has put the account in order.
    Account,
    /// Give this message up.
    Fail,
}

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3_600);
const DAY: Duration = Duration::from_secs(86_400);

/// The class of a code; `None` for one that is in no table of Meta's.
pub(super) fn class(code: i32) -> Option<Class> {
    Some(match code {
        // Unknown error, service down, application and account rate limits, something went wrong, maintenance.
        1 | 2 | 4 | 613 | 80007 | 131000 | 131016 | 131057 | 133004 => Class::Retry,
        131056 => Class::Pair,
        130429 => Class::Throttle,
        // Too many attempts at the number's registration.
        133015 => Class::Later(5 * MINUTE),
        134101 => Class::Later(10 * MINUTE),
        // Spam restriction, template messaging limit, PIN guessed too often, form throttled (10 an hour).
        131048 | 131064 | 132069 | 133008 | 133009 => Class::Later(HOUR),
        // Meta holds messages to this customer back; sooner brings the same error.
        130472 | 131049 => Class::Later(DAY),
        133016 => Class::Later(3 * DAY),
        0 | 190 => Class::Token,
        // Permissions, policy, payment, display name, registration.
        3
        | 10
        | 33
        | 200..=299
        | 368
        | 131005
        | 131031
        | 131042
        | 131045
        | 131063
        | 133005
        | 133006
        | 133010
        | 134011
        | 134102 => Class::Account,
        // The message or its recipient. 130497 (this business may not write to this country) is among them: it must
        // not hold the customers of other countries up.
        100
        | 130403
        | 130497
        | 131008
        | 131009
        | 131021
        | 131026
        | 131030
        | 131037
        | 131047
        | 131050..=131053
        | 131055
        | 131062
        | 132000
        | 132001
        | 132005
        | 132007
        | 132012
        | 132015
        | 132016
        | 132018
        | 132068
        | 134100
        | 135000
        | 137000 => Class::Fail,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_closed_window_is_never_tried_again_and_a_busy_number_is() {
        assert_eq!(class(131047), Some(Class::Fail));
        assert_eq!(class(130429), Some(Class::Throttle));
        assert_eq!(class(131000), Some(Class::Retry));
    }

    #[test]
    fn one_customers_limit_or_country_stops_nobody_else() {
        assert_eq!(class(131056), Some(Class::Pair));
        assert_eq!(class(131049), Some(Class::Later(DAY)));
        assert_eq!(class(130497), Some(Class::Fail));
    }

    #[test]
    fn a_refused_token_and_a_refused_account_stop_the_number() {
        assert_eq!(class(190), Some(Class::Token));
        for code in [10, 200, 250, 299, 368, 131031, 131042, 133010] {
            assert_eq!(class(code), Some(Class::Account), "{code}");
        }
    }

    #[test]
    fn a_code_of_tomorrow_has_no_class() {
        for code in [-1, 300, 199, 131099, i32::MAX] {
            assert_eq!(class(code), None, "{code}");
        }
    }
}
