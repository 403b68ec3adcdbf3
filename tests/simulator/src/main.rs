//! wigwag-simulator
fn main() {}
