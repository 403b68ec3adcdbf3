//! wigwag-providers
