//! What the tests begin with: a data plane, or several, with a tenant, a database and the simulator ([`shop`]), the
//! binaries that cargo built ([`binary`]), and moments of the database that are held open ([`gate`]).

pub mod binary;
pub mod cluster;
pub mod gate;
pub mod replica;
pub mod shop;
pub mod tables;
