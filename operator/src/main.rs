//! wigwag-operator
fn main() {}
