//! wigwag-flow
