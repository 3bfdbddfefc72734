#![doc = include_str!("../README.md")]

mod closed;
mod envelope;
mod flow;
mod markup;
mod outbound;
mod record_id;
mod sample;
mod sobject;

pub use flow::SalesforceFlow;
pub use outbound::SalesforceOutbound;
