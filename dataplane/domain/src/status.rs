//! How far a message of ours got. Receipts come late, twice and out of order; a status only moves up.

use std::fmt;

/// `Queued < Sending = Unknown < Accepted < Sent < Delivered < Read < Played`; `Failed` can follow what is below
/// `Delivered`, and nothing follows `Failed`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Status {
    /// Waits for its turn.
    Queued,
    /// Handed to the provider; its answer was lost. It is never sent again; a receipt settles it.
    Unknown,
    /// The provider took it.
    Accepted,
    /// On its way to the customer.
    Sent,
    /// On the customer's device.
    Delivered,
    /// Read.
    Read,
    /// Listened to.
    Played,
    /// Will not arrive.
    Failed,
}

impl Status {
    /// Every status, lowest first; the database's type has the same order.
    pub const ALL: [Self; 8] = [
        Self::Queued,
        Self::Unknown,
        Self::Accepted,
        Self::Sent,
        Self::Delivered,
        Self::Read,
        Self::Played,
        Self::Failed,
    ];

    /// The status after a receipt.
    #[must_use]
    pub fn after(self, receipt: Self) -> Self {
        match (self, receipt) {
            (Self::Failed, _) => Self::Failed,
            (_, Self::Failed) if self.rank() < Self::Delivered.rank() => Self::Failed,
            (_, Self::Failed) => self,
            _ if receipt.rank() > self.rank() => receipt,
            _ => self,
        }
    }

    /// The word in the database, in logs and in metrics.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Unknown => "unknown",
            Self::Accepted => "accepted",
            Self::Sent => "sent",
            Self::Delivered => "delivered",
            Self::Read => "read",
            Self::Played => "played",
            Self::Failed => "failed",
        }
    }

    const fn rank(self) -> u8 {
        self as u8
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_late_sent_never_overwrites_read() {
        assert_eq!(Status::Read.after(Status::Sent), Status::Read);
        assert_eq!(Status::Unknown.after(Status::Sent), Status::Sent);
    }

    #[test]
    fn failed_is_final_and_comes_only_from_below_delivered() {
        assert_eq!(Status::Sent.after(Status::Failed), Status::Failed);
        assert_eq!(Status::Delivered.after(Status::Failed), Status::Delivered);
        assert_eq!(Status::Failed.after(Status::Read), Status::Failed);
    }

    #[test]
    fn a_repeated_receipt_changes_nothing() {
        for before in Status::ALL {
            for receipt in Status::ALL {
                let once = before.after(receipt);
                assert_eq!(once.after(receipt), once, "{before} after {receipt}");
            }
        }
    }
}
