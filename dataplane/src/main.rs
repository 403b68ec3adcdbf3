//! wigwag-dataplane
fn main() {}
