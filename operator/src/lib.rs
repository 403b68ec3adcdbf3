//! wigwag-operator
