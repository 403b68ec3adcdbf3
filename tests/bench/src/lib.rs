//! wigwag-bench
