//! wigwag-e2e
