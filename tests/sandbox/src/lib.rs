//! wigwag-sandbox
