//! What the tests begin with: a data plane, or several, with a tenant, a database and the simulator ([`shop`]), and the
//! binaries that cargo built ([`binary`]).

pub mod binary;
pub mod cluster;
pub mod replica;
pub mod shop;
pub mod tables;
