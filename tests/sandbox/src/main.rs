//! wigwag-sandbox
fn main() {}
