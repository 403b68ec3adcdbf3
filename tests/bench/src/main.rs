//! wigwag-bench
fn main() {}
