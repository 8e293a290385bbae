//! What operators see: how far campaigns are, and what became of everybody in them. Nothing can be
//! changed here, and nobody is named.

pub(crate) mod campaigns;
mod chart;
pub(crate) mod frame;
pub(crate) mod report;
pub(crate) mod routes;
mod words;
