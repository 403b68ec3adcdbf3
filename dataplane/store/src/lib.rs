//! wigwag-store
