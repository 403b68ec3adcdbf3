//! wigwag-dataplane
